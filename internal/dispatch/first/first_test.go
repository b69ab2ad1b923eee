package first_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/dispatch/first"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// receiver plays the first attempts of a process: it makes what it is given, in the time that it takes.
type receiver struct {
	// deliver is what becomes of an attempt.
	deliver func(models.Job) bool

	mu   sync.Mutex
	made []string
}

func (r *receiver) MakeFirst(_ context.Context, job models.Job) bool {
	done := r.deliver == nil || r.deliver(job)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = append(r.made, job.Delivery.ID)
	return done
}

// fewDeliveries is a store whose events have as many deliveries as it says, and which keeps what is postponed.
type fewDeliveries struct {
	dispatch.Store
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
		published.Jobs = append(published.Jobs, models.Job{Delivery: delivery})
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

// Only what was not delivered gets a workflow.
func TestPublishMakesFirstAttempts(t *testing.T) {
	t.Parallel()
	temporal := &dispatchtest.Temporal{}
	var n atomic.Int32
	var failed sync.Map
	attempts := &receiver{deliver: func(job models.Job) bool {
		if n.Add(1)%3 == 0 {
			failed.Store(job.Delivery.ID, true)
			return false
		}
		return true
	}}
	d := dispatchtest.NewAttempting(&fewDeliveries{each: 9}, temporal, attempts, (&dispatchtest.Log{}).Logger())
	published, err := d.Publish(t.Context(), models.Event{})
	require.NoError(t, err)
	d.Close()
	require.ElementsMatch(t, idsOf(published.Deliveries), attempts.made)
	require.Len(t, temporal.IDs(), 3)
	for _, id := range temporal.IDs() {
		_, ok := failed.Load(id)
		require.True(t, ok)
	}
}

// On a database that answers publishers with nothing more, what the attempt needs is loaded.
func TestPublishLoadsWhatFirstAttemptsNeed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		temporal := &dispatchtest.Temporal{}
		store := storetest.New(t, db, store.Config{})
		webhook := dispatchtest.CreateWebhook(t, store)
		attempts := &receiver{deliver: func(job models.Job) bool {
			return job.Webhook.URL == webhook.URL && string(job.Event.Data) == `{"n":1}`
		}}
		d := dispatchtest.NewAttempting(store, temporal, attempts, (&dispatchtest.Log{}).Logger())
		_, err := d.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`{"n":1}`)})
		require.NoError(t, err)
		d.Close()
		require.Len(t, attempts.made, 1)
		require.Empty(t, temporal.IDs())
	})
}

// What is to be delivered later gets a workflow that waits, and the sweep leaves it alone; where its time has passed, the first
// attempt is made here.
func TestPublishForLater(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		temporal, attempts := &dispatchtest.Temporal{}, &receiver{}
		store := storetest.New(t, db, store.Config{})
		dispatchtest.CreateWebhook(t, store)
		d := dispatchtest.NewAttempting(store, temporal, attempts, (&dispatchtest.Log{}).Logger())
		delay, past := time.Hour, store.Now().Add(-time.Hour)
		later, err := d.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`1`), Delay: &delay})
		require.NoError(t, err)
		batch, err := d.PublishAll(t.Context(), []models.Event{
			{Type: "a", Data: []byte(`2`), Delay: &delay}, {Type: "a", Data: []byte(`3`), DeliverAt: &past},
		})
		require.NoError(t, err)
		d.Close()
		wait, atOnce := append(later.Deliveries, batch[0].Published.Deliveries...), batch[1].Published.Deliveries
		require.Len(t, wait, 2)
		require.Equal(t, idsOf(atOnce), attempts.made)
		require.ElementsMatch(t, idsOf(wait), temporal.IDs())
		for _, started := range temporal.Started {
			require.Positive(t, started.Options.StartDelay)
			require.LessOrEqual(t, started.Options.StartDelay, delay)
		}
		pending, err := store.PendingDeliveries(t.Context(), store.Now(), "", 10)
		require.NoError(t, err)
		for _, id := range idsOf(wait) {
			require.NotContains(t, idsOf(pending), id)
		}
	})
}

