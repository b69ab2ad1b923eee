package start_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// The publisher is not told that Temporal is away: what it published is stored, and started when Temporal is
// back.
func TestPublishWithoutTemporal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var away atomic.Bool
		away.Store(true)
		temporal := &dispatchtest.Temporal{OnStart: func(context.Context, string) error {
			if away.Load() {
				return dispatchtest.ErrAway
			}
			return nil
		}}
		log := &dispatchtest.Log{}
		d := dispatchtest.New(manyDeliveries{}, temporal, log.Logger())
		for range 3 {
			_, err := d.Publish(t.Context(), models.Event{})
			require.NoError(t, err)
		}
		<-time.After(time.Hour)
		require.Empty(t, temporal.IDs())
		away.Store(false)
		<-time.After(start.LongestPause)
		synctest.Wait()
		require.Len(t, temporal.IDs(), 300)
		d.Close()
		require.Equal(t, 1, strings.Count(log.String(), "workflows cannot be started"), "an outage is one line:\n%s", log)
		require.Equal(t, 1, strings.Count(log.String(), "workflows are started again"), log.String())
	})
}

// A process that stops while Temporal is away leaves what it has not started to the sweep.
func TestCloseWithoutTemporal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tries atomic.Int32
		temporal := &dispatchtest.Temporal{OnStart: func(context.Context, string) error {
			tries.Add(1)
			return dispatchtest.ErrAway
		}}
		d := dispatchtest.New(manyDeliveries{}, temporal, (&dispatchtest.Log{}).Logger())
		_, err := d.Publish(t.Context(), models.Event{})
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, int32(start.Workers), tries.Load())
		begin := time.Now()
		d.Close()
		require.Zero(t, time.Since(begin))
		require.Equal(t, int32(start.Workers), tries.Load())
	})
}

// What Temporal rejects would stand in the way of everything behind it.
func TestPublishOfWhatTemporalRejects(t *testing.T) {
	t.Parallel()
	for _, rejection := range []error{serviceerror.NewInvalidArgument("too long"), serviceerror.NewPermissionDenied("no", "")} {
		synctest.Test(t, func(t *testing.T) {
			var tries atomic.Int32
			temporal := &dispatchtest.Temporal{OnStart: func(context.Context, string) error {
				tries.Add(1)
				return rejection
			}}
			d := dispatchtest.New(manyDeliveries{}, temporal, (&dispatchtest.Log{}).Logger())
			_, err := d.Publish(t.Context(), models.Event{})
			require.NoError(t, err)
			<-time.After(time.Hour)
			d.Close()
			require.Equal(t, int32(100), tries.Load())
		})
	}
}

func TestPublishOfWhatWasStartedAlready(t *testing.T) {
	t.Parallel()
	temporal := &dispatchtest.Temporal{OnStart: func(_ context.Context, id string) error {
		return serviceerror.NewWorkflowExecutionAlreadyStarted("already started", id, "run")
	}}
	log := &dispatchtest.Log{}
	d := dispatchtest.New(manyDeliveries{}, temporal, log.Logger())
	_, err := d.Publish(t.Context(), models.Event{Type: "order.paid", Data: []byte(`{}`)})
	require.NoError(t, err)
	d.Close()
	require.Empty(t, log.String(), "the sweep was faster, and that is fine")
}

// manyDeliveries is a store whose events have a hundred deliveries each.
type manyDeliveries struct{ dispatch.Store }

func (manyDeliveries) Publish(_ context.Context, event models.Event) (models.Published, error) {
	published := models.Published{Event: event}
	for range 100 {
		published.Deliveries = append(published.Deliveries, models.Delivery{ID: typeid.New(typeid.KindDelivery, time.Now())})
	}
	return published, nil
}

func TestPublishDoesNotWaitForAFullQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		temporal := &dispatchtest.Temporal{OnStart: func(context.Context, string) error {
			<-release
			return nil
		}}
		log := &dispatchtest.Log{}
		d := dispatchtest.New(manyDeliveries{}, temporal, log.Logger())
		const events = (start.QueueSize+start.Workers)/100 + 2
		for range events {
			_, err := d.Publish(t.Context(), models.Event{})
			require.NoError(t, err)
			synctest.Wait() // every starter is busy
		}
		close(release)
		d.Close()
		require.Len(t, temporal.Started, start.QueueSize+start.Workers, "the rest is left to the sweep")
		require.Equal(t, 1, strings.Count(log.String(), "too many workflows wait to be started"), log.String())
	})
}

func TestCloseWaitsForStarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		temporal := &dispatchtest.Temporal{OnStart: func(context.Context, string) error {
			<-release
			return nil
		}}
		d := dispatchtest.New(manyDeliveries{}, temporal, (&dispatchtest.Log{}).Logger())
		_, err := d.Publish(t.Context(), models.Event{})
		require.NoError(t, err)
		closed := make(chan struct{})
		go func() {
			d.Close()
			close(closed)
		}()
		synctest.Wait()
		select {
		case <-closed:
			t.Fatal("closed with starts under way")
		default:
		}
		close(release)
		<-closed
		require.Len(t, temporal.Started, 100, "what was queued is started as well")
	})
}

// Temporal that never answers holds up neither the other starts nor the end for ever.
func TestStartThatIsNotAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		temporal := &dispatchtest.Temporal{OnStart: func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		log := &dispatchtest.Log{}
		d := dispatchtest.New(manyDeliveries{}, temporal, log.Logger())
		begin := time.Now()
		_, err := d.Publish(t.Context(), models.Event{})
		require.NoError(t, err)
		d.Close()
		require.Equal(t, start.StartTimeout, time.Since(begin), "what is under way is waited for, the rest is left to the sweep")
		require.Contains(t, log.String(), "workflows cannot be started")
	})
}

func TestStart(t *testing.T) {
	t.Parallel()
	var deliveries []models.Delivery
	var inbound []models.InboundEvent
	var want []string
	for range 3 * start.BulkStarts {
		deliveries = append(deliveries, models.Delivery{ID: typeid.New(typeid.KindDelivery, time.Now())})
		inbound = append(inbound, models.InboundEvent{ID: typeid.New(typeid.KindInbound, time.Now())})
		want = append(want, deliveries[len(deliveries)-1].ID, inbound[len(inbound)-1].ID)
	}
	var running, most atomic.Int32
	temporal := &dispatchtest.Temporal{OnStart: func(_ context.Context, id string) error {
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		if id == deliveries[0].ID || id == inbound[0].ID {
			return serviceerror.NewWorkflowExecutionAlreadyStarted("already started", id, "run")
		}
		return nil
	}}
	d := dispatchtest.New(nil, temporal, (&dispatchtest.Log{}).Logger())
	defer d.Close()
	require.NoError(t, d.Starter.StartDeliveries(t.Context(), deliveries))
	require.NoError(t, d.Starter.StartInbound(t.Context(), inbound))
	require.ElementsMatch(t, want[2:], temporal.IDs())
	require.LessOrEqual(t, most.Load(), int32(start.BulkStarts))

	temporal.OnStart = func(_ context.Context, id string) error {
		if id == deliveries[20].ID || id == inbound[20].ID {
			return dispatchtest.ErrAway
		}
		return nil
	}
	for _, err := range []error{d.Starter.StartDeliveries(t.Context(), deliveries), d.Starter.StartInbound(t.Context(), inbound)} {
		require.ErrorIs(t, err, start.ErrTemporalUnavailable)
		require.True(t, errors.Is(err, error(dispatchtest.ErrAway)))
	}
}
