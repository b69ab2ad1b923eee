package receiver

import (
	"net/http"

	"github.com/postrider/postrider/signature"
)

// DefaultType is the type of events whose provider names none.
const DefaultType = "event"

// HMACOptions describes a sender that signs the bare body with an HMAC.
type HMACOptions struct {
	// Name is the provider's name; empty means "hmac".
	Name string
	// Signature is the header that holds the signature, and how.
	Signature signature.HMACConfig
	// IDField and IDHeader say where the ID of an event is: in a field of the
	// body, written as in [Fields], or in a header, which is not signed and counts
	// only where the field is missing.
	// Without either, the ID is a hash of the body: two equal bodies are then
	// one event.
	IDField, IDHeader string
	// TypeField and TypeHeader do the same for the type. Without either, every
	// event is of [DefaultType].
	TypeField, TypeHeader string
}

// HMAC returns the provider that the options describe. Whether the signature can
// be verified shows in [New].
func HMAC(o HMACOptions) Provider {
	if o.Name == "" {
		o.Name = string(signature.SchemeHMAC)
	}
	return Provider{name: o.Name, scheme: signature.SchemeHMAC, hmac: &o.Signature, parse: o.parse}
}

func (o HMACOptions) parse(header http.Header, body []byte) (Event, error) {
	c := contentOf(header, body)
	if c.data == nil && (o.IDField != "" || o.TypeField != "") {
		return Event{}, malformed("body is neither JSON nor a form")
	}
	id, err := o.name(c, header, o.IDField, o.IDHeader)
	if err != nil {
		return Event{}, err
	}
	if o.IDField == "" && o.IDHeader == "" {
		if len(body) == 0 {
			return Event{}, malformed("body is empty, and nothing else names the event")
		}
		id = bodyHash(body)
	}
	eventType, err := o.name(c, header, o.TypeField, o.TypeHeader)
	if err != nil {
		return Event{}, err
	}
	if o.TypeField == "" && o.TypeHeader == "" {
		eventType = DefaultType
	}
	return Event{ID: id, Type: eventType, Data: c.data}, nil
}

func (o HMACOptions) name(c content, header http.Header, field, headerName string) (string, error) {
	if field != "" {
		if text := c.text(field); text != "" {
			return text, nil
		}
	}
	if headerName == "" {
		return "", nil
	}
	return singleValue(header, headerName)
}