// More than a process should have under way for one event is a workflow's business.
func TestPublishToVeryMany(t *testing.T) {
	t.Parallel()
	for deliveries, workflows := range map[int]int{dispatch.MostAttempts: 0, dispatch.MostAttempts + 1: 1} {
		temporal, attempts := &dispatchtest.Temporal{}, &receiver{}
		d := dispatchtest.NewAttempting(&fewDeliveries{each: deliveries}, temporal, attempts, (&dispatchtest.Log{}).Logger())
		_, err := d.Publish(t.Context(), models.Event{})
		require.NoError(t, err)
		d.Close()
		require.Len(t, temporal.IDs(), workflows)
		require.Len(t, attempts.made, deliveries*(1-workflows))
	}
}

// A publisher waits a moment for room; then Temporal keeps the delivery.
func TestPublishWithoutRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		temporal, attempts := &dispatchtest.Temporal{}, &receiver{deliver: func(models.Job) bool { <-release; return true }}
		store := &fewDeliveries{each: 64}
		d := dispatchtest.NewAttempting(store, temporal, attempts, (&dispatchtest.Log{}).Logger())
		for range first.Room / first.AttemptSize / 64 {
			_, err := d.Publish(t.Context(), models.Event{})
			require.NoError(t, err)
		}
		store.each = 5
		began := time.Now()
		published, err := d.Publish(t.Context(), models.Event{})
		require.NoError(t, err)
		require.Equal(t, first.RoomWait, time.Since(began), "for all five together")
		synctest.Wait()
		require.ElementsMatch(t, idsOf(published.Deliveries), temporal.IDs())

		close(release)
		published, err = d.Publish(t.Context(), models.Event{})
		require.NoError(t, err)
		d.Close()
		require.Len(t, temporal.IDs(), 5)
		require.Contains(t, attempts.made, published.Deliveries[0].ID)
	})
}

// The sweep leaves alone what a process is about: its own, and what it has postponed.
func TestSweepAndFirstAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		temporal, attempts := &dispatchtest.Temporal{}, &receiver{deliver: func(models.Job) bool { <-release; return true }}
		store := &fewDeliveries{each: 2}
		d := dispatchtest.NewAttempting(store, temporal, attempts, (&dispatchtest.Log{}).Logger())
		published, err := d.Publish(t.Context(), models.Event{})
		require.NoError(t, err)
		other := models.Delivery{ID: typeid.New(typeid.KindDelivery, time.Now())}
		require.NoError(t, d.Starter.StartDeliveries(t.Context(), append(slices.Clone(published.Deliveries), other)))
		require.Equal(t, []string{other.ID}, temporal.IDs())

		<-time.After(first.ExtendEvery + time.Second)
		store.mu.Lock()
		require.ElementsMatch(t, idsOf(published.Deliveries), store.postponed)
		store.mu.Unlock()
		close(release)
		d.Close()
		require.NoError(t, d.Starter.StartDeliveries(t.Context(), published.Deliveries))
		require.Len(t, temporal.IDs(), 3)
	})
}

// A process that stops finishes its attempts first, and starts the workflows of those that failed.
func TestCloseWaitsForFirstAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		temporal := &dispatchtest.Temporal{}
		attempts := &receiver{deliver: func(models.Job) bool { <-time.After(20 * time.Second); return false }}
		d := dispatchtest.NewAttempting(&fewDeliveries{each: 5}, temporal, attempts, (&dispatchtest.Log{}).Logger())
		published, err := d.Publish(t.Context(), models.Event{})
		require.NoError(t, err)
		began := time.Now()
		d.Close()
		require.Equal(t, 20*time.Second, time.Since(began))
		require.ElementsMatch(t, idsOf(published.Deliveries), temporal.IDs())
	})
}
