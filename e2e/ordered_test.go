package e2e

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// How many events TestOrdered publishes.
var orderedEvents = flag.Int("ordered.events", 500, "how many events TestOrdered publishes")

// inOrder publishes events from several publishers at once through two processes, and knows in which order they were
// published: one that was answered before another was asked for comes before it.
type inOrder struct {
	fleet []*installation
	owner string
	next  atomic.Int64
	// asked and answered are by event.
	asked, answered []time.Time
}

// publishAll returns when every event is published. A publisher whose process was killed asks the other one.
func (o *inOrder) publishAll(t *testing.T) {
	var all sync.WaitGroup
	for publisher := range 8 {
		all.Go(func() {
			for {
				n := int(o.next.Add(1) - 1)
				if n >= len(o.asked) {
					return
				}
				o.publish(t, n, publisher)
			}
		})
	}
	all.Wait()
}

func (o *inOrder) publish(t *testing.T, n, publisher int) {
	o.asked[n] = time.Now()
	body := object{"event": "order.created", "owner_id": o.owner, "data": object{"n": n}}
	header := http.Header{"Idempotency-Key": {strconv.Itoa(n)}}
	deadline := time.Now().Add(2 * patience)
	for try := 0; time.Now().Before(deadline); try++ {
		status, _, err := o.fleet[(n+publisher+try)%len(o.fleet)].ask(t, http.MethodPost, "/api/events", body, header)
		if err == nil && status == http.StatusAccepted {
			o.answered[n] = time.Now()
			return
		}
	}
	t.Errorf("event %d cannot be published", n)
}

// requireInOrder says that events are in the order in which they were published.
func (o *inOrder) requireInOrder(t *testing.T, name string, events []int) {
	t.Helper()
	var latest time.Time
	before := -1
	for _, n := range events {
		require.False(t, o.answered[n].Before(latest), "%s: event %d was published before event %d, which arrived earlier", name, n, before)
		if o.asked[n].After(latest) {
			latest, before = o.asked[n], n
		}
	}
}

// fickle is a receiver that refuses one request in twenty, and those events that it is told to.
type fickle struct {
	*receiver
	mu sync.Mutex
	// refuses says which events it refuses always, seen counts them.
	refuses func(n int) bool
	// arrived are the events in the order in which they first succeeded.
	arrived []int
	had     map[int]bool
}

func newFickle(t *testing.T, refuses func(n int) bool) *fickle {
	t.Helper()
	f := &fickle{refuses: refuses, had: map[int]bool{}}
	f.receiver = newReceiver(t, func(i int, _ *http.Request) answer {
		n := eventNumber(t, f.all()[i-1])
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.refuses(n) || rand.N(20) == 0 {
			return answer{status: http.StatusInternalServerError}
		}
		if !f.had[n] {
			f.had[n] = true
			f.arrived = append(f.arrived, n)
		}
		return answer{status: http.StatusOK}
	})
	return f
}

func eventNumber(t *testing.T, r request) int {
	t.Helper()
	var body struct{ Data struct{ N int } }
	if err := json.Unmarshal(r.body, &body); err != nil {
		t.Errorf("a request's body: %s", err)
	}
	return body.Data.N
}

func (f *fickle) events() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]int(nil), f.arrived...)
}

func (f *fickle) relent() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuses = func(int) bool { return false }
}

func awaitArrived(t *testing.T, f *fickle, events int) {
	t.Helper()
	eventuallyWithin(t, 4*patience, func() bool { return len(f.events()) >= events }, "fewer than %d events arrive", events)
}

// TestOrdered publishes from eight publishers at once over two processes, of which each is killed once, to receivers that
// fail at random: deliveries of an ordered webhook arrive for the first time in the order of publishing, and none is lost,
// also where first attempts need no workflow. One webhook waits for what is given up, one skips it, one has no order.
func TestOrdered(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"workflow", "direct"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			fleet := newFleet(t, 2, "POSTRIDER_FIRST_ATTEMPT="+mode)
			p, total := fleet[0], *orderedEvents
			held, skipped := total/2, func(n int) bool { return n%50 == 7 }
			waits := newFickle(t, func(n int) bool { return n == held })
			skips := newFickle(t, skipped)
			others := newFickle(t, func(int) bool { return false })
			o := &inOrder{fleet: fleet, owner: p.newOwner(t, nil), asked: make([]time.Time, total), answered: make([]time.Time, total)}
			retries := []string{"1s", "1s", "1s", "1s"}
			waiting := p.newWebhook(t, o.owner, waits.url, object{"ordered": true, "retry_schedule": retries})
			skipping := p.newWebhook(t, o.owner, skips.url, object{"ordered": true, "on_failure": "skip", "retry_schedule": []string{"1s"}})
			p.newWebhook(t, o.owner, others.url, object{"retry_schedule": retries})

			var publishing sync.WaitGroup
			publishing.Go(func() { o.publishAll(t) })
			for n, at := range []int{total / 10, total / 5} {
				awaitArrived(t, waits, at)
				fleet[n].killPostrider()
				fleet[n].start(t)
			}
			publishing.Wait()
			awaitArrived(t, others, total)

			// The queue that waits stands until someone resends what it waits for.
			var given delivery
			eventuallyWithin(t, 4*patience, func() bool {
				found := p.list(t, "/api/deliveries?status=permanently_failed&webhook_id="+waiting.ID)
				if len(found) > 0 {
					given = found[0]
				}
				return len(found) > 0
			}, "nothing is given up")
			p.settled(t)
			arrived := len(waits.events())
			require.Less(t, arrived, total)
			next := p.list(t, "/api/deliveries?status=pending&limit=250&webhook_id="+waiting.ID)
			require.Len(t, next, total-arrived-1)
			require.Equal(t, given.ID, *next[0].WaitsFor)
			waits.relent()
			p.resend(t, given.ID)
			awaitArrived(t, waits, total)
			o.requireInOrder(t, "wait", waits.events())
			require.Len(t, waits.events(), total)

			// The one that skips has all but what was given up.
			eventuallyWithin(t, 4*patience, func() bool {
				return len(p.list(t, "/api/deliveries?status=pending,failed&limit=250&webhook_id="+skipping.ID)) == 0
			}, "the queue does not end")
			gone := len(p.list(t, "/api/deliveries?status=permanently_failed&limit=250&webhook_id="+skipping.ID))
			require.GreaterOrEqual(t, gone, (total+42)/50)
			require.Len(t, skips.events(), total-gone)
			o.requireInOrder(t, "skip", skips.events())
			require.Len(t, others.events(), total, "without an order nothing waits")
			t.Logf("%d events; %d, %d and %d requests; %d given up where they are skipped",
				total, waits.count(), skips.count(), others.count(), gone)
		})
	}
}
