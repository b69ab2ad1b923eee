package bench

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
		want       account
	}{
		{
			"everything arrives", 1, []bool{true, true, true},
			[]arrival{{0, 0, "a", 2 * s}, {2, 0, "c", 5 * s}, {1, 0, "b", 4 * s}}, nil,
			account{published: 2, accepted: 2, expected: 3, arrived: 2, delivered: 2,
				latencies: []time.Duration{2 * s, 2 * s}, arrivals: []time.Duration{4 * s, 5 * s}, ids: []string{"b", "c"}},
		},
		{
			"one of the warm-up is lost, too", 1, []bool{true, true},
			[]arrival{{1, 0, "b", 3 * s}}, nil,
			account{published: 1, accepted: 1, expected: 2, lost: 1, arrived: 1, delivered: 1,
				latencies: []time.Duration{s}, arrivals: []time.Duration{3 * s}, ids: []string{"b"}},
		},
		{
			"a second arrival is a duplicate and no delivery", 1, []bool{true, true},
			[]arrival{{0, 0, "a", 2 * s}, {1, 0, "b", 3 * s}, {1, 0, "b", 9 * s}}, nil,
			account{published: 1, accepted: 1, expected: 2, duplicated: 1, arrived: 1, delivered: 1,
				latencies: []time.Duration{s}, arrivals: []time.Duration{3 * s}, ids: []string{"b"}},
		},
		{
			"what was not accepted need not arrive", 1, []bool{true, false},
			[]arrival{{0, 0, "a", 2 * s}}, nil,
			account{published: 1, rejected: 1, expected: 1},
		},
		{
			"each webhook counts", 3, []bool{true, true},
			[]arrival{{0, 0, "a", s}, {0, 1, "b", s}, {0, 2, "c", s}, {1, 0, "d", 3 * s}, {1, 2, "f", 4 * s}}, nil,
			account{published: 1, accepted: 1, expected: 6, lost: 1, arrived: 2, delivered: 2,
				latencies: []time.Duration{s, 2 * s}, arrivals: []time.Duration{3 * s, 4 * s}, ids: []string{"d", "f"}},
		},
		{
			"some are measured, all must arrive", 2, []bool{true, true},
			[]arrival{{0, 0, "a", s}, {0, 1, "b", s}, {1, 0, "c", 3 * s}, {1, 1, "d", 9 * s}}, healthy,
			account{published: 1, accepted: 1, expected: 4, arrived: 2, delivered: 1,
				latencies: []time.Duration{s}, arrivals: []time.Duration{3 * s}, ids: []string{"c"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger()
			for n, accepted := range test.accepted {
				if n == 1 {
					l.measure()
				}
				number, e := l.open(time.Duration(n+1)*s, 0, test.deliveries)
				require.Equal(t, n, number)
				l.answer(e, accepted)
			}
			for _, a := range test.arrivals {
				require.True(t, l.arrive(a.event, a.webhook, a.id, a.at))
			}
			got := l.reconcile(test.counts)
			require.Len(t, got.answers, got.accepted)
			got.answers = nil
			require.Equal(t, test.want, got)
			_, _, missing := l.progress()
			require.Equal(t, test.want.lost, missing)
		})
	}
}

// A publisher that got no answer does not know whether its event was stored.
func TestArrivalOfWhatWasNotAccepted(t *testing.T) {
	t.Parallel()
	l := newLedger()
	_, e := l.open(0, 0, 2)
	l.answer(e, false)
	<-e.complete
	require.True(t, l.arrive(0, 0, "dlv_1", time.Second))
	require.True(t, l.arrive(0, 1, "dlv_2", time.Second))
	_, arrived, missing := l.progress()
	require.Equal(t, 2, arrived)
	require.Zero(t, missing)
	require.Zero(t, l.reconcile(nil).expected)
}

func TestLedgerKnowsItsOwn(t *testing.T) {
	t.Parallel()
	l := newLedger()
	_, e := l.open(0, 4, 1)
	for _, a := range []arrival{{event: 1, webhook: 4}, {event: -1, webhook: 4}, {event: 0, webhook: 3}, {event: 0, webhook: 5}} {
		require.False(t, l.arrive(a.event, a.webhook, "dlv_1", time.Second))
	}
	select {
	case <-e.complete:
		require.Fail(t, "complete without its delivery")
	default:
	}
	require.True(t, l.arrive(0, 4, "dlv_1", time.Second))
	<-e.complete
}
