package storetest

import (
	"sync/atomic"
	"time"
)

// Clock stands still until it is set. It is safe for concurrent use.
type Clock struct{ us atomic.Int64 }

// NewClock returns a clock that shows a time in the past.
func NewClock() *Clock {
	c := &Clock{}
	c.Set(time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC))
	return c
}

// Now is what the clock shows, in UTC and to the microsecond.
func (c *Clock) Now() time.Time { return time.UnixMicro(c.us.Load()).UTC() }

// Set makes the clock show a time.
func (c *Clock) Set(at time.Time) { c.us.Store(at.UnixMicro()) }

// Advance moves the clock on.
func (c *Clock) Advance(by time.Duration) { c.us.Add(by.Microseconds()) }
