package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

var errNoAnswer = errors.New("no answer")

// newStore has a number of webhooks that match everything. Temporal alone is not real in these tests: what it
// does with a start is shown end to end.
func newStore(t *testing.T, db *gorm.DB, webhooks int) *store.Store {
	t.Helper()
	store := storetest.New(t, db, store.Config{})
	for range webhooks {
		dispatchtest.CreateWebhook(t, store)
	}
	return store
}

func publish(t *testing.T, d *dispatchtest.Dispatcher) models.Published {
	t.Helper()
	published, err := d.Publish(t.Context(), models.Event{Type: "order.created", Data: []byte(`{}`)})
	require.NoError(t, err)
	return published
}

func TestPublishStartsAWorkflowForEachDelivery(t *testing.T) {
	t.Parallel()
	for _, webhooks := range []int{0, 1, 100} {
		t.Run(fmt.Sprint(webhooks), func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *gorm.DB) {
				temporal := mocks.NewClient(t)
				started := make(chan string, webhooks)
				if webhooks > 0 {
					temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, contract.TypeDelivery, mock.Anything).
						Run(func(args mock.Arguments) {
							options, _ := args.Get(1).(client.StartWorkflowOptions)
							input, _ := args.Get(3).(contract.DeliveryInput)
							if options.ID == input.DeliveryID && options.StaticSummary == "order.created → example.com" {
								started <- options.ID
							}
						}).Return(nil, nil)
				}
				d := dispatchtest.New(newStore(t, db, webhooks), temporal, slog.New(slog.DiscardHandler))
				published := publish(t, d)
				d.Close()
				close(started)
				var want, got []string
				for _, delivery := range published.Deliveries {
					want = append(want, delivery.ID)
				}
				for id := range started {
					got = append(got, id)
				}
				require.ElementsMatch(t, want, got)
			})
		})
	}
}

func TestPublishLeavesManyDeliveriesToAFanOut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		temporal := mocks.NewClient(t)
		temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, contract.TypeFanOut, mock.Anything).Return(nil, nil).Once()
		d := dispatchtest.New(newStore(t, db, 101), temporal, slog.New(slog.DiscardHandler))
		require.Len(t, publish(t, d).Deliveries, 101)
		d.Close()
	})
}

// Of a batch, each event is put on its way as a single one is; what is a duplicate is not.
func TestPublishAllPutsEachEventOnItsWay(t *testing.T) {
	t.Parallel()
	for _, webhooks := range []int{2, 101} {
		t.Run(fmt.Sprint(webhooks), func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *gorm.DB) {
				temporal, key := &dispatchtest.Temporal{}, "again"
				d := dispatchtest.New(newStore(t, db, webhooks), temporal, slog.New(slog.DiscardHandler))
				first, other := models.Event{Type: "a", Data: []byte(`1`), IdempotencyKey: &key}, models.Event{Type: "b", Data: []byte(`1`)}
				outcomes, err := d.PublishAll(t.Context(), []models.Event{first, first, other})
				require.NoError(t, err)
				d.Close()
				require.True(t, outcomes[1].Published.Duplicate)
				var want []string
				for _, i := range []int{0, 2} {
					if webhooks > 100 {
						want = append(want, "fanout/"+outcomes[i].Published.Event.ID)
					}
					for _, delivery := range outcomes[i].Published.Deliveries {
						want = append(want, delivery.ID)
					}
				}
				require.ElementsMatch(t, want, temporal.IDs())
			})
		})
	}
}

func TestPublishSucceedsWithoutTemporal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		temporal := mocks.NewClient(t)
		temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(nil, errNoAnswer)
		store := newStore(t, db, 1)
		d := dispatchtest.New(store, temporal, slog.New(slog.DiscardHandler))
		id := publish(t, d).Deliveries[0].ID
		d.Close()
		pending, err := store.PendingDeliveries(t.Context(), store.Now(), "", 10)
		require.NoError(t, err)
		require.Len(t, pending, 1)
		require.Equal(t, id, pending[0].ID)
	})
}

func TestPublishBehindCloseIsLeftToTheSweep(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		d := dispatchtest.New(newStore(t, db, 1), mocks.NewClient(t), slog.New(slog.DiscardHandler))
		d.Close()
		require.Len(t, publish(t, d).Deliveries, 1)
	})
}

func TestPublishThatIsNotStored(t *testing.T) {
	t.Parallel()
	temporal := &dispatchtest.Temporal{}
	d := dispatchtest.New(refusing{}, temporal, (&dispatchtest.Log{}).Logger())
	_, err := d.Publish(t.Context(), models.Event{})
	require.ErrorIs(t, err, models.ErrIdempotencyConflict)
	d.Close()
	require.Empty(t, temporal.Started)
}

// refusing is a store that publishes nothing.
type refusing struct{ dispatch.Store }

func (refusing) Publish(context.Context, models.Event) (models.Published, error) {
	return models.Published{}, models.ErrIdempotencyConflict
}

// twoDeliveries is a store whose events have two deliveries each, and which answers what their attempts need.
type twoDeliveries struct{ dispatch.Store }

func (twoDeliveries) Publish(_ context.Context, event models.Event) (models.Published, error) {
	event.DeliveryCount = 2
	published := models.Published{Event: event}
	for range 2 {
		delivery := models.Delivery{ID: typeid.New(typeid.KindDelivery, time.Now())}
		published.Deliveries = append(published.Deliveries, delivery)
		published.Jobs = append(published.Jobs, models.Job{Delivery: delivery})
	}
	return published, nil
}

// In a process with a worker, the first attempts of the workflows that start here are prepared.
func TestPublishPreparesAttempts(t *testing.T) {
	t.Parallel()
	temporal, quiet := &dispatchtest.Temporal{}, slog.New(slog.DiscardHandler)
	starter := start.New(temporal, quiet)
	var expected []string
	d := dispatch.New(dispatch.Config{
		Store: twoDeliveries{}, Starter: starter, Temporal: temporal, Logger: quiet,
		Expect: func(jobs []models.Job) {
			for _, job := range jobs {
				expected = append(expected, job.Delivery.ID)
			}
		},
	})
	published, err := d.Publish(t.Context(), models.Event{})
	require.NoError(t, err)
	starter.Close()
	want := []string{published.Deliveries[0].ID, published.Deliveries[1].ID}
	require.Equal(t, want, expected)
	require.ElementsMatch(t, want, temporal.IDs())
}
