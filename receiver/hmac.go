package receiver

import (
	"encoding/json"
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
	// body, with dots between the names of nested ones ("event.id"), or in a
	// header, which is not signed and counts only where the field is missing.
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
	var fields object
	if o.IDField != "" || o.TypeField != "" {
		var err error
		if fields, err = parseObject(body); err != nil {
			return Event{}, err
		}
	}
	id, err := o.name(fields, header, o.IDField, o.IDHeader)
	if err != nil {
		return Event{}, err
	}
	if o.IDField == "" && o.IDHeader == "" {
		if len(body) == 0 {
			return Event{}, malformed("body is empty, and nothing else names the event")
		}
		id = bodyHash(body)
	}
	eventType, err := o.name(fields, header, o.TypeField, o.TypeHeader)
	if err != nil {
		return Event{}, err
	}
	if o.TypeField == "" && o.TypeHeader == "" {
		eventType = DefaultType
	}
	event := Event{ID: id, Type: eventType}
	if fields != nil || json.Valid(body) {
		event.Data = body
	}
	return event, nil
}

func (o HMACOptions) name(fields object, header http.Header, field, headerName string) (string, error) {
	if field != "" {
		if text := fields.at(field); text != "" {
			return text, nil
		}
	}
	if headerName == "" {
		return "", nil
	}
	return singleValue(header, headerName)
}
