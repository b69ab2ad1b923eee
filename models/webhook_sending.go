package models

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"time"
)

// Sending says how the requests of a webhook are made. Its zero value is how they are made unless a webhook asks for
// something else.
type Sending struct {
	// TimeoutMS bounds an attempt, in milliseconds; 0 for the installation's time limit.
	TimeoutMS int64 `gorm:"column:timeout_ms"`
	// Format is how an event becomes a body.
	Format Format
	// Signing is what kind of secret signs; PublicKeys are those of Ed25519 secrets that sign at present or did.
	Signing    Signing
	PublicKeys PublicKeys
	// SealedCredentials are what the store's OpenCredentials reads; SetCredentials changes them. Credentials are only set
	// until the store has sealed them.
	SealedCredentials []byte       `gorm:"column:credentials"`
	Credentials       *Credentials `gorm:"-"`
}

// The bounds of a time limit that a webhook may ask for.
const (
	MinTimeout = time.Second
	MaxTimeout = 60 * time.Second
)

// Timeout bounds an attempt; 0 for the installation's time limit.
func (s Sending) Timeout() time.Duration { return time.Duration(s.TimeoutMS) * time.Millisecond }

// SetTimeout sets the time limit; 0 for the installation's.
func (s *Sending) SetTimeout(limit time.Duration) { s.TimeoutMS = limit.Milliseconds() }

// Format is how an event becomes the body of a request.
type Format string

// The formats. The empty one is the envelope too, as rows have it that were written before there were others.
const (
	FormatEnvelope              Format = "envelope"
	FormatRaw                   Format = "raw"
	FormatCloudEvents           Format = "cloudevents"
	FormatCloudEventsStructured Format = "cloudevents-structured"
)

// Formats lists every format.
func Formats() []Format {
	return []Format{FormatEnvelope, FormatRaw, FormatCloudEvents, FormatCloudEventsStructured}
}

// Shown is the format as users write it.
func (f Format) Shown() string {
	if f == "" {
		return string(FormatEnvelope)
	}
	return string(f)
}

// Signing is what kind of secret signs a webhook's requests.
type Signing string

// The kinds. The empty one is HMAC too, as rows have it that were written before there were others.
const (
	SigningHMAC    Signing = "hmac"
	SigningEd25519 Signing = "ed25519"
)

// Shown is the kind as users write it.
func (s Signing) Shown() string {
	if s == "" {
		return string(SigningHMAC)
	}
	return string(s)
}

// PublicKey is the public half of an Ed25519 secret.
type PublicKey struct {
	Key string `json:"key"`
	// Until is when the grace of its secret ends; nil for the present one.
	Until *time.Time `json:"until,omitempty"`
}

// PublicKeys are a webhook's, the present one first, stored as JSON.
type PublicKeys []PublicKey

// At returns those whose secrets sign at a time.
func (p PublicKeys) At(now time.Time) PublicKeys {
	var present PublicKeys
	for _, key := range p {
		if key.Until == nil || now.Before(*key.Until) {
			present = append(present, key)
		}
	}
	return present
}

// Present is the key of the secret that signs from now on; empty without one.
func (p PublicKeys) Present() string {
	if len(p) == 0 || p[0].Until != nil {
		return ""
	}
	return p[0].Key
}

// With adds the key of a new webhook, unless it has none.
func (p PublicKeys) With(key string) PublicKeys {
	if key == "" {
		return p
	}
	return append(PublicKeys{{Key: key}}, p...)
}

// Rotated are the keys after a rotation: the present one ends with its grace, and the others as the rotation says.
func (p PublicKeys) Rotated(rotation Rotation, now time.Time) PublicKeys {
	end := now.Add(rotation.Grace)
	var earlier PublicKeys
	for _, key := range p {
		switch {
		case key.Key == rotation.PublicKey, key.Until != nil && rotation.EndEarlier:
			continue
		case key.Until == nil:
			key.Until = &end
		}
		earlier = append(earlier, key)
	}
	return earlier.At(now).With(rotation.PublicKey)
}

// GormDataType tells gorm the column's type.
func (PublicKeys) GormDataType() string { return "string" }

// Value writes the keys; none are an empty text.
func (p PublicKeys) Value() (driver.Value, error) {
	if len(p) == 0 {
		return "", nil
	}
	text, err := json.Marshal([]PublicKey(p))
	return string(text), err
}

// Scan reads what Value wrote.
func (p *PublicKeys) Scan(value any) error {
	var text []byte
	switch value := value.(type) {
	case string:
		text = []byte(value)
	case []byte:
		text = value
	default:
		return errors.New("public keys are stored as text")
	}
	*p = nil
	if len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, (*[]PublicKey)(p))
}
