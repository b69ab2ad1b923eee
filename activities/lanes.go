package activities

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/postrider/postrider/models"
)

// FastPlaces is how many attempts a worker makes at once; they mostly wait for receivers. SlowPlaces is how many
// it makes to webhooks that are slow or fail.
const (
	FastPlaces = 1000
	SlowPlaces = 200
)

const (
	// hangingAfter is how long a webhook may keep a request before the next one makes a detour.
	hangingAfter = 2 * time.Second
	// placePatience is how long a first attempt without a workflow waits for a place.
	placePatience = time.Second
	// DefaultConcurrency is how many requests a process makes to one webhook at once while there is room.
	DefaultConcurrency = 100
)

// Detour says that an attempt is to be made elsewhere or later: in the slow lane, at the moment that the
// webhook's rate limit has room for it, or when its receiver wants to be called again.
type Detour struct {
	Slow bool `json:"slow,omitempty"`
	// SlotAt is the moment, SlotSince which of the webhook's timetables it is of.
	SlotAt    *time.Time `json:"slot_at,omitempty"`
	SlotSince int64      `json:"slot_since,omitempty"`
	// Throttled says that the wait is for a receiver that asked for it or seems to be overloaded.
	Throttled bool `json:"throttled,omitempty"`
	// WaitMS is for how many milliseconds the workflow waits first.
	WaitMS int64 `json:"wait_ms,omitempty"`
}

// Wait is how long the workflow waits before it asks again.
func (d Detour) Wait() time.Duration { return time.Duration(d.WaitMS) * time.Millisecond }

// Lanes count the requests under way to each webhook in this process. A webhook that answers slowly, or
// fails, leaves the fast lane to the others and goes to the slow one, which has workers of its own. In neither
// can one webhook take more than half of the places, nor can many that hang at the same moment.
type Lanes struct {
	concurrency int
	turns       turns
	mu          sync.Mutex
	fast, slow  lane
}

// lane has places for requests; busy are those taken by each webhook, the oldest first, and waiting is who wants
// to know when one of a webhook's is free.
type lane struct {
	places, taken int
	busy          map[string][]time.Time
	waiting       map[string][]chan struct{}
}

func newLane(places int) lane {
	return lane{places: places, busy: map[string][]time.Time{}, waiting: map[string][]chan struct{}{}}
}

// NewLanes returns lanes in which one webhook gets at most so many requests at once.
func NewLanes(concurrency int) *Lanes {
	return &Lanes{
		concurrency: concurrency,
		fast:        newLane(FastPlaces),
		slow:        newLane(SlowPlaces),
	}
}

func (l *Lanes) lane(slow bool) *lane {
	if slow {
		return &l.slow
	}
	return &l.fast
}

// enter takes a place for a request, which leave gives back, unless there is no room for its webhook.
func (l *Lanes) enter(webhookID string, slow bool, now time.Time) (leave func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lane := l.lane(slow)
	if !l.roomLocked(webhookID, slow, now) {
		return nil, false
	}
	lane.busy[webhookID] = append(lane.busy[webhookID], now)
	lane.taken++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		lane.leave(webhookID, now)
	}, true
}

// enterSoon is enter for who can wait a moment for a place in the fast lane, unless the webhook hangs. Those who
// wait for one webhook get in one after the other, as places become free.
func (l *Lanes) enterSoon(ctx context.Context, webhookID string, now func() time.Time) (leave func(), ok bool) {
	patience := time.NewTimer(placePatience)
	defer patience.Stop()
	for {
		if leave, ok := l.enter(webhookID, false, now()); ok {
			return leave, true
		}
		turn, hopeless := l.queue(webhookID, now())
		if hopeless {
			return nil, false
		}
		select {
		case <-turn:
			continue
		case <-patience.C:
		case <-ctx.Done():
		}
		l.leaveQueue(webhookID, turn)
		return nil, false
	}
}

// queue returns a channel that is closed when a place of the webhook's is free; that may be so already.
func (l *Lanes) queue(webhookID string, now time.Time) (turn chan struct{}, hopeless bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fast.hangs(webhookID, now) {
		return nil, true
	}
	turn = make(chan struct{})
	if len(l.fast.busy[webhookID]) == 0 {
		close(turn)
	} else {
		l.fast.waiting[webhookID] = append(l.fast.waiting[webhookID], turn)
	}
	return turn, false
}

func (l *Lanes) leaveQueue(webhookID string, turn chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting := l.fast.waiting
	if waiting[webhookID] = slices.DeleteFunc(waiting[webhookID], func(other chan struct{}) bool { return other == turn }); len(waiting[webhookID]) == 0 {
		delete(waiting, webhookID)
	}
}

// room says whether enter would succeed.
func (l *Lanes) room(webhookID string, slow bool, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.roomLocked(webhookID, slow, now)
}

// roomLocked refuses a webhook that has as many requests under way as it may, and in the fast lane one that
// hangs.
func (l *Lanes) roomLocked(webhookID string, slow bool, now time.Time) bool {
	lane := l.lane(slow)
	return (slow || !lane.hangs(webhookID, now)) && len(lane.busy[webhookID]) < lane.limit(l.concurrency)
}

