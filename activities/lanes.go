package activities

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/postrider/postrider/models"
)

const (
	// hangingAfter is how long a webhook may keep a request before the next one makes a detour.
	hangingAfter = 2 * time.Second
	// DefaultConcurrency is how many requests a process makes to one webhook at once, in the slow lane a tenth
	// of them.
	DefaultConcurrency = 100
	slowShare          = 10
)

// Detour says that an attempt is to be made elsewhere or later: in the slow lane, at the moment that the
// webhook's rate limit has room for it, or when its receiver wants to be called again.
type Detour struct {
	Slow   bool       `json:"slow,omitempty"`
	SlotAt *time.Time `json:"slot_at,omitempty"`
	// Throttled says that the wait is for a receiver that asked for it or seems to be overloaded.
	Throttled bool `json:"throttled,omitempty"`
	// WaitMS is for how many milliseconds the workflow waits first.
	WaitMS int64 `json:"wait_ms,omitempty"`
}

// Wait is how long the workflow waits before it asks again.
func (d Detour) Wait() time.Duration { return time.Duration(d.WaitMS) * time.Millisecond }

// Lanes count the requests under way to each webhook in this process. A webhook that answers slowly, or
// fails, leaves the fast lane to the others and goes to the slow one, which has workers of its own.
type Lanes struct {
	concurrency int
	mu          sync.Mutex
	busy        map[laneKey][]time.Time
}

type laneKey struct {
	webhookID string
	slow      bool
}

// NewLanes returns lanes in which one webhook gets at most so many requests at once.
func NewLanes(concurrency int) *Lanes {
	return &Lanes{concurrency: concurrency, busy: map[laneKey][]time.Time{}}
}

// enter takes a place for a request, which leave gives back, unless the webhook has as many as it may, or
// keeps one waiting for so long that it must be hanging.
func (l *Lanes) enter(webhookID string, slow bool, now time.Time) (leave func(), ok bool) {
	key := laneKey{webhookID, slow}
	l.mu.Lock()
	defer l.mu.Unlock()
	under := l.busy[key]
	limit := l.concurrency
	if slow {
		limit = max(1, limit/slowShare)
	}
	// The oldest is first.
	hanging := !slow && len(under) > 1 && now.Sub(under[0]) > hangingAfter
	if len(under) >= limit || hanging {
		return nil, false
	}
	l.busy[key] = append(under, now)
	return func() { l.leave(key, now) }, true
}

func (l *Lanes) leave(key laneKey, since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	under := l.busy[key]
	for i, at := range under {
		if at.Equal(since) {
			under = append(under[:i], under[i+1:]...)
			break
		}
	}
	if len(under) == 0 {
		delete(l.busy, key)
		return
	}
	l.busy[key] = under
}

// enter finds the way for an attempt: a place in its lane, or a detour. A test is waited for and goes ahead.
func (a *Activities) enter(ctx context.Context, dispatch models.Dispatch, in AttemptInput) (*Detour, func(), error) {
	if dispatch.Delivery.Test {
		return nil, func() {}, nil
	}
	if wait := throttle(dispatch, in, a.Now()); wait > 0 {
		return &Detour{Slow: true, Throttled: true, WaitMS: wait.Milliseconds()}, nil, nil
	}
	if !in.Slow && dispatch.Health.Sick(a.Now()) {
		return &Detour{Slow: true, SlotAt: in.SlotAt}, nil, nil
	}
	slot, wait, err := a.slot(ctx, dispatch.Webhook, in)
	if err != nil {
		return nil, nil, err
	}
	if wait > slotLead {
		return &Detour{Slow: in.Slow, SlotAt: slot, WaitMS: (wait - slotLead).Milliseconds()}, nil, nil
	}
	if err := a.sleep(ctx, wait); err != nil {
		return nil, nil, err
	}
	leave, ok := a.Lanes.enter(dispatch.Webhook.ID, in.Slow, a.Now())
	switch {
	case ok:
		return nil, leave, nil
	case in.Slow:
		return &Detour{Slow: true, WaitMS: backoff(in.Detours).Milliseconds()}, nil, nil
	default:
		return &Detour{Slow: true, SlotAt: slot}, nil, nil
	}
}

// takeDetour tells the workflow of a detour. The sweep must not take a delivery that waits its turn for one
// that was forgotten.
func (a *Activities) takeDetour(ctx context.Context, dispatch models.Dispatch, in AttemptInput, detour *Detour) (AttemptResult, error) {
	if dispatch.Delivery.Status == models.StatusPending {
		until := a.nowInMS().Add(max(detour.Wait(), postponeAtLeast))
		if detour.SlotAt != nil && detour.SlotAt.After(until) {
			until = *detour.SlotAt
		}
		if err := a.Store.Postpone(ctx, in.DeliveryID, until); err != nil {
			return AttemptResult{}, err
		}
	}
	return AttemptResult{Status: dispatch.Delivery.Status, Detour: detour}, nil
}

// postponeAtLeast is for how long the sweep leaves a delivery alone that waits in the slow lane.
const postponeAtLeast = 10 * time.Minute

// backoff is how long an attempt waits that found its webhook busy in the slow lane: from one second to one
// minute, spread so that they do not come together.
func backoff(detours int) time.Duration {
	const first, most = time.Second, time.Minute
	wait := min(first<<min(detours, 10), most)
	return wait/2 + rand.N(wait/2) //nolint:gosec // spreads attempts, guards nothing
}
