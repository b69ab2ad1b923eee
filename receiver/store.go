package receiver

import (
	"context"
	"errors"
	"time"
)

// ErrStoreFull says that a [MemoryStore] holds nothing but claims that are being
// worked on.
var ErrStoreFull = errors.New("store is full")

// Store remembers which events are being handled and which are done. It must be
// safe for concurrent use. Package gormstore keeps it in an SQL database, so that
// several processes can share it. Times are those of the [Handler]s: their clocks
// have to agree to within a few seconds.
type Store interface {
	// Claim reserves an event until claim.Until, unless it is done or another
	// claim has not run out. Of any number of calls at once for one event, in
	// all processes, one gets StatusClaimed.
	Claim(ctx context.Context, claim Claim) (State, error)
	// Complete records that the claimed event was handled, until the given time.
	// It does so even if the claim has run out or was made anew by another: the
	// event was handled all the same.
	Complete(ctx context.Context, claim Claim, until time.Time) error
	// Release gives up the claim, so that the next one succeeds. It does nothing
	// when the event is done or the claim with this token is gone.
	Release(ctx context.Context, claim Claim) error
}

// Claim is the wish of one request to handle an event.
type Claim struct {
	// Endpoint, EventID and BodyHash together name the event: the ID alone may be
	// that of another, which came with another body. What is known without a hash
	// counts for every body.
	Endpoint string
	EventID  string
	BodyHash string
	// Token tells this claim from all others.
	Token string
	// Now is the time of the claim and Until when it runs out.
	Now, Until time.Time
}

// Status says what became of a claim.
type Status int

// The statuses.
const (
	// StatusClaimed means that the caller has to handle the event.
	StatusClaimed Status = iota + 1
	// StatusInProgress means that another claim holds the event.
	StatusInProgress
	// StatusDone means that the event was handled.
	StatusDone
)

// State is what a Store knows of an event.
type State struct {
	Status Status
	// Until is when this ends: the claim, or the memory of what is done.
	Until time.Time
	// Conflict, with StatusClaimed, says that the Store knows another event with
	// this ID. Of two that are claimed at once, at least one hears of it.
	Conflict bool
}
