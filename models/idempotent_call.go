package models

import "time"

// IdempotencyWindow is how long a call's answer is kept for those who repeat it with the same Idempotency-Key.
const IdempotencyWindow = 24 * time.Hour

// IdempotentCall is a call that was made with an Idempotency-Key, with what it was answered.
type IdempotentCall struct {
	ID string `gorm:"primaryKey"`
	// OwnerID is of who made it; empty for administrators. With Operation and IdempotencyKey it is unique.
	OwnerID        string
	Operation      string
	IdempotencyKey string
	// Sealed has the request's hash and the answer, sealed by the keyring: either may tell a secret.
	Sealed []byte
	// LeasedUntil is until when the call may be under way; nil once it is answered.
	LeasedUntil *time.Time
	CreatedAt   time.Time
	// RequestHash tells requests with the same key apart. It is not stored but in Sealed.
	RequestHash []byte `gorm:"-"`
}

// Answer is what a call was answered, byte for byte.
type Answer struct {
	Status      int    `json:"status"`
	ContentType string `json:"content_type,omitempty"`
	Body        []byte `json:"body,omitempty"`
}
