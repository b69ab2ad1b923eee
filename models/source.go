package models

import "time"

// Source is an inbound endpoint: where a provider sends its webhooks to, and how they are verified.
type Source struct {
	ID      string `gorm:"primaryKey"`
	OwnerID string
	Name    string
	// Scheme is how the provider signs, one of package signature's schemes.
	Scheme string
	// Secrets are the provider's secrets, sealed: a JSON list. Any of them may have signed.
	Secrets []byte
	// VerifyToken answers GET requests with hub.challenge, as Meta sends them, that name this token; sealed, and empty
	// for none.
	VerifyToken []byte
	// EventPrefix begins the type of the events that are published, such as stripe in
	// stripe.payment_intent.succeeded.
	EventPrefix string
	// Options are the settings of the scheme.
	Options SourceOptions `gorm:"serializer:json"`
	Active  bool
	// Suspended is true while its owner is suspended: it takes nothing, whatever Active says.
	Suspended bool
	// Broadcast says that what it receives goes to every owner's webhooks.
	Broadcast bool
	// Rejected counts the requests that were refused, Conflicts the events that came under an ID that another had
	// before, and Failed those that could not be processed and were not since.
	Rejected  int64
	Conflicts int64
	Failed    int64
	CreatedAt time.Time
	UpdatedAt time.Time `gorm:"autoUpdateTime:false"`
	DeletedAt *time.Time
}

// SourceOptions are settings that only some schemes have; a zero value is the scheme's default.
type SourceOptions struct {
	// ToleranceSeconds is how far a signed timestamp may be off.
	ToleranceSeconds int `json:"tolerance_seconds,omitempty"`
	// Header, Prefix, Encoding and Hash describe a signature of scheme hmac.
	Header   string `json:"header,omitempty"`
	Prefix   string `json:"prefix,omitempty"`
	Encoding string `json:"encoding,omitempty"`
	Hash     string `json:"hash,omitempty"`
	// IDHeader and TypeHeader name the event with scheme hmac, IDField and TypeField, which are in the body, with
	// standard-webhooks too. Without any, the ID of scheme hmac is a hash of the body and the type is "event".
	IDHeader   string `json:"id_header,omitempty"`
	IDField    string `json:"id_field,omitempty"`
	TypeHeader string `json:"type_header,omitempty"`
	TypeField  string `json:"type_field,omitempty"`
	// VerifyToken is a new token, which is sealed when the source is stored.
	VerifyToken string `json:"verify_token,omitempty"`
}
