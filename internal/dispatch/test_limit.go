package dispatch

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/postrider/postrider/models"
)

// How many tests a process has under way at once, of a webhook and of an owner. A test waits for its receiver up to the
// time limit of an attempt, and goes ahead of what is published: a few must do.
const (
	testsOfWebhook = 2
	testsOfOwner   = 5
)

// testAgain is when another test is likely to be possible again.
const testAgain = 5 * time.Second

// TooManyTestsError says that no more tests are made at present.
type TooManyTestsError struct {
	// Reason is for whoever asked, Wait is how long to wait before the next try.
	Reason string
	Wait   time.Duration
}

func (e *TooManyTestsError) Error() string { return e.Reason }

// testLimit bounds the tests that this process has under way. The zero value has none.
type testLimit struct {
	mu sync.Mutex
	// busy counts those under way by webhook and by owner.
	busy map[string]int
	// next is when a webhook with a rate limit may be tested again.
	next map[string]time.Time
}

// enter counts a test until leave is called, or returns a TooManyTestsError. Tests keep to a webhook's rate limit among
// themselves.
func (t *testLimit) enter(webhook models.Webhook, now time.Time) (leave func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy == nil {
		t.busy, t.next = map[string]int{}, map[string]time.Time{}
	}
	maps.DeleteFunc(t.next, func(_ string, at time.Time) bool { return !at.After(now) })
	if t.busy[webhook.ID] >= testsOfWebhook {
		return nil, &TooManyTestsError{fmt.Sprintf("%d tests of this webhook are under way; wait for their answers", testsOfWebhook), testAgain}
	}
	if t.busy[webhook.OwnerID] >= testsOfOwner {
		return nil, &TooManyTestsError{fmt.Sprintf("%d tests of this owner's webhooks are under way; wait for their answers", testsOfOwner), testAgain}
	}
	if webhook.RateLimit != nil {
		if next, waits := t.next[webhook.ID]; waits {
			return nil, &TooManyTestsError{"the webhook's rate_limit allows no other test yet; come back later or raise it", next.Sub(now)}
		}
		t.next[webhook.ID] = now.Add(time.Duration(float64(time.Second) / *webhook.RateLimit))
	}
	t.busy[webhook.ID]++
	t.busy[webhook.OwnerID]++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, key := range []string{webhook.ID, webhook.OwnerID} {
			if t.busy[key]--; t.busy[key] == 0 {
				delete(t.busy, key)
			}
		}
	}, nil
}
