package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"
)

// result is the comparison of what was accepted with what was received.
type result struct {
	load   *load
	faults []*fault
	// lost are events that did not arrive everywhere, unfinished the statuses of deliveries that the API does
	// not show as delivered.
	lost, unfinished []string
	duplicates       []duplicate
	unexplained      []string

	events, accepted, acceptedAgain, refused, unanswered int
	requests, failed, interrupted, restarts              int
}

// duplicate is a request that repeats an attempt, or follows a success.
type duplicate struct {
	earlier, again visit
	// cause is nil when no fault explains it.
	cause *fault
}

func reconcile(s *site, l *load, faults []*fault) *result {
	s.t.Helper()
	r := &result{load: l, faults: faults, restarts: s.restarts()}
	for _, status := range []string{"pending", "failed", "permanently_failed", "cancelled"} {
		// What has arrived may be on its way into the log still: of a first attempt, or of a retry.
		ends := status != "pending" && status != "failed"
		eventually(s.t, func() bool { return ends || len(l.list(status)) == 0 }, "deliveries stay %s", status)
		for _, id := range l.list(status) {
			r.unfinished = append(r.unfinished, status+" "+id)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	ids := map[string]bool{}
	for n, event := range l.events {
		r.events++
		r.refused += event.refused
		r.unanswered += event.unanswered
		r.acceptedAgain += event.acceptedAgain
		if !event.accepted.IsZero() {
			r.accepted++
			ids[event.id] = true
		}
		if !event.complete() {
			r.lost = append(r.lost, fmt.Sprintf("event %d (%s)", n, event.id))
		}
	}
	require.Len(s.t, ids, r.accepted, "every event has an ID of its own")
	r.findDuplicates()
	return r
}

// list returns the IDs of up to 250 deliveries with a status.
func (l *load) list(status string) []string {
	l.t.Helper()
	request, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet,
		l.site.deployment.URL(0)+"/api/deliveries?limit=250&status="+status, nil)
	require.NoError(l.t, err)
	request.Header.Set("Authorization", "Bearer "+l.site.adminKey)
	response, err := l.client.Do(request)
	require.NoError(l.t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(l.t, err)
	require.Equal(l.t, http.StatusOK, response.StatusCode, "%s", answer)
	var page struct{ Data []struct{ ID string } }
	require.NoError(l.t, json.Unmarshal(answer, &page))
	var ids []string
	for _, delivery := range page.Data {
		ids = append(ids, delivery.ID)
	}
	return ids
}

func (r *result) findDuplicates() {
	visits := slices.Clone(r.load.visits)
	slices.SortFunc(visits, func(a, b visit) int { return a.began.Compare(b.began) })
	earlier := map[string][]visit{}
	for _, v := range visits {
		r.requests++
		switch v.status {
		case 0:
			r.interrupted++
		case http.StatusOK:
		default:
			r.failed++
		}
		for _, before := range slices.Backward(earlier[v.delivery]) {
			if before.attempt != v.attempt && !before.succeeded() {
				continue
			}
			d := duplicate{earlier: before, again: v, cause: r.cause(before)}
			r.duplicates = append(r.duplicates, d)
			if d.cause == nil {
				r.unexplained = append(r.unexplained, fmt.Sprintf("event %d at receiver %d: attempt %s at %s (%d), attempt %s at %s",
					v.event, v.receiver, before.attempt, before.began.Format(timeOfDay), before.status, v.attempt, v.began.Format(timeOfDay)))
			}
			break
		}
		earlier[v.delivery] = append(earlier[v.delivery], v)
	}
}

const timeOfDay = "15:04:05.000"

// cause finds the fault during an attempt. An attempt begins a moment before the request arrives, when it is
// loaded, and ends a moment after the answer, when its outcome is stored and Temporal knows.
func (r *result) cause(attempt visit) *fault {
	const before, after = 500 * time.Millisecond, time.Second
	for _, f := range r.faults {
		if !f.kind.harmless && attempt.began.Add(-before).Before(f.restored) && attempt.ended.Add(after).After(f.at) {
			return f
		}
	}
	return nil
}

// slowest is the longest that a delivery took after a fault, until the next: from its acceptance or the
// fault, whichever was later, to the receiver's success. Retries of the receivers' failures are in it.
func (l *load) slowest(f *fault) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var most time.Duration
	for _, event := range l.events {
		if event.accepted.IsZero() || event.tried.After(f.restored) {
			continue
		}
		for _, at := range event.arrived {
			if at.After(f.at) {
				most = max(most, at.Sub(latest(event.accepted, f.base())))
			}
		}
	}
	return most
}

// refusal is the longest that a publisher waited for the 202 after a fault.
func (l *load) refusal(f *fault) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var most time.Duration
	for _, event := range l.events {
		if event.accepted.After(f.at) && !event.tried.After(f.restored) {
			most = max(most, event.accepted.Sub(latest(event.tried, f.at)))
		}
	}
	return most
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// describe is one line about a fault that is over.
func (l *load) describe(f *fault) string {
	return fmt.Sprintf("%s  %-32s runs again after %5.1f s, slowest delivery %5.1f s, slowest 202 %5.1f s",
		f.at.Format("15:04:05"), f.what, f.restored.Sub(f.at).Seconds(), l.slowest(f).Seconds(), l.refusal(f).Seconds())
}

// kindResult sums up the faults of a kind.
type kindResult struct {
	count, duplicates          int
	back, delivery, acceptance []time.Duration
}

func (r *result) in(kind *faultKind) kindResult {
	var sum kindResult
	for _, f := range r.faults {
		if f.kind != kind {
			continue
		}
		sum.count++
		sum.back = append(sum.back, f.restored.Sub(f.at))
		sum.delivery = append(sum.delivery, r.load.slowest(f))
		sum.acceptance = append(sum.acceptance, r.load.refusal(f))
		for _, d := range r.duplicates {
			within := d.again.began.After(f.at) && d.again.began.Before(f.settled)
			if d.cause == f || (kind.harmless && d.cause == nil && within) {
				sum.duplicates++
			}
		}
	}
	return sum
}

// table is the report.
func (r *result) table() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	line := func(cells ...any) {
		for _, cell := range cells {
			_, _ = fmt.Fprintf(w, "%v\t", cell)
		}
		_, _ = fmt.Fprintln(w)
	}
	line("fault", "times", "runs again: median", "most", "slowest delivery: median", "most", "slowest 202: median", "most", "duplicates")
	kinds := map[*faultKind]bool{}
	for _, f := range r.faults {
		kinds[f.kind] = true
	}
	sorted := make([]*faultKind, 0, len(kinds))
	for kind := range kinds {
		sorted = append(sorted, kind)
	}
	slices.SortFunc(sorted, func(a, b *faultKind) int { return cmp.Compare(a.name, b.name) })
	kills := 0
	for _, kind := range sorted {
		k := r.in(kind)
		if kind.kill {
			kills += k.count
		}
		line(kind.name, k.count, median(k.back), most(k.back), median(k.delivery), most(k.delivery),
			median(k.acceptance), most(k.acceptance), k.duplicates)
	}
	_ = w.Flush()
	_, _ = fmt.Fprintf(&text, "\n%d events published, %d accepted, %d of them found accepted already when asked again\n"+
		"publishers: %d answers 503, %d requests without an answer, all repeated\n"+
		"receivers: %d requests, %d refused on purpose, %d broken off by the sender's death\n"+
		"kills %d, processes that ended by themselves %d\n"+
		"lost %d, duplicates %d, of them unexplained %d\n",
		r.events, r.accepted, r.acceptedAgain, r.refused, r.unanswered, r.requests, r.failed, r.interrupted,
		kills, r.restarts, len(r.lost), len(r.duplicates), len(r.unexplained))
	return text.String()
}

func median(all []time.Duration) string {
	sorted := slices.Sorted(slices.Values(all))
	return fmt.Sprintf("%.1f s", sorted[len(sorted)/2].Seconds())
}

func most(all []time.Duration) string { return fmt.Sprintf("%.1f s", slices.Max(all).Seconds()) }
