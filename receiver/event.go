package receiver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxNameLength bounds the bytes of an event's ID and type. Both are keys of
// databases and of logs; real ones have less than 100.
const maxNameLength = 255

// ErrMalformed says that a request is not what its provider sends: the event's
// ID or type is missing or unusable, or the body is not JSON. It never holds a
// value from the request.
var ErrMalformed = errors.New("malformed webhook")

// Event is one verified webhook.
type Event struct {
	// ID is the same on every copy of the event that the provider sends.
	ID string
	// Type is in the provider's own spelling, such as "orders/create".
	Type string
	// Timestamp is when the event happened according to the provider; where it
	// does not say, when the request arrived.
	Timestamp time.Time
	// Data is the part of the body that the event is about, as the package
	// comment lists it, or the whole body if that part is missing. A form is an
	// object here, as [BodyJSON] makes it. Data is nil when the body is neither
	// JSON nor a form, which [StandardWebhooks], [HMAC] and [Custom] allow.
	Data json.RawMessage
	// BodyHash tells apart events to which the provider gave one ID, and is the
	// same for all copies of an event: a hash of the body, or of what does not
	// change in it. [Custom] providers may set one of their own.
	BodyHash string
	// Conflict says that another event came with this ID, and with another body:
	// the sender used the ID twice, or a stranger played a request back under an
	// ID that is not signed. Both are handled, this one after the other.
	Conflict bool
	// Header and Body are the request's, as they arrived.
	Header http.Header
	Body   []byte
}

// Identity is what names an event.
type Identity struct {
	ID   string
	Type string
}

// check refuses names that a database or a log could not hold as they are.
func (e Event) check() error {
	if err := checkName("event ID", e.ID); err != nil {
		return err
	}
	return checkName("event type", e.Type)
}

func checkName(what, name string) error {
	switch {
	case name == "":
		return malformed(what + " is missing")
	case len(name) > maxNameLength:
		return malformed(what + " is too long")
	case !utf8.ValidString(name):
		return malformed(what + " is not UTF-8")
	}
	for _, c := range name {
		if unicode.IsControl(c) {
			return malformed(what + " has control characters")
		}
	}
	return nil
}

func malformed(fault string) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fault)
}
