package console

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

// feed is what a database has.
type feed struct {
	mu      sync.Mutex
	changes []models.Change
	err     error
}

func (f *feed) look(context.Context, func(string) bool) ([]models.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changes, f.err
}

func (f *feed) add(key, ownerID string, about ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes = append(f.changes, models.Change{Key: key, OwnerID: ownerID, About: about})
}

func hubOf(t *testing.T, f *feed) (*hub, func(ownerID string, topics ...string) *viewer) {
	t.Helper()
	h := newHub(f.look, time.Now, slog.New(slog.DiscardHandler))
	h.stop = func() {} // the test looks itself
	t.Cleanup(h.close)
	return h, func(ownerID string, topics ...string) *viewer {
		v := &viewer{ownerID: ownerID, topics: topics, changed: make(chan struct{}, 1)}
		_, ok := h.follow(v)
		require.True(t, ok)
		return v
	}
}

func (v *viewer) heard() bool {
	select {
	case <-v.changed:
		return true
	default:
		return false
	}
}

// Viewers hear of what is new and concerns them, once, and never of another owner's.
func TestHubTellsWhomItConcerns(t *testing.T) {
	t.Parallel()
	f := &feed{}
	f.add("old", "own_a", "dlv_1", "deliveries")
	h, view := hubOf(t, f)
	all, mine, theirs, one, other := view("", "deliveries"), view("own_a", "deliveries"), view("own_b", "deliveries", "dlv_1"), view("", "dlv_1"), view("", "dlv_2")
	h.lookOnce(t.Context())
	for _, v := range []*viewer{all, mine, theirs, one, other} {
		require.False(t, v.heard(), "the first look learns only")
	}
	f.add("new", "own_a", "dlv_1", "deliveries")
	at := h.position()
	h.lookOnce(t.Context())
	require.NotEqual(t, at, h.position())
	require.True(t, all.heard())
	require.True(t, mine.heard())
	require.True(t, one.heard())
	require.False(t, theirs.heard(), "another owner's")
	require.False(t, other.heard(), "another delivery")
	h.lookOnce(t.Context())
	require.False(t, all.heard(), "once")
}

// A database that is away for a while changes nothing but that nobody hears of anything.
func TestHubOutlivesItsDatabase(t *testing.T) {
	t.Parallel()
	f := &feed{}
	h, view := hubOf(t, f)
	v := view("", "*")
	h.lookOnce(t.Context())
	f.err = errors.New("away")
	h.lookOnce(t.Context())
	f.err = nil
	f.add("new", "own_a", "dlv_1")
	h.lookOnce(t.Context())
	require.True(t, v.heard())
}

// Streams are bounded in number, and end with the process.
func TestHubIsBounded(t *testing.T) {
	t.Parallel()
	h, view := hubOf(t, &feed{})
	var last *viewer
	for range mostStreams {
		last = view("", "*")
	}
	_, ok := h.follow(&viewer{changed: make(chan struct{}, 1)})
	require.False(t, ok)
	h.close()
	_, open := <-last.changed
	require.False(t, open)
	_, ok = h.follow(&viewer{changed: make(chan struct{}, 1)})
	require.False(t, ok)
}
