package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/postrider/postrider/models"
)

// Quotas are what an owner may have by what its own keys make; administrators may always. Zero is no limit.
type Quotas struct {
	Webhooks, Sources int
	// EventsPerSecond is how many events a second may be published, on average over two seconds, through each process.
	EventsPerSecond float64
	// StoredBytes is how much the data of events and received webhooks may come to.
	StoredBytes int64
}

// within limits what is made with the context, unless an administrator asks.
func within(ctx context.Context, limit int) context.Context {
	if whoAsks(ctx).admin() {
		return ctx
	}
	return models.WithQuota(ctx, limit)
}

// sumEvery is how old a sum of stored bytes gets at least before it is made anew; one that took long gets sumShare
// times that old, so that sums take no more than a hundredth of a connection.
const (
	sumEvery = time.Minute
	sumShare = 100
)

// storedSum is how much an owner has stored: a sum, with what this process has added since.
type storedSum struct {
	mu    sync.Mutex
	bytes int64
	until time.Time
}

// mayPublish says whether an owner's key may publish so many bytes more now.
func (s *server) mayPublish(ctx context.Context, who principal, size int) error {
	if who.admin() {
		return nil
	}
	if s.perOwner != nil {
		if quota := s.perOwner.take(who.ownerID); !quota.allowed {
			return tooMany(codeQuotaExceeded, fmt.Sprintf("this owner may publish %g events a second; come back after the seconds in Retry-After",
				s.Quotas.EventsPerSecond), quota.reset)
		}
	}
	if s.Quotas.StoredBytes <= 0 {
		return nil
	}
	stored, err := s.stored(ctx, who.ownerID)
	if err != nil {
		return s.fail(ctx, err)
	}
	stored.mu.Lock()
	defer stored.mu.Unlock()
	if stored.bytes+int64(size) > s.Quotas.StoredBytes {
		return newProblem(http.StatusConflict, codeQuotaExceeded, fmt.Sprintf(
			"this owner may store %d bytes of events and received webhooks; the oldest go with the retention", s.Quotas.StoredBytes))
	}
	stored.bytes += int64(size)
	return nil
}

// stored returns an owner's sum, which is made anew when it is too old.
func (s *server) stored(ctx context.Context, ownerID string) (*storedSum, error) {
	value, _ := s.sums.LoadOrStore(ownerID, &storedSum{})
	sum := value.(*storedSum)
	sum.mu.Lock()
	defer sum.mu.Unlock()
	now := s.Now()
	if now.Before(sum.until) {
		return sum, nil
	}
	bytes, err := s.Store.StoredBytes(ctx, ownerID)
	if err != nil {
		return nil, err
	}
	sum.bytes, sum.until = bytes, s.Now().Add(max(sumEvery, sumShare*s.Now().Sub(now)))
	return sum, nil
}

// ownerLimiter is the limiter of published events; nil for no limit.
func (c Config) ownerLimiter() *limiter {
	perSecond := c.Quotas.EventsPerSecond
	if perSecond <= 0 {
		return nil
	}
	return newLimiter(perSecond, int(math.Ceil(perSecond*burstSeconds)), c.Now)
}
