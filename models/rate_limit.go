package models

import "time"

// MaxRateLimit is the highest rate limit of a webhook, in requests per second.
const MaxRateLimit = 1000

// Reservation is a moment at which a webhook with a rate limit may be called. It is given to one attempt.
type Reservation struct {
	At time.Time
	// Since names the timetable that the moment belongs to, in microseconds since 1970: the webhook gets a new one when
	// its rate limit is changed, which makes the reservation void.
	Since int64
}
