package models

import "time"

// MaxRateLimit is the highest rate limit of a webhook, in requests per second.
const MaxRateLimit = 1000

// Slot is a moment at which a webhook with a rate limit may be called.
type Slot struct {
	At time.Time
	// Since names the timetable that the moment is of: it is void when the webhook has another one by now.
	Since int64
}
