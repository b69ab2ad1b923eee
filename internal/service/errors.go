package service

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Errors that callers tell apart with errors.Is, beside those of models.
var (
	// ErrAdminsOnly says that only administrators may do this.
	ErrAdminsOnly = errors.New("only an administrator may do this")
	// ErrReprocessBroadcast says that an inbound event reaches every owner's webhooks: only administrators may have it
	// processed again.
	ErrReprocessBroadcast = errors.New("only an administrator may have this processed again")
	// ErrEraseBroadcast says that an event went to every owner's webhooks: only administrators may erase its data.
	ErrEraseBroadcast = errors.New("only an administrator may erase this")
	// ErrWebhookInactive says that a delivery's webhook is paused, disabled or deleted.
	ErrWebhookInactive = dispatch.ErrWebhookInactive
	// ErrWebhookDeleted is the ErrWebhookInactive that nobody can change.
	ErrWebhookDeleted = dispatch.ErrWebhookDeleted
	// ErrRecoveryFinished says that a recovery has ended and cannot be steered any more.
	ErrRecoveryFinished = dispatch.ErrRecoveryFinished
)

// TooManyTestsError says that no more tests of webhooks are made at present.
type TooManyTestsError = dispatch.TooManyTestsError

// Field is one field that is wrong.
type Field struct {
	// Location is its name, such as url or events[2].
	Location string
	// Message says what it should be.
	Message string
}

// FieldsError has every wrong field of a call.
type FieldsError []Field

// Error lists the fields.
func (e FieldsError) Error() string {
	texts := make([]string, len(e))
	for i, field := range e {
		texts[i] = field.Location + ": " + field.Message
	}
	return strings.Join(texts, "; ")
}

// invalid is the error of one field.
func invalid(location, message string) error { return FieldsError{{location, message}} }

// NotFoundError is a models.ErrNotFound that says what there is none of.
type NotFoundError struct {
	Kind typeid.Kind
	ID   string
	// Malformed says that the ID cannot be one of the kind.
	Malformed bool
}

// What is the name of the kind, such as inbound event.
func (e *NotFoundError) What() string { return nameOfKind[e.Kind] }

// Form says what a name of the kind looks like.
func (e *NotFoundError) Form() string {
	form := string(e.Kind) + "_ and 26 letters and digits"
	if e.Kind == typeid.KindOwner {
		return "an owner is named by its ID, " + form + ", or by its external_id"
	}
	return "the ID of a " + e.What() + " is " + form
}

// Error names what was not found.
func (e *NotFoundError) Error() string { return fmt.Sprintf("there is no %s %s", e.What(), e.ID) }

// Unwrap returns models.ErrNotFound.
func (*NotFoundError) Unwrap() error { return models.ErrNotFound }

var nameOfKind = map[typeid.Kind]string{
	typeid.KindOwner: "owner", typeid.KindKey: "key", typeid.KindWebhook: "webhook", typeid.KindEvent: "event",
	typeid.KindDelivery: "delivery", typeid.KindSource: "source", typeid.KindInbound: "inbound event", typeid.KindRecovery: "recovery",
	typeid.KindEventType: "event type",
}

// EventRateError says that an owner publishes too many events a second.
type EventRateError struct {
	PerSecond float64
	// Wait is how long until another one may be published.
	Wait time.Duration
}

// Error names the limit.
func (e *EventRateError) Error() string {
	return fmt.Sprintf("this owner may publish %g events a second", e.PerSecond)
}

// StoredBytesError says that an owner's events and received webhooks take as many bytes as they may.
type StoredBytesError struct{ Limit int64 }

// Error names the limit.
func (e *StoredBytesError) Error() string {
	return fmt.Sprintf("this owner may store %d bytes of events and received webhooks", e.Limit)
}

// Unavailable returns what did not answer, Temporal or the database, when that is why a call failed; else it returns an
// empty text. Such a call may be made again.
func Unavailable(err error) string {
	switch {
	case errors.Is(err, dispatch.ErrTemporalUnavailable):
		return "Temporal"
	case store.IsUnavailable(err):
		return "the database"
	}
	return ""
}
