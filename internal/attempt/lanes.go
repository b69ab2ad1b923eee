package attempt

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/timing"
)

// FastSlots is how many attempts a worker makes at once; they mostly wait for receivers. SlowSlots is how many it makes
// to webhooks that are slow or fail.
const (
	FastSlots = 1000
	SlowSlots = 200
)

// DefaultConcurrency is how many requests a process makes to one webhook at once while there is room.
const DefaultConcurrency = 100

// Lanes count the requests under way to each webhook in this process. A webhook that answers slowly, or fails, leaves
// the fast lane to the others and goes to the slow one, which has workers of its own. In neither can one webhook take
// more than half of the slots, nor can many that hang at the same moment.
type Lanes struct {
	concurrency int
	rechecks    rechecks
	mu          sync.Mutex
	fast, slow  lane
}

// lane has slots for requests. Its maps are by receiver: busy has the slots that are taken, waiting the channels of
// those who wait for a slot.
type lane struct {
	slots, taken int
	busy         map[string]underWay
	waiting      map[string][]chan struct{}
}

// underWay are the slots that one receiver's requests have taken, linked from the oldest to the newest.
type underWay struct {
	oldest, newest *slot
	count          int
}

// slot is room for one request.
type slot struct {
	lanes    *Lanes
	lane     *lane
	receiver string
	since    time.Time
	// older and newer are its neighbours among the slots of its receiver.
	older, newer *slot
}

func newLane(slots int) lane {
	return lane{slots: slots, busy: map[string]underWay{}, waiting: map[string][]chan struct{}{}}
}

// NewLanes returns lanes in which one webhook gets at most so many requests at once.
func NewLanes(concurrency int) *Lanes {
	return &Lanes{
		concurrency: concurrency,
		fast:        newLane(FastSlots),
		slow:        newLane(SlowSlots),
	}
}

func (l *Lanes) lane(slow bool) *lane {
	if slow {
		return &l.slow
	}
	return &l.fast
}

// take takes a slot for a request; nil when there is no room for its receiver. Release it when the request has ended.
func (l *Lanes) take(receiver string, slow bool, now time.Time) *slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.hasRoomLocked(receiver, slow, now) {
		return nil
	}
	lane := l.lane(slow)
	under := lane.busy[receiver]
	taken := &slot{lanes: l, lane: lane, receiver: receiver, since: now, older: under.newest}
	if under.newest == nil {
		under.oldest = taken
	} else {
		under.newest.newer = taken
	}
	under.newest = taken
	under.count++
	lane.busy[receiver] = under
	lane.taken++
	return taken
}

// release gives the slot back, and wakes the first who waits for one. Nothing happens for nil.
func (s *slot) release() {
	if s == nil {
		return
	}
	s.lanes.mu.Lock()
	defer s.lanes.mu.Unlock()
	s.lane.wakeFirst(s.receiver)
	under := s.lane.busy[s.receiver]
	if s.older == nil {
		under.oldest = s.newer
	} else {
		s.older.newer = s.newer
	}
	if s.newer == nil {
		under.newest = s.older
	} else {
		s.newer.older = s.older
	}
	if under.count--; under.count == 0 {
		delete(s.lane.busy, s.receiver)
	} else {
		s.lane.busy[s.receiver] = under
	}
	s.lane.taken--
}

func (l *lane) wakeFirst(receiver string) {
	waiting := l.waiting[receiver]
	if len(waiting) == 0 {
		return
	}
	close(waiting[0])
	if l.waiting[receiver] = waiting[1:]; len(waiting) == 1 {
		delete(l.waiting, receiver)
	}
}

// takeSoon takes a slot in the fast lane, and waits a moment for one unless the receiver hangs. Those who wait for one
// receiver get in one after the other, as slots become free.
func (l *Lanes) takeSoon(ctx context.Context, receiver string, now func() time.Time) *slot {
	patience := time.NewTimer(timing.SlotPatience)
	defer patience.Stop()
	for {
		if slot := l.take(receiver, false, now()); slot != nil {
			return slot
		}
		freed, hangs := l.enqueue(receiver, now())
		if hangs {
			return nil
		}
		select {
		case <-freed:
			continue
		case <-patience.C:
		case <-ctx.Done():
		}
		l.dequeue(receiver, freed)
		return nil
	}
}

// enqueue returns a channel that is closed when a slot of the receiver's is free; that may be so already.
func (l *Lanes) enqueue(receiver string, now time.Time) (freed chan struct{}, hangs bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fast.hangs(receiver, now) {
		return nil, true
	}
	freed = make(chan struct{})
	if l.fast.busy[receiver].count == 0 {
		close(freed)
	} else {
		l.fast.waiting[receiver] = append(l.fast.waiting[receiver], freed)
	}
	return freed, false
}

func (l *Lanes) dequeue(receiver string, freed chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting := slices.DeleteFunc(l.fast.waiting[receiver], func(other chan struct{}) bool { return other == freed })
	if l.fast.waiting[receiver] = waiting; len(waiting) == 0 {
		delete(l.fast.waiting, receiver)
	}
}

// hasRoom says whether take would succeed.
func (l *Lanes) hasRoom(receiver string, slow bool, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hasRoomLocked(receiver, slow, now)
}

// hasRoomLocked refuses a receiver that has as many requests under way as it may, and in the fast lane one that hangs.
func (l *Lanes) hasRoomLocked(receiver string, slow bool, now time.Time) bool {
	lane := l.lane(slow)
	return (slow || !lane.hangs(receiver, now)) && lane.busy[receiver].count < lane.limit(l.concurrency)
}

// hangs says that a receiver keeps a request waiting for so long that it must be hanging.
func (l *lane) hangs(receiver string, now time.Time) bool {
	under := l.busy[receiver]
	return under.count > 1 && now.Sub(under.oldest.since) > timing.Hanging
}

// limit is how many slots one receiver may have. Half of the lane is for whoever comes first; when it is taken, the
// receivers in the lane have equal shares of it, so that those who come find the other half free.
func (l *lane) limit(concurrency int) int {
	half := l.slots / 2
	if l.taken < half {
		return min(concurrency, half)
	}
	return min(concurrency, max(1, half/max(1, len(l.busy))))
}
