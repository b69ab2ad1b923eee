package console

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/service"
)

// What was told is kept for twenty times as long as it took, for those who ask for the same; who gets it is told when to ask again.
func TestWhatWasToldIsKept(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	told, asked := newTold(func() time.Time { return now }), 0
	tell := func(context.Context) (service.Overview, error) {
		asked++
		now = now.Add(100 * time.Millisecond)
		return service.Overview{Points: make([]service.Point, asked)}, nil
	}
	ask := func(key string) (points int, again time.Duration) {
		overview, again, err := told.of(t.Context(), key, tell)
		require.NoError(t, err)
		return len(overview.Points), again
	}
	points, again := ask("a")
	require.Equal(t, 1, points)
	require.Zero(t, again, "it is new")
	now = now.Add(500 * time.Millisecond)
	points, again = ask("a")
	require.Equal(t, 1, points)
	require.Equal(t, 1500*time.Millisecond, again)
	points, _ = ask("b")
	require.Equal(t, 2, points)
	now = now.Add(1500 * time.Millisecond)
	points, again = ask("a")
	require.Equal(t, 3, points)
	require.Zero(t, again)
	now = now.Add(time.Minute)
	ask("c")
	require.Len(t, told.answer, 1, "what is old is forgotten")
}

// Those who ask while an answer is made wait for that one, unless they go away; an error is not kept.
func TestOneAnswerForAllWhoAskMeanwhile(t *testing.T) {
	t.Parallel()
	told, release, asked := newTold(time.Now), make(chan struct{}), 0
	broken := errors.New("broken")
	tell := func(context.Context) (service.Overview, error) {
		asked++
		<-release
		return service.Overview{}, broken
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 5 {
		_, _, err := told.of(gone, "a", tell)
		require.ErrorIs(t, err, context.Canceled)
	}
	close(release)
	<-told.answer["a"].ended
	require.Equal(t, 1, asked)
	require.ErrorIs(t, told.answer["a"].err, broken)
	_, again, err := told.of(t.Context(), "a", func(context.Context) (service.Overview, error) { return service.Overview{}, nil })
	require.NoError(t, err)
	require.Zero(t, again)
}

// What one owner was told, no other is.
func TestOwnersAreToldOfTheirOwn(t *testing.T) {
	t.Parallel()
	for _, of := range []asked{{name: "24h"}, {from: time.Unix(1, 0), to: time.Unix(2, 0)}} {
		keys := map[string]bool{}
		for _, owner := range []string{"", "own_a", "own_b"} {
			keys[of.key(service.Caller{OwnerID: owner})] = true
		}
		require.Len(t, keys, 3)
	}
}
