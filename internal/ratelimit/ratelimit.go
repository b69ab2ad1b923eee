// Package ratelimit counts requests by name in token buckets. Each process counts for itself.
package ratelimit

import (
	"math"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

const (
	// maxBuckets bounds the memory of a limiter. The name that was not seen for longest goes first, and starts again
	// with a full bucket.
	maxBuckets = 10_000
	// burstSeconds is how many seconds' worth of requests may come at once, unless a burst is given.
	burstSeconds = 2
)

// Limiter limits the requests of each name.
type Limiter struct {
	rate  rate.Limit
	burst int
	now   func() time.Time

	mu      sync.Mutex
	buckets *simplelru.LRU[string, *rate.Limiter]
}

// New allows perSecond requests a second for each name, and burst of them at once; with a burst of 0 what comes in two
// seconds.
func New(perSecond float64, burst int, now func() time.Time) *Limiter {
	if burst == 0 {
		burst = int(math.Ceil(perSecond * burstSeconds))
	}
	buckets, err := simplelru.NewLRU[string, *rate.Limiter](maxBuckets, nil)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &Limiter{rate: rate.Limit(perSecond), burst: burst, now: now, buckets: buckets}
}

// Quota is what a name may do after a request.
type Quota struct {
	Allowed bool
	// Left is how many requests may follow at once.
	Left int
	// Reset is how long until the bucket is full or, after a refused request, until one may follow.
	Reset time.Duration
}

// Take counts a request.
func (l *Limiter) Take(name string) Quota {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	tokens, ok := l.buckets.Get(name)
	if !ok {
		tokens = rate.NewLimiter(l.rate, l.burst)
		l.buckets.Add(name, tokens)
	}
	if tokens.AllowN(now, 1) {
		left := tokens.TokensAt(now)
		return Quota{Allowed: true, Left: int(left), Reset: l.timeFor(float64(l.burst) - left)}
	}
	return Quota{Reset: l.timeFor(1 - tokens.TokensAt(now))}
}

// Burst is how many requests may come at once.
func (l *Limiter) Burst() int { return l.burst }

// Window is how long an empty bucket takes to fill.
func (l *Limiter) Window() time.Duration { return l.timeFor(float64(l.burst)) }

// timeFor is how long it takes until so many tokens have come.
func (l *Limiter) timeFor(tokens float64) time.Duration {
	return time.Duration(tokens / float64(l.rate) * float64(time.Second))
}
