package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

var errShopClosed = errors.New("shop is closed")

func TestDuplicatesAreDropped(t *testing.T) {
	t.Parallel()
	var now clock
	var called calls
	h := newHandler(t, receiver.Options{Now: now.now, Tolerance: 30 * 24 * time.Hour})
	h.On("order.created", called.handle)
	for range 3 {
		requireReceived(t, postStripe(t, h))
	}
	require.Equal(t, 1, called.count())

	now.advance(7*24*time.Hour - time.Nanosecond)
	requireReceived(t, postStripe(t, h))
	require.Equal(t, 1, called.count())
	now.advance(time.Nanosecond)
	requireReceived(t, postStripe(t, h))
	require.Equal(t, 2, called.count(), "after seven days it is another event")
}

func TestCopiesAtOnceAreHandledOnce(t *testing.T) {
	t.Parallel()
	const copies = 100
	h := newHandler(t, receiver.Options{Timeout: 20 * time.Second})
	var called calls
	release := make(chan struct{})
	h.On("order.created", func(ctx context.Context, e receiver.Event) error {
		<-release // so that all other copies arrive meanwhile
		return called.handle(ctx, e)
	})

	header := sign(t, signature.SchemeStripe, "", stripeBody)
	answers := make(chan *httptest.ResponseRecorder)
	for range copies {
		go func() { answers <- post(h, header, stripeBody) }()
	}
	for range copies - 1 {
		w := <-answers
		requireRefused(t, http.StatusServiceUnavailable, w)
		require.Equal(t, "30", w.Header().Get("Retry-After"), "when the claim has run out for sure")
	}
	close(release)
	requireReceived(t, <-answers)
	requireReceived(t, post(h, header, stripeBody))
	require.Equal(t, 1, called.count())
}

func TestManyEventsInManyCopies(t *testing.T) {
	t.Parallel()
	const events, copies = 50, 20
	h := newHandler(t, receiver.Options{})
	var mu sync.Mutex
	handled := map[string]int{}
	h.On("*", func(_ context.Context, e receiver.Event) error {
		mu.Lock()
		defer mu.Unlock()
		handled[e.ID]++
		return nil
	})
	var all sync.WaitGroup
	for i := range events * copies {
		body := strings.Replace(stripeBody, "evt_1", "evt_"+strconv.Itoa(i%events), 1)
		header := sign(t, signature.SchemeStripe, "", body)
		all.Go(func() { post(h, header, body) })
	}
	all.Wait()
	require.Len(t, handled, events)
	for id, times := range handled {
		require.Equal(t, 1, times, id)
	}
}

func TestFailedEventsAreHandledAgain(t *testing.T) {
	t.Parallel()
	tests := map[string]func(){
		"error":       nil,
		"panic":       func() { panic("shop is closed") },
		"panic nil":   func() { panic(error(nil)) },
		"panic error": func() { panic(errShopClosed) },
		"panic abort": func() { panic(http.ErrAbortHandler) },
		"panic crash": func() {
			var stock *logBook
			stock.mu.Lock()
		},
	}
	for name, fail := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var book logBook
			h := newHandler(t, receiver.Options{Logger: book.logger()})
			attempts, failures := 0, 2
			h.On("order.created", func(context.Context, receiver.Event) error {
				attempts++
				if attempts > failures {
					return nil
				}
				if fail != nil {
					fail()
				}
				return errShopClosed
			})
			for range failures {
				w := postStripe(t, h)
				requireRefused(t, http.StatusInternalServerError, w)
				require.NotContains(t, w.Body.String(), "shop", "the sender need not know why")
			}
			requireReceived(t, postStripe(t, h))
			requireReceived(t, postStripe(t, h))
			require.Equal(t, failures+1, attempts)

			require.Contains(t, book.String(), `"event_id":"evt_1"`)
			require.NotContains(t, book.String(), `{"n":1}`)
			if fail == nil {
				require.Contains(t, book.String(), "shop is closed")
			} else {
				require.Contains(t, book.String(), "once_test.go", "the stack tells where")
			}
		})
	}
}

func TestClaimsOfDeadProcessesRunOut(t *testing.T) {
	t.Parallel()
	var now clock
	store := receiver.NewMemoryStore(0)
	var called calls
	h := newHandler(t, receiver.Options{Store: store, Now: now.now, Timeout: time.Minute})
	h.On("order.created", called.handle)

	// What is left of a process that was killed while it handled the event.
	state, err := store.Claim(t.Context(), receiver.Claim{
		Endpoint: "stripe", EventID: "evt_1", Token: "dead", Now: now.now(), Until: now.now().Add(70 * time.Second),
	})
	require.NoError(t, err)
	require.Equal(t, receiver.StatusClaimed, state.Status)

	for passed, retryAfter := range map[time.Duration]string{0: "70", 68500 * time.Millisecond: "2", 69500 * time.Millisecond: "1"} {
		now.moved.Store(int64(passed))
		w := postStripe(t, h)
		requireRefused(t, http.StatusServiceUnavailable, w)
		require.Equal(t, retryAfter, w.Header().Get("Retry-After"))
	}
	require.Zero(t, called.count())
	now.moved.Store(int64(70 * time.Second))
	requireReceived(t, postStripe(t, h))
	requireReceived(t, postStripe(t, h))
	require.Equal(t, 1, called.count())
}

