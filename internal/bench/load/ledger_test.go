package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// arrival is a delivery in a test of the ledger.
type arrival struct {
	event, webhook int
	id             string
	at             time.Duration
}

func TestReconciliation(t *testing.T) {
	t.Parallel()
	const s = time.Second
	// The events are due after 1, 2, 3 … seconds. The first warms up.
	tests := []struct {
		name       string
		deliveries int
		accepted   []bool
		arrivals   []arrival
		counts     func(int) bool
		want       Account
	}{
		{
			"everything arrives", 1, []bool{true, true, true},
			[]arrival{{0, 0, "a", 2 * s}, {2, 0, "c", 5 * s}, {1, 0, "b", 4 * s}}, nil,
			Account{Published: 2, Accepted: 2, Expected: 3, Arrived: 2, Delivered: 2,
				Latencies: []time.Duration{2 * s, 2 * s}, Arrivals: []time.Duration{4 * s, 5 * s}, IDs: []string{"b", "c"}},
		},
		{
			"one of the warm-up is lost, too", 1, []bool{true, true},
			[]arrival{{1, 0, "b", 3 * s}}, nil,
			Account{Published: 1, Accepted: 1, Expected: 2, Lost: 1, Arrived: 1, Delivered: 1,
				Latencies: []time.Duration{s}, Arrivals: []time.Duration{3 * s}, IDs: []string{"b"}},
		},
		{
			"a second arrival is a duplicate and no delivery", 1, []bool{true, true},
			[]arrival{{0, 0, "a", 2 * s}, {1, 0, "b", 3 * s}, {1, 0, "b", 9 * s}}, nil,
			Account{Published: 1, Accepted: 1, Expected: 2, Duplicated: 1, Arrived: 1, Delivered: 1,
				Latencies: []time.Duration{s}, Arrivals: []time.Duration{3 * s}, IDs: []string{"b"}},
		},
		{
			"what was not accepted need not arrive", 1, []bool{true, false},
			[]arrival{{0, 0, "a", 2 * s}}, nil,
			Account{Published: 1, Rejected: 1, Expected: 1},
		},
		{
			"each webhook counts", 3, []bool{true, true},
			[]arrival{{0, 0, "a", s}, {0, 1, "b", s}, {0, 2, "c", s}, {1, 0, "d", 3 * s}, {1, 2, "f", 4 * s}}, nil,
			Account{Published: 1, Accepted: 1, Expected: 6, Lost: 1, Arrived: 2, Delivered: 2,
				Latencies: []time.Duration{s, 2 * s}, Arrivals: []time.Duration{3 * s, 4 * s}, IDs: []string{"d", "f"}},
		},
		{
			"some are measured, all must arrive", 2, []bool{true, true},
			[]arrival{{0, 0, "a", s}, {0, 1, "b", s}, {1, 0, "c", 3 * s}, {1, 1, "d", 9 * s}}, func(webhook int) bool { return webhook%2 == 0 },
			Account{Published: 1, Accepted: 1, Expected: 4, Arrived: 2, Delivered: 1,
				Latencies: []time.Duration{s}, Arrivals: []time.Duration{3 * s}, IDs: []string{"c"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger()
			for n, accepted := range test.accepted {
				if n == 1 {
					l.Measure()
				}
				number, e := l.Open(time.Duration(n+1)*s, 0, test.deliveries)
				require.Equal(t, n, number)
				l.Answer(e, accepted)
			}
			for _, a := range test.arrivals {
				require.True(t, l.Arrive(a.event, a.webhook, a.id, a.at))
			}
			got := l.Reconcile(test.counts)
			require.Len(t, got.Answers, got.Accepted)
			got.Answers = nil
			require.Equal(t, test.want, got)
			_, _, missing := l.Progress()
			require.Equal(t, test.want.Lost, missing)
		})
	}
}

// A publisher that got no answer does not know whether its event was stored.
func TestArrivalOfWhatWasNotAccepted(t *testing.T) {
	t.Parallel()
	l := newLedger()
	_, e := l.Open(0, 0, 2)
	l.Answer(e, false)
	<-e.Complete
	require.True(t, l.Arrive(0, 0, "dlv_1", time.Second))
	require.True(t, l.Arrive(0, 1, "dlv_2", time.Second))
	_, arrived, missing := l.Progress()
	require.Equal(t, 2, arrived)
	require.Zero(t, missing)
	require.Zero(t, l.Reconcile(nil).Expected)
}

func TestLedgerKnowsItsOwn(t *testing.T) {
	t.Parallel()
	l := newLedger()
	_, e := l.Open(0, 4, 1)
	for _, a := range []arrival{{event: 1, webhook: 4}, {event: -1, webhook: 4}, {event: 0, webhook: 3}, {event: 0, webhook: 5}} {
		require.False(t, l.Arrive(a.event, a.webhook, "dlv_1", time.Second))
	}
	select {
	case <-e.Complete:
		require.Fail(t, "complete without its delivery")
	default:
	}
	require.True(t, l.Arrive(0, 4, "dlv_1", time.Second))
	<-e.Complete
}
