// Package typeid makes and checks IDs: a prefix that says what is named, and a UUIDv7, which sorts by time, as
// TypeIDs (specification 0.3) write them.
package typeid

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Kind is the prefix of an ID: it says what the ID names.
type Kind string

// The kinds of ID.
const (
	KindOwner    Kind = "own"
	KindKey      Kind = "key"
	KindWebhook  Kind = "wh"
	KindEvent    Kind = "evt"
	KindDelivery Kind = "dlv"
	KindAttempt  Kind = "att"
	KindSource   Kind = "src"
	KindInbound  Kind = "inb"
	KindRecovery Kind = "rec"
	KindAudit    Kind = "aud"
	// KindSession is not in the API: it is of who is signed in to the console.
	KindSession Kind = "ses"
	// KindEventType is not in the API: event types are called by their names.
	KindEventType Kind = "ety"
	// KindCall is not in the API: it is of calls with an Idempotency-Key.
	KindCall Kind = "call"
	// KindRejection is not in the API: rejections are only listed.
	KindRejection Kind = "rej"
)

// ErrMalformed says that a text is not an ID of the expected kind.
var ErrMalformed = errors.New("malformed ID")

// Alphabet is Crockford's base32 in lower case, as the TypeID specification 0.3 uses it: sorting the texts
// sorts the UUIDs.
const Alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// Digits is the length of the encoded UUID: 26 digits of 5 bits hold its 128, with two bits left over.
const Digits = 26

// New makes a TypeID: the kind, an underscore and a UUIDv7 (RFC 9562) of the given time. The time is in it to
// a 4,096th of a millisecond (section 6.2, method 3), so IDs of one kind sort by the microsecond they were
// made in.
func New(kind Kind, at time.Time) string {
	return string(kind) + "_" + encodeUUID(newUUID(at))
}

// From makes an ID whose random bits are the given ones: the same input gives the same ID.
func From(kind Kind, at time.Time, random [16]byte) string {
	return string(kind) + "_" + encodeUUID(uuidAt(at, random))
}

// First is the smallest ID of the millisecond of a time; comparing IDs with it is comparing times.
func First(kind Kind, at time.Time) string {
	return string(kind) + "_" + encodeUUID(uuidAt(at, [16]byte{}))
}

// Check returns ErrMalformed, with a message for the user, unless id is a TypeID of the kind.
func Check(kind Kind, id string) error {
	digits, ok := strings.CutPrefix(id, string(kind)+"_")
	if !ok || len(digits) != Digits || digits[0] > '7' || strings.Trim(digits, Alphabet) != "" {
		return fmt.Errorf("%w: expected %s_ and %d characters of %s", ErrMalformed, kind, Digits, Alphabet)
	}
	return nil
}

// Is says that an ID, known to be well formed, is of the kind.
func Is(kind Kind, id string) bool { return strings.HasPrefix(id, string(kind)+"_") }

func newUUID(at time.Time) uuid.UUID {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the process instead
	fraction := at.Nanosecond() % int(time.Millisecond) << 12 / int(time.Millisecond)
	random[6], random[7] = byte(fraction>>8), byte(fraction)
	return uuidAt(at, random)
}

func uuidAt(at time.Time, random [16]byte) uuid.UUID {
	id := uuid.UUID(random)
	ms := max(at.UnixMilli(), 0) // the form cannot tell of times before 1970
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6] = 0x70 | id[6]&0x0f // version 7
	id[8] = 0x80 | id[8]&0x3f // the RFC's variant
	return id
}

func encodeUUID(id uuid.UUID) string {
	var digits [Digits]byte
	high, low := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	for i := Digits - 1; i >= 0; i-- {
		digits[i] = Alphabet[low&31]
		low = low>>5 | high<<59
		high >>= 5
	}
	return string(digits[:])
}
