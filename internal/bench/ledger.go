package bench

import (
	"sync"
	"time"
)

// ledger holds what was published against what arrived. Times are counted from its beginning.
type ledger struct {
	began time.Time

	mu     sync.Mutex
	events []*event
	// measuredFrom is the first event that counts; those before it warm everything up.
	measuredFrom int
	// arrivals counts first arrivals, duplicated those beyond, refusals the requests that were refused on
	// purpose.
	arrivals, duplicated, refusals int
	// missing are the deliveries that have not arrived.
	missing int
}

// event is one published event. Its deliveries go to the webhooks from first on.
type event struct {
	due      time.Duration
	answered time.Duration
	// accepted says that it was answered with 202.
	accepted bool
	first    int
	// arrived holds one time for each delivery, 0 until it arrives.
	arrived []time.Duration
	// ids are the deliveries' IDs.
	ids     []string
	missing int
	// complete is closed when nothing is missing.
	complete chan struct{}
}

func newLedger() *ledger { return &ledger{began: time.Now()} }

func (l *ledger) now() time.Duration { return time.Since(l.began) }

// open enters an event before it is published and returns its number.
func (l *ledger) open(due time.Duration, first, deliveries int) (int, *event) {
	e := &event{
		due: due, first: first, missing: deliveries, complete: make(chan struct{}),
		arrived: make([]time.Duration, deliveries), ids: make([]string, deliveries),
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
	l.missing += deliveries
	return len(l.events) - 1, e
}

// answer enters how publishing ended.
func (l *ledger) answer(e *event, accepted bool) {
	at := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	e.answered, e.accepted = at, accepted
	if !accepted && e.missing > 0 {
		l.missing -= e.missing
		e.missing = 0
		close(e.complete) // nobody waits for it
	}
}

// arrive enters a delivery that a receiver took. It says whether the ledger knows of the event.
func (l *ledger) arrive(n, webhook int, id string, at time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < 0 || n >= len(l.events) {
		return false
	}
	e := l.events[n]
	k := webhook - e.first
	if k < 0 || k >= len(e.arrived) {
		return false
	}
	if e.arrived[k] != 0 {
		l.duplicated++
		return true
	}
	e.arrived[k], e.ids[k] = at, id
	l.arrivals++
	if e.missing == 0 {
		return true // nobody waits for it: it was not accepted, as far as its publisher knows
	}
	l.missing--
	if e.missing--; e.missing == 0 {
		close(e.complete)
	}
	return true
}

func (l *ledger) refuse() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusals++
}

// measure lets everything count that is published from now on, and returns when that is.
func (l *ledger) measure() time.Duration {
	at := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.measuredFrom = len(l.events)
	return at
}

// progress is how much has been published and has arrived so far, and how much is still to arrive.
func (l *ledger) progress() (published, arrived, missing int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.events), l.arrivals, l.missing
}

// account is the reconciliation.
type account struct {
	// published and accepted count measured events, rejected those that were not answered with 202.
	published, accepted, rejected int
	// expected are the deliveries of all accepted events, lost those that did not arrive.
	expected, lost, duplicated, refusals int
	// arrived are the deliveries of measured events that did, delivered those of them to webhooks that count:
	// latencies is how long these took from when publishing was due. answers is how long each 202 took from then.
	arrived, delivered int
	latencies, answers []time.Duration
	// arrivals are when they arrived, ids their deliveries' IDs.
	arrivals []time.Duration
	ids      []string
}

// reconcile compares what was accepted with what arrived. counts, unless nil, picks the webhooks whose
// deliveries are measured; all are checked for losses.
func (l *ledger) reconcile(counts func(webhook int) bool) account {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := account{duplicated: l.duplicated, refusals: l.refusals}
	for n, e := range l.events {
		measured := n >= l.measuredFrom
		if measured {
			a.published++
		}
		if !e.accepted {
			a.rejected++
			continue
		}
		if measured {
			a.accepted++
			a.answers = append(a.answers, e.answered-e.due)
		}
		for k, at := range e.arrived {
			a.expected++
			if at == 0 {
				a.lost++
				continue
			}
			if !measured {
				continue
			}
			a.arrived++
			if counts == nil || counts(e.first+k) {
				a.delivered++
				a.latencies = append(a.latencies, at-e.due)
				if e.ids[k] != "" {
					a.ids = append(a.ids, e.ids[k])
				}
				a.arrivals = append(a.arrivals, at)
			}
		}
	}
	return a
}