// hangs says that a webhook keeps a request waiting for so long that it must be hanging.
func (l *lane) hangs(webhookID string, now time.Time) bool {
	under := l.busy[webhookID]
	return len(under) > 1 && now.Sub(under[0]) > hangingAfter
}

// limit is how many places one webhook may have. Half of the lane is for whoever comes first; when it is taken,
// the webhooks in the lane have equal shares of it, so that those who come find the other half free.
func (l *lane) limit(concurrency int) int {
	half := l.places / 2
	if l.taken < half {
		return min(concurrency, half)
	}
	return min(concurrency, max(1, half/max(1, len(l.busy))))
}

func (l *lane) leave(webhookID string, since time.Time) {
	if waiting := l.waiting[webhookID]; len(waiting) > 0 {
		close(waiting[0])
		if l.waiting[webhookID] = waiting[1:]; len(waiting) == 1 {
			delete(l.waiting, webhookID)
		}
	}
	under := l.busy[webhookID]
	at := slices.IndexFunc(under, since.Equal)
	if under = slices.Delete(under, at, at+1); len(under) == 0 {
		delete(l.busy, webhookID)
	} else {
		l.busy[webhookID] = under
	}
	l.taken--
}

// enter finds the way for an attempt: a place in its lane, or a detour. A test is waited for and goes ahead;
// one that is resent is not.
func (a *Activities) enter(ctx context.Context, dispatch models.Job, in AttemptInput) (*Detour, func(), error) {
	if dispatch.Delivery.Test && in.Trigger != models.TriggerResend {
		return nil, func() {}, nil
	}
	if wait := throttle(dispatch, in, a.Now()); wait > 0 {
		return &Detour{Slow: true, Throttled: true, WaitMS: wait.Milliseconds()}, nil, nil
	}
	key := laneOf(dispatch)
	if !in.Slow && (dispatch.Health.Sick(a.Now()) || !a.Lanes.room(key, false, a.Now())) {
		return a.toSlowLane(dispatch, in.slot()), nil, nil
	}
	if in.Slow && !a.Lanes.room(key, true, a.Now()) {
		return a.toSlowLane(dispatch, nil), nil, nil
	}
	slot, wait, err := a.slot(ctx, dispatch.Webhook, in)
	if err != nil {
		return nil, nil, err
	}
	// Who waits must not take a place within a workflow task.
	if wait > slotLead || wait > slotLate && activity.GetInfo(ctx).IsLocalActivity {
		return Detour{Slow: in.Slow, WaitMS: untilAsked(wait, in, a.Now()).Milliseconds()}.at(slot), nil, nil
	}
	if err := a.sleep(ctx, wait); err != nil {
		return nil, nil, err
	}
	if late(dispatch.Webhook, slot, a.Now()) {
		return &Detour{Slow: in.Slow}, nil, nil
	}
	if leave, ok := a.Lanes.enter(key, in.Slow, a.Now()); ok {
		return nil, leave, nil
	}
	return a.toSlowLane(dispatch, slot), nil, nil
}

// laneOf names the receiver whose requests the lanes count: a webhook's, until its URL is changed.
func laneOf(dispatch models.Job) string {
	if dispatch.Health.Receiver == 0 {
		return dispatch.Webhook.ID
	}
	return dispatch.Webhook.ID + "/" + strconv.Itoa(dispatch.Health.Receiver)
}

// toSlowLane sends an attempt to the slow lane, and lets it wait first when there is no room for its webhook:
// that costs Temporal less than an attempt that finds none.
func (a *Activities) toSlowLane(dispatch models.Job, slot *models.Slot) *Detour {
	key := laneOf(dispatch)
	if a.Lanes.room(key, true, a.Now()) {
		return Detour{Slow: true}.at(slot)
	}
	return &Detour{Slow: true, WaitMS: a.Lanes.turn(key, dispatch.Health, a.Now()).Milliseconds()}
}

// takeDetour tells the workflow of a detour. The sweep must not take a delivery that waits its turn for one
// that was forgotten.
func (a *Activities) takeDetour(ctx context.Context, dispatch models.Job, in AttemptInput, detour *Detour) (AttemptResult, error) {
	if dispatch.Delivery.Status == models.StatusPending {
		now := a.nowInMS()
		due := now.Add(detour.Wait())
		if detour.SlotAt != nil && detour.SlotAt.After(due) {
			due = *detour.SlotAt
		}
		leasedUntil := now.Add(postponeAtLeast)
		if due.After(leasedUntil) {
			leasedUntil = due
		}
		if err := a.Store.Postpone(ctx, in.DeliveryID, due, leasedUntil); err != nil {
			return AttemptResult{}, err
		}
	}
	return AttemptResult{Status: dispatch.Delivery.Status, Detour: detour}, nil
}

// postponeAtLeast is for how long the sweep leaves a delivery alone that waits in the slow lane.
const postponeAtLeast = 10 * time.Minute
