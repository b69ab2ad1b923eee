package headerlog

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Masked stands in the log for a value that is secret: a signature, a credential, a value that an owner gave a header.
const Masked = "•••"

// notSent takes the place of a value: no header can have it.
const notSent = "\x00"

// Sent is what is known of a request anyway: almost all of its headers follow from it, and are not kept.
type Sent struct {
	DeliveryID, Event string
	// Number is the attempt's, which was made at StartedAt.
	Number    int
	StartedAt time.Time
}

// usual are the headers of a request in the usual form, but for User-Agent, which names the version that sent it.
func (s Sent) usual() []Field {
	return []Field{
		{"Content-Type", "application/json"},
		{"Webhook-Id", s.DeliveryID},
		{"Webhook-Signature", Masked},
		{"Webhook-Timestamp", strconv.FormatInt(s.StartedAt.Unix(), 10)},
		{"X-Webhook-Attempt", strconv.Itoa(s.Number)},
		{"X-Webhook-Delivery", s.DeliveryID},
		{"X-Webhook-Event", s.Event},
		{"X-Webhook-Signature", Masked},
	}
}

// Pack packs the headers of a request: how they differ from the usual ones.
func (s Sent) Pack(fields []Field) []byte {
	usual := s.usual()
	var different []Field
	for _, usual := range usual {
		if !slices.ContainsFunc(fields, func(f Field) bool { return f.Name == usual.Name }) {
			different = append(different, Field{usual.Name, notSent})
		}
	}
	for _, field := range fields {
		if !slices.Contains(usual, field) {
			different = append(different, field)
		}
	}
	return Pack(different)
}

// Unpack returns the headers that Pack packed, in the order of their names.
func (s Sent) Unpack(packed []byte) []Field {
	different := Unpack(packed)
	fields := slices.DeleteFunc(s.usual(), func(usual Field) bool {
		return slices.ContainsFunc(different, func(f Field) bool { return f.Name == usual.Name })
	})
	for _, field := range different {
		if field.Value != notSent {
			fields = append(fields, field)
		}
	}
	slices.SortStableFunc(fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}
