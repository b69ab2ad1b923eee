package gormstore_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/receiver/gormstore"
)

// Two Handlers with a store and a pool each are what two processes are to the
// database.
func twoProcesses(t *testing.T, url string, now func() time.Time, f receiver.Func) [2]*receiver.Handler {
	t.Helper()
	var handlers [2]*receiver.Handler
	for i := range handlers {
		handlers[i] = newHandler(t, newStore(t, url), now)
		handlers[i].On("order.created", f)
	}
	return handlers
}

func TestCopiesAtOnceAreHandledOnce(t *testing.T) {
	t.Parallel()
	header := signed(t)
	testdb.Each(t, func(t *testing.T, url string) {
		const copies = 100
		handled := make(chan struct{}, copies)
		release := make(chan struct{})
		handlers := twoProcesses(t, url, new(clock).now, func(context.Context, receiver.Event) error {
			handled <- struct{}{}
			<-release // so that all other copies arrive meanwhile
			return nil
		})

		answers := make(chan *httptest.ResponseRecorder)
		for i := range copies {
			go func() { answers <- post(handlers[i%2], header) }()
		}
		for range copies - 1 {
			w := <-answers
			require.Equal(t, http.StatusServiceUnavailable, w.Code)
			seconds, err := strconv.Atoi(w.Header().Get("Retry-After"))
			require.NoError(t, err)
			require.Positive(t, seconds)
		}
		close(release)
		require.Equal(t, http.StatusOK, (<-answers).Code)
		for _, h := range handlers {
			require.Equal(t, http.StatusOK, post(h, header).Code)
		}
		require.Len(t, handled, 1)
	})
}

func TestRetriesAreHandledByTheOtherProcess(t *testing.T) {
	t.Parallel()
	header := signed(t)
	testdb.Each(t, func(t *testing.T, url string) {
		attempts := 0
		handlers := twoProcesses(t, url, new(clock).now, func(context.Context, receiver.Event) error {
			attempts++
			switch attempts {
			case 1:
				return errors.New("out of stock")
			case 2:
				panic("out of stock")
			}
			return nil
		})
		for i, status := range []int{500, 500, 200, 200, 200} {
			require.Equal(t, status, post(handlers[i%2], header).Code)
		}
		require.Equal(t, 3, attempts)
	})
}

func TestClaimsOfDeadProcessesRunOut(t *testing.T) {
	t.Parallel()
	header := signed(t)
	testdb.Each(t, func(t *testing.T, url string) {
		var now clock
		attempts := 0
		handlers := twoProcesses(t, url, now.now, func(context.Context, receiver.Event) error {
			attempts++
			return nil
		})
		dead := receiver.Claim{Endpoint: "stripe", EventID: "evt_1", Token: "dead", Now: start, Until: start.Add(40 * time.Second)}
		requireState(t, newStore(t, url), dead, receiver.StatusClaimed, dead.Until)

		w := post(handlers[0], header)
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.Equal(t, "40", w.Header().Get("Retry-After"))
		now.advance(40 * time.Second)
		for _, h := range handlers {
			require.Equal(t, http.StatusOK, post(h, header).Code)
		}
		require.Equal(t, 1, attempts)

		now.advance(week)
		for _, h := range handlers {
			require.Equal(t, http.StatusOK, post(h, header).Code)
		}
		require.Equal(t, 2, attempts)
	})
}

func TestDatabaseIsAway(t *testing.T) {
	t.Parallel()
	header := signed(t)
	testdb.Each(t, func(t *testing.T, url string) {
		db := connect(t, url)
		store, err := gormstore.New(db)
		require.NoError(t, err)
		h := newHandler(t, store, new(clock).now)
		called := false
		h.On("*", func(context.Context, receiver.Event) error {
			called = true
			return nil
		})
		// Without its table it is as good as away.
		w := post(h, header)
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.NotContains(t, w.Body.String(), "postrider_receiver_events")
		require.False(t, called)

		c := claim("evt_1", "a", start)
		_, err = store.Claim(t.Context(), c)
		require.ErrorContains(t, err, "gormstore: claim: ")
		require.ErrorContains(t, store.Complete(t.Context(), c, start), "gormstore: complete: ")
		require.ErrorContains(t, store.Release(t.Context(), c), "gormstore: release: ")
		_, err = store.Purge(t.Context(), start, 1)
		require.ErrorContains(t, err, "gormstore: purge: ")

		require.NoError(t, gormstore.Migrate(db))
		require.Equal(t, http.StatusOK, post(h, header).Code)
		require.True(t, called)

		over, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = store.Claim(over, c)
		require.ErrorIs(t, err, context.Canceled)
	})
}
