package load

import (
	"sync"
	"time"
)

// Ledger compares what was published with what arrived. Times count from its creation.
type Ledger struct {
	began time.Time

	mu     sync.Mutex
	events []*Event
	// measuredFrom is the first event that counts; earlier ones are the warm-up.
	measuredFrom int
	// arrivals counts first arrivals, duplicated those beyond, refusals the requests that were refused on
	// purpose.
	arrivals, duplicated, refusals int
	// missing are the deliveries that have not arrived.
	missing int
}

// Event is one published event. Its deliveries go to the webhooks from first on.
type Event struct {
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
	// Complete is closed when nothing is missing.
	Complete chan struct{}
}

func newLedger() *Ledger { return &Ledger{began: time.Now()} }

// Now is the time since the ledger began.
func (l *Ledger) Now() time.Duration { return time.Since(l.began) }

// Open records an event before it is published and returns its number.
func (l *Ledger) Open(due time.Duration, first, deliveries int) (int, *Event) {
	e := &Event{
		due: due, first: first, missing: deliveries, Complete: make(chan struct{}),
		arrived: make([]time.Duration, deliveries), ids: make([]string, deliveries),
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
	l.missing += deliveries
	return len(l.events) - 1, e
}

// Answer records how publishing ended.
func (l *Ledger) Answer(e *Event, accepted bool) {
	at := l.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	e.answered, e.accepted = at, accepted
	if !accepted && e.missing > 0 {
		l.missing -= e.missing
		e.missing = 0
		close(e.Complete) // nobody waits for it
	}
}

// Arrive records a delivery that a receiver accepted. It says whether the ledger knows the event.
func (l *Ledger) Arrive(n, webhook int, id string, at time.Duration) bool {
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
		close(e.Complete)
	}
	return true
}

func (l *Ledger) refuse() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusals++
}

// Measure makes events count that are published from now on, and returns the present time.
func (l *Ledger) Measure() time.Duration {
	at := l.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.measuredFrom = len(l.events)
	return at
}

// Progress is how much has been published and has arrived so far, and how much is still to arrive.
func (l *Ledger) Progress() (published, arrived, missing int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.events), l.arrivals, l.missing
}

// Account is the reconciliation.
type Account struct {
	// Published and accepted count measured events, rejected those that were not answered with 202.
	Published, Accepted, Rejected int
	// Expected are the deliveries of all accepted events, lost those that did not arrive.
	Expected, Lost, Duplicated, Refusals int
	// Arrived are the deliveries of measured events that did, delivered those of them to webhooks that count:
	// latencies is how long these took from when publishing was due. answers is how long each 202 took from then.
	Arrived, Delivered int
	Latencies, Answers []time.Duration
	// Arrivals are when they arrived, ids their deliveries' IDs.
	Arrivals []time.Duration
	IDs      []string
}

// Reconcile compares what was accepted with what arrived. counts, unless nil, picks the webhooks whose
// deliveries are measured; all are checked for losses.
func (l *Ledger) Reconcile(counts func(webhook int) bool) Account {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := Account{Duplicated: l.duplicated, Refusals: l.refusals}
	for n, e := range l.events {
		measured := n >= l.measuredFrom
		if measured {
			a.Published++
		}
		if !e.accepted {
			a.Rejected++
			continue
		}
		if measured {
			a.Accepted++
			a.Answers = append(a.Answers, e.answered-e.due)
		}
		for k, at := range e.arrived {
			a.Expected++
			if at == 0 {
				a.Lost++
				continue
			}
			if !measured {
				continue
			}
			a.Arrived++
			if counts == nil || counts(e.first+k) {
				a.Delivered++
				a.Latencies = append(a.Latencies, at-e.due)
				if e.ids[k] != "" {
					a.IDs = append(a.IDs, e.ids[k])
				}
				a.Arrivals = append(a.Arrivals, at)
			}
		}
	}
	return a
}
