package models

import "errors"

// Errors that callers tell apart with errors.Is.
var (
	// ErrNotFound says that there is no such row, or that the asking owner may not see it.
	ErrNotFound = errors.New("not found")
	// ErrIdempotencyConflict says that an idempotency key was used before with another event.
	ErrIdempotencyConflict = errors.New("idempotency key used before with another event")
	// ErrFinished says that a delivery has ended and cannot be cancelled any more.
	ErrFinished = errors.New("delivery has ended")
	// ErrErased says that the data of an event was erased: it cannot be sent or processed again.
	ErrErased = errors.New("the event's data was erased")
	// ErrKeyExpired says that an API key was valid once and has ended.
	ErrKeyExpired = errors.New("key has expired")
	// ErrOwnerSuspended says that an owner is suspended: it gets nothing, and its keys do nothing.
	ErrOwnerSuspended = errors.New("the owner is suspended")
	// ErrLastAdminKey says that no administrator could use the API any more without this key.
	ErrLastAdminKey = errors.New("last administrator's key")
	// ErrCallConflict says that an Idempotency-Key was used before with another request.
	ErrCallConflict = errors.New("Idempotency-Key used before with another request")
	// ErrCallUnderWay says that a call with the same Idempotency-Key has not been answered yet.
	ErrCallUnderWay = errors.New("a call with this Idempotency-Key is under way")
	// ErrExternalIDTaken says that another owner, or another webhook of the owner, has the external_id.
	ErrExternalIDTaken = errors.New("the external_id is taken")
)

// ErrDefaultOwner says that the owner default cannot be deleted: it owns what an administrator makes without naming one.
var ErrDefaultOwner = errors.New("the default owner cannot be deleted")
