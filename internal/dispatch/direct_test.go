package dispatch

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// receiver plays the first attempts of a process: it makes what it is given, in the time that it takes.
type receiver struct {
	// deliver is what becomes of an attempt.
	deliver func(models.Job) bool

	mu       sync.Mutex
	expected []string
	made     []string
}

func (r *receiver) Expect(dispatches []models.Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, dispatch := range dispatches {
		r.expected = append(r.expected, dispatch.Delivery.ID)
	}
}

func (r *receiver) DeliverDirectly(_ context.Context, dispatch models.Job) bool {
	done := r.deliver == nil || r.deliver(dispatch)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = append(r.made, dispatch.Delivery.ID)
	return done
}

// fewDeliveries is a store whose events have as many deliveries as it says, and which keeps what is postponed.
type fewDeliveries struct {
	Store
	each int

	mu        sync.Mutex
	postponed []string
}

func (f *fewDeliveries) Publish(_ context.Context, event models.Event) (models.Published, error) {
	event.DeliveryCount = f.each
	published := models.Published{Event: event}
	for range f.each {
		delivery := models.Delivery{ID: typeid.New(typeid.KindDelivery, time.Now())}
		published.Deliveries = append(published.Deliveries, delivery)
		published.Dispatches = append(published.Dispatches, models.Job{Delivery: delivery})
	}
	return published, nil
}

func (f *fewDeliveries) Lease(_ context.Context, ids []string, _ time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.postponed = append(f.postponed, ids...)
	return nil
}

// idsOf returns the IDs of deliveries.
func idsOf(deliveries []models.Delivery) []string {
	ids := make([]string, len(deliveries))
	for i, delivery := range deliveries {
		ids[i] = delivery.ID
	}
	return ids
}

// Without the direct mode, the workflows that start here are prepared.
func TestPublishPreparesAttempts(t *testing.T) {
	t.Parallel()
	temporal, attempts := &fakeTemporal{}, &receiver{}
	d := New(&fewDeliveries{each: 2}, temporal, (&log{}).logger())
	d.AttemptWith(attempts, false)
	published, err := d.Publish(t.Context(), models.Event{})
	require.NoError(t, err)
	d.Close()
	require.Equal(t, idsOf(published.Deliveries), attempts.expected)
	require.ElementsMatch(t, idsOf(published.Deliveries), temporal.ids())
	require.Empty(t, attempts.made)
}

// Only what was not delivered gets a workflow.
func TestPublishDirectly(t *testing.T) {
	t.Parallel()
	temporal := &fakeTemporal{}
	var n atomic.Int32
	var failed sync.Map
	attempts := &receiver{deliver: func(dispatch models.Job) bool {
		if n.Add(1)%3 == 0 {
			failed.Store(dispatch.Delivery.ID, true)
			return false
		}
		return true
	}}
	d := New(&fewDeliveries{each: 9}, temporal, (&log{}).logger())
	d.AttemptWith(attempts, true)
	published, err := d.Publish(t.Context(), models.Event{})
	require.NoError(t, err)
	d.Close()
	require.ElementsMatch(t, idsOf(published.Deliveries), attempts.made)
	require.Len(t, temporal.ids(), 3)
	for _, id := range temporal.ids() {
		_, ok := failed.Load(id)
		require.True(t, ok)
	}
}

// On a database that answers publishers with nothing more, what the attempt needs is loaded.
func TestPublishDirectlyLoadsWhatItNeeds(t *testing.T) {
	t.Parallel()
	temporal := &fakeTemporal{}
	d, store, _ := setup(t, temporal)
	webhook := makeWebhook(t, store)
	attempts := &receiver{deliver: func(dispatch models.Job) bool {
		return dispatch.Webhook.URL == webhook.URL && string(dispatch.Event.Data) == `{"n":1}`
	}}
	d.AttemptWith(attempts, true)
	_, err := d.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`{"n":1}`)})
	require.NoError(t, err)
	d.Close()
	require.Len(t, attempts.made, 1)
	require.Empty(t, temporal.ids())
}

// More than a process should have under way for one event is a workflow's business.
func TestPublishDirectlyToVeryMany(t *testing.T) {
	t.Parallel()
	for deliveries, workflows := range map[int]int{MostAttempts: 0, MostAttempts + 1: 1} {
		temporal, attempts := &fakeTemporal{}, &receiver{}
		d := New(&fewDeliveries{each: deliveries}, temporal, (&log{}).logger())
		d.AttemptWith(attempts, true)
		_, err := d.Publish(t.Context(), models.Event{})
		require.NoError(t, err)
		d.Close()
		require.Len(t, temporal.ids(), workflows)
		require.Len(t, attempts.made, deliveries*(1-workflows))
	}
}

// A publisher waits a moment for room; then Temporal keeps the delivery.
func TestPublishDirectlyWithoutRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		temporal, attempts := &fakeTemporal{}, &receiver{deliver: func(models.Job) bool { <-release; return true }}
		d := New(&fewDeliveries{each: 64}, temporal, (&log{}).logger())
		d.AttemptWith(attempts, true)
		for range directRoom / directSmallest / 64 {
			_, err := d.Publish(t.Context(), models.Event{})
			require.NoError(t, err)
		}
		d.store = &fewDeliveries{each: 5}
		began := time.Now()
		published, err := d.Publish(t.Context(), models.Event{})
		require.NoError(t, err)
		require.Equal(t, roomWait, time.Since(began), "for all five together")
		synctest.Wait()
		require.ElementsMatch(t, idsOf(published.Deliveries), temporal.ids())

		close(release)
		published, err = d.Publish(t.Context(), models.Event{})
		require.NoError(t, err)
		d.Close()
		require.Len(t, temporal.ids(), 5)
		require.Contains(t, attempts.made, published.Deliveries[0].ID)
	})
}

// The sweep leaves alone what a process is about: its own, and what it has postponed.
func TestSweepAndDirectAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		temporal, attempts := &fakeTemporal{}, &receiver{deliver: func(models.Job) bool { <-release; return true }}
		store := &fewDeliveries{each: 2}
		d := New(store, temporal, (&log{}).logger())
		d.AttemptWith(attempts, true)
		published, err := d.Publish(t.Context(), models.Event{})
		require.NoError(t, err)
		other := models.Delivery{ID: typeid.New(typeid.KindDelivery, time.Now())}
		require.NoError(t, d.Start(t.Context(), append(slices.Clone(published.Deliveries), other)))
		require.Equal(t, []string{other.ID}, temporal.ids())

		<-time.After(aliveEvery + time.Second)
		store.mu.Lock()
		require.ElementsMatch(t, idsOf(published.Deliveries), store.postponed)
		store.mu.Unlock()
		close(release)
		d.Close()
		require.NoError(t, d.Start(t.Context(), published.Deliveries))
		require.Len(t, temporal.ids(), 3)
	})
}

// A process that stops finishes its attempts first, and starts the workflows of those that failed.
func TestCloseWaitsForDirectAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		temporal := &fakeTemporal{}
		attempts := &receiver{deliver: func(models.Job) bool { <-time.After(20 * time.Second); return false }}
		d := New(&fewDeliveries{each: 5}, temporal, (&log{}).logger())
		d.AttemptWith(attempts, true)
		published, err := d.Publish(t.Context(), models.Event{})
		require.NoError(t, err)
		began := time.Now()
		d.Close()
		require.Equal(t, 20*time.Second, time.Since(began))
		require.ElementsMatch(t, idsOf(published.Deliveries), temporal.ids())
	})
}
