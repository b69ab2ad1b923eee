package api

import (
	"container/list"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxBuckets bounds what a limiter remembers. Whoever was not seen for longest is forgotten first, and
	// begins anew with a full bucket.
	maxBuckets = 10_000
	// burstSeconds is how many seconds' worth of requests may come at once unless a burst is configured.
	burstSeconds = 2
	// An address may fail to authenticate this often at once and this often a second. People mistype a few times; a
	// program with a wrong key learns to wait.
	failureBurst = 60
	failureRate  = 1
)

// limiter counts requests by name in token buckets. Each process counts for itself.
type limiter struct {
	rate  rate.Limit
	burst int
	now   func() time.Time

	mu      sync.Mutex
	buckets map[string]*list.Element
	// recent orders the buckets, the last used first.
	recent *list.List
}

type bucket struct {
	name   string
	tokens *rate.Limiter
}

// newLimiter allows perSecond requests a second for each name, and up to burst of them at once.
func newLimiter(perSecond float64, burst int, now func() time.Time) *limiter {
	return &limiter{
		rate: rate.Limit(perSecond), burst: burst, now: now, buckets: map[string]*list.Element{}, recent: list.New(),
	}
}

// keyLimiter is the limiter of API keys; nil for no limit.
func (c Config) keyLimiter() *limiter {
	if c.RateLimit <= 0 {
		return nil
	}
	burst := c.RateBurst
	if burst == 0 {
		burst = int(math.Ceil(c.RateLimit * burstSeconds))
	}
	return newLimiter(c.RateLimit, burst, c.Now)
}

// quota is what a name may do after a request.
type quota struct {
	allowed bool
	// left is how many requests may follow at once.
	left int
	// reset is how long until the bucket is full or, for a refused request, until one may follow.
	reset time.Duration
}

// take counts a request.
func (l *limiter) take(name string) quota {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	tokens := l.bucket(name).tokens
	if tokens.AllowN(now, 1) {
		left := tokens.TokensAt(now)
		return quota{allowed: true, left: int(left), reset: l.timeFor(float64(l.burst) - left)}
	}
	return quota{reset: l.timeFor(1 - tokens.TokensAt(now))}
}

func (l *limiter) bucket(name string) *bucket {
	if element, ok := l.buckets[name]; ok {
		l.recent.MoveToFront(element)
		return element.Value.(*bucket)
	}
	if l.recent.Len() >= maxBuckets {
		oldest := l.recent.Back()
		l.recent.Remove(oldest)
		delete(l.buckets, oldest.Value.(*bucket).name)
	}
	fresh := &bucket{name: name, tokens: rate.NewLimiter(l.rate, l.burst)}
	l.buckets[name] = l.recent.PushFront(fresh)
	return fresh
}

// timeFor is how long it takes until so many tokens have come.
func (l *limiter) timeFor(tokens float64) time.Duration {
	return time.Duration(tokens / float64(l.rate) * float64(time.Second))
}

// fields are the header fields of draft-ietf-httpapi-ratelimit-headers: the policy, which is the burst and the
// seconds in which it comes back, and what is left of it.
func (l *limiter) fields(q quota) http.Header {
	window := seconds(l.timeFor(float64(l.burst)))
	return http.Header{
		"RateLimit-Policy": {fmt.Sprintf(`"key";q=%d;w=%d`, l.burst, window)},
		"RateLimit":        {fmt.Sprintf(`"key";r=%d;t=%d`, q.left, seconds(q.reset))},
	}
}

// seconds rounds up: who waits so long has waited long enough.
func seconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }

// tooMany is a 429 that says when to come back.
func tooMany(code, detail string, wait time.Duration) *Problem {
	problem := newProblem(http.StatusTooManyRequests, code, detail)
	problem.retryAfter = max(1, seconds(wait))
	return problem
}
