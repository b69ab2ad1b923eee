package service

import (
	"context"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/store"
)

// Quotas are what an owner may have by what its own keys make; administrators may always. Zero is no limit.
type Quotas struct {
	Webhooks, Sources int
	// EventsPerSecond is how many events a second may be published, on average over two seconds, through each process.
	EventsPerSecond float64
	// StoredBytes is how much the data of events and received webhooks may come to.
	StoredBytes int64
}

type quotaStore interface {
	StoredBytes(ctx context.Context, ownerID string) (int64, error)
}

// withQuota limits how many things the owner may have of what is made with the context, unless an administrator makes it.
func withQuota(ctx context.Context, who Caller, limit int) context.Context {
	if who.Admin() {
		return ctx
	}
	return store.WithQuota(ctx, limit)
}

// sumEvery is how old a sum of stored bytes gets at least before it is made anew; one that took long gets sumShare
// times that old, so that sums take no more than a hundredth of a connection.
const (
	sumEvery = time.Minute
	sumShare = 100
)

// storedSum is how much an owner has stored: a sum, with what this process has added since.
type storedSum struct {
	// summing is held by the one who makes the sum; only who needs the first waits for it.
	summing sync.Mutex

	mu    sync.Mutex
	bytes int64
	// until is when the sum is too old; zero before the first.
	until time.Time
}

// add adds bytes, unless the sum would be more than a limit.
func (s *storedSum) add(size, limit int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes+size > limit {
		return false
	}
	s.bytes += size
	return true
}

// get returns the sum and until when it is good.
func (s *storedSum) get() (bytes int64, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes, s.until
}

// renew replaces what was the sum before with what it is now, and keeps what was added meanwhile.
func (s *storedSum) renew(before, now int64, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes, s.until = now+s.bytes-before, until
}

// mayPublish refuses an event of so many bytes where that is more than its owner's key may publish now.
func (s *Service) mayPublish(ctx context.Context, who Caller, size int) error {
	if who.Admin() {
		return nil
	}
	if s.perOwner != nil {
		if quota := s.perOwner.Take(who.OwnerID); !quota.Allowed {
			return &EventRateError{PerSecond: s.quotas.EventsPerSecond, Wait: quota.Reset}
		}
	}
	if s.quotas.StoredBytes <= 0 {
		return nil
	}
	stored, err := s.stored(ctx, who.OwnerID)
	if err != nil {
		return err
	}
	if !stored.add(int64(size), s.quotas.StoredBytes) {
		return &StoredBytesError{Limit: s.quotas.StoredBytes}
	}
	return nil
}

// stored returns an owner's sum. One of those who find it too old makes it anew; the others go on with the old one.
func (s *Service) stored(ctx context.Context, ownerID string) (*storedSum, error) {
	value, _ := s.sums.LoadOrStore(ownerID, &storedSum{})
	sum := value.(*storedSum)
	_, until := sum.get()
	switch now := s.now(); {
	case now.Before(until):
		return sum, nil
	case until.IsZero():
		sum.summing.Lock()
	case !sum.summing.TryLock():
		return sum, nil
	}
	defer sum.summing.Unlock()
	before, until := sum.get()
	began := s.now()
	if began.Before(until) {
		return sum, nil // it was made while this one waited
	}
	bytes, err := s.store.StoredBytes(ctx, ownerID)
	if err != nil {
		return nil, err
	}
	now := s.now()
	sum.renew(before, bytes, now.Add(max(sumEvery, sumShare*now.Sub(began))))
	return sum, nil
}
