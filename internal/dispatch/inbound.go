package dispatch

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// endPatience is how long an inbound event's workflow counts as under way at most: it may wait for something else
// than Temporal.
const endPatience = 10 * time.Second

// inboundStarter starts the workflows of inbound events, in the order in which they came. A provider is answered
// when its event is stored: in a burst, processing waits so that the answers need not.
type inboundStarter struct {
	*starter
	pacer *pacer
	// queued has the IDs of what waits for its start here.
	queued sync.Map
	// stopping ends the waits for workflows when stop is called.
	stopping context.Context
	stop     context.CancelFunc
}

func newInboundStarter(logger *slog.Logger) *inboundStarter {
	s := &inboundStarter{pacer: newPacer()}
	s.starter = newPacedStarter(logger, s.pacer)
	s.stopping, s.stop = context.WithCancel(context.Background())
	return s
}

func (s *inboundStarter) close() {
	s.stop()
	s.starter.close()
}

// Receive stores an inbound event and returns when that is durable; its workflow starts behind it. It returns
// false when the source has sent the event before: nothing more happens then.
func (d *Dispatcher) Receive(ctx context.Context, inbound models.InboundEvent) (bool, error) {
	fresh, err := d.store.StoreInbound(ctx, &inbound)
	if err != nil || !fresh {
		return false, err
	}
	inbound.Body, inbound.Headers = nil, nil // the queue may be long
	d.inbound.queued.Store(inbound.ID, nil)
	if !d.inbound.add(func(ctx context.Context) error {
		defer d.inbound.queued.Delete(inbound.ID)
		return d.startInbound(ctx, inbound)
	}) {
		d.inbound.queued.Delete(inbound.ID)
	}
	return true, nil
}

// StartInbound does for inbound events what Start does for deliveries, but in turn with those that come in. What
// waits for its start in this process is left alone.
func (d *Dispatcher) StartInbound(ctx context.Context, inbound []models.InboundEvent) error {
	inbound = slices.DeleteFunc(slices.Clone(inbound), func(event models.InboundEvent) bool {
		_, queued := d.inbound.queued.Load(event.ID)
		return queued
	})
	return startAll(ctx, inbound, func(ctx context.Context, event models.InboundEvent) error {
		if err := d.inbound.pacer.enter(ctx); err != nil {
			return err
		}
		defer d.inbound.pacer.leave()
		return d.startInbound(ctx, event)
	})
}

// startInbound starts a workflow and waits for its end. The caller has its turn with the pacer.
func (d *Dispatcher) startInbound(ctx context.Context, inbound models.InboundEvent) error {
	in := contract.InboundInput{InboundEventID: inbound.ID}
	var run client.WorkflowRun
	err := d.inbound.pacer.time(func() (err error) {
		run, err = d.temporal.ExecuteWorkflow(ctx, contract.InboundOptions(inboundToStart(inbound)), contract.TypeInbound, in)
		return err
	})
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	if err != nil {
		return unavailable(err)
	}
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	defer context.AfterFunc(d.inbound.stopping, cancel)()
	_ = run.Get(ctx, nil) // how it ended is in the inbound log
	return nil
}

// Reprocess has an inbound event processed anew, whatever became of it: what was published stays published.
func (d *Dispatcher) Reprocess(ctx context.Context, inbound models.InboundEvent) error {
	if err := d.store.ReprocessInbound(ctx, inbound.ID); err != nil {
		return err
	}
	in := contract.InboundInput{InboundEventID: inbound.ID}
	_, err := d.temporal.ExecuteWorkflow(ctx, contract.InboundOptions(inboundToStart(inbound)), contract.TypeInbound, in)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil // the run finds the event pending, or the sweep does if it had just looked
	}
	return unavailable(err)
}