// A function that goes on after its claim has run out must neither release the
// claim of the copy that overtook it nor make it be handled a third time.
func TestOvertakenFunctions(t *testing.T) {
	t.Parallel()
	for _, slowFails := range []bool{true, false} {
		t.Run(fmt.Sprint(slowFails), func(t *testing.T) {
			t.Parallel()
			var now clock
			h := newHandler(t, receiver.Options{Now: now.now})
			started, finish := make(chan int, 2), [2]chan error{make(chan error), make(chan error)}
			attempts := make(chan int, 3)
			attempts <- 0
			attempts <- 1
			h.On("order.created", func(context.Context, receiver.Event) error {
				attempt := <-attempts
				started <- attempt
				return <-finish[attempt]
			})
			header := sign(t, signature.SchemeStripe, "", stripeBody)
			answers := [2]chan *httptest.ResponseRecorder{make(chan *httptest.ResponseRecorder, 1), make(chan *httptest.ResponseRecorder, 1)}
			begin := func(i int) {
				go func() { answers[i] <- post(h, header, stripeBody) }()
				require.Equal(t, i, <-started)
			}
			begin(0)
			now.advance(41 * time.Second)
			begin(1)

			if slowFails {
				finish[0] <- errShopClosed
				requireRefused(t, http.StatusInternalServerError, <-answers[0])
				requireRefused(t, http.StatusServiceUnavailable, post(h, header, stripeBody))
				finish[1] <- nil
				requireReceived(t, <-answers[1])
			} else {
				finish[0] <- nil
				requireReceived(t, <-answers[0])
				requireReceived(t, post(h, header, stripeBody))
				finish[1] <- errShopClosed
				requireRefused(t, http.StatusInternalServerError, <-answers[1])
			}
			requireReceived(t, post(h, header, stripeBody))
			require.Empty(t, attempts)
		})
	}
}

func TestFunctionOutlivesTheSender(t *testing.T) {
	t.Parallel()
	type traceKey struct{}
	h := newHandler(t, receiver.Options{})
	h.On("order.created", func(ctx context.Context, _ receiver.Event) error {
		require.Equal(t, "trace", ctx.Value(traceKey{}))
		return ctx.Err()
	})
	ctx, hangUp := context.WithCancel(context.WithValue(t.Context(), traceKey{}, "trace"))
	hangUp()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(stripeBody)).WithContext(ctx)
	r.Header = sign(t, signature.SchemeStripe, "", stripeBody)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	requireReceived(t, w)
}

func TestFunctionHasATimeout(t *testing.T) {
	t.Parallel()
	h := newHandler(t, receiver.Options{Timeout: time.Millisecond})
	h.On("order.created", func(ctx context.Context, _ receiver.Event) error {
		<-ctx.Done()
		return ctx.Err()
	})
	requireRefused(t, http.StatusInternalServerError, postStripe(t, h))
}

func TestEndpointsShareAStore(t *testing.T) {
	t.Parallel()
	store := receiver.NewMemoryStore(0)
	var called calls
	for _, endpoint := range []string{"", "platform", "connect"} {
		h := newHandler(t, receiver.Options{Store: store, Endpoint: endpoint})
		h.On("*", called.handle)
		requireReceived(t, postStripe(t, h))
		requireReceived(t, postStripe(t, h))
	}
	require.Equal(t, 3, called.count())
}

// failingStore is a memory store whose calls can be made to fail.
type failingStore struct {
	*receiver.MemoryStore
	claim, complete, release error
}

func (s *failingStore) Claim(ctx context.Context, c receiver.Claim) (receiver.State, error) {
	if s.claim != nil {
		return receiver.State{}, s.claim
	}
	return s.MemoryStore.Claim(ctx, c)
}

func (s *failingStore) Complete(ctx context.Context, c receiver.Claim, until time.Time) error {
	if s.complete != nil {
		return s.complete
	}
	return s.MemoryStore.Complete(ctx, c, until)
}

func (s *failingStore) Release(ctx context.Context, c receiver.Claim) error {
	if s.release != nil {
		return s.release
	}
	return s.MemoryStore.Release(ctx, c)
}

func TestStoreFails(t *testing.T) {
	t.Parallel()
	errAway := errors.New("database is away")
	var now clock
	var book logBook
	store := &failingStore{MemoryStore: receiver.NewMemoryStore(0)}
	h := newHandler(t, receiver.Options{Store: store, Now: now.now, Logger: book.logger()})
	attempts, result := 0, errShopClosed
	h.On("order.created", func(context.Context, receiver.Event) error {
		attempts++
		return result
	})

	store.claim = errAway
	w := postStripe(t, h)
	requireRefused(t, http.StatusServiceUnavailable, w)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
	require.NotContains(t, w.Body.String(), "away")
	require.Zero(t, attempts, "nobody knows whether it was handled")

	store.claim, store.release = nil, errAway
	requireRefused(t, http.StatusInternalServerError, postStripe(t, h))
	requireRefused(t, http.StatusServiceUnavailable, postStripe(t, h))
	require.Equal(t, 1, attempts)

	now.advance(40 * time.Second)
	result, store.complete = nil, errAway
	requireReceived(t, postStripe(t, h))
	require.Equal(t, 2, attempts)
	requireRefused(t, http.StatusServiceUnavailable, postStripe(t, h))
	require.Equal(t, 2, attempts)
	require.Equal(t, 3, strings.Count(book.String(), "database is away"))
}
