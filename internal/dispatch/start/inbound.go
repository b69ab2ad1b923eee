package start

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

// inbound starts the workflows of inbound events, in the order in which they came. A provider is answered when its
// event is stored: in a burst, processing waits so that the answers need not.
type inbound struct {
	*background
	pacer *pacer
	// queued has the IDs of what waits for its start here.
	queued sync.Map
	// stopping ends the waits for workflows when stop is called.
	stopping context.Context
	stop     context.CancelFunc
}

func newInbound(logger *slog.Logger) *inbound {
	i := &inbound{pacer: newPacer()}
	i.background = newPacedBackground(logger, i.pacer)
	i.stopping, i.stop = context.WithCancel(context.Background())
	return i
}

func (i *inbound) close() {
	i.stop()
	i.background.close()
}

// InboundSoon starts the workflow of an inbound event in the background, and returns at once.
func (s *Starter) InboundSoon(event models.InboundEvent) {
	event.Body, event.Headers = nil, nil // the queue may be long
	s.inbound.queued.Store(event.ID, nil)
	if !s.inbound.add(func(ctx context.Context) error {
		defer s.inbound.queued.Delete(event.ID)
		return s.startInbound(ctx, event)
	}) {
		s.inbound.queued.Delete(event.ID)
	}
}

// StartInbound starts the workflows of inbound events and returns when all have been under way. They share the bound
// on what is under way with those in the queue of this process, which are left alone.
func (s *Starter) StartInbound(ctx context.Context, events []models.InboundEvent) error {
	events = slices.DeleteFunc(slices.Clone(events), func(event models.InboundEvent) bool {
		_, queued := s.inbound.queued.Load(event.ID)
		return queued
	})
	return Each(ctx, events, func(ctx context.Context, event models.InboundEvent) error {
		if err := s.inbound.pacer.enter(ctx); err != nil {
			return err
		}
		defer s.inbound.pacer.leave()
		return s.startInbound(ctx, event)
	})
}

// startInbound starts a workflow and waits for its end. The pacer has admitted the caller.
func (s *Starter) startInbound(ctx context.Context, event models.InboundEvent) error {
	var run client.WorkflowRun
	err := s.inbound.pacer.time(func() (err error) {
		run, err = s.executeInbound(ctx, event)
		return err
	})
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	if err != nil {
		return Unavailable(err)
	}
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	defer context.AfterFunc(s.inbound.stopping, cancel)()
	_ = run.Get(ctx, nil) // how it ended is in the inbound log
	return nil
}

// ReprocessInbound starts the workflow of an inbound event at once. A run that has not ended finds the event pending,
// or a sweep does if the run had just looked.
func (s *Starter) ReprocessInbound(ctx context.Context, event models.InboundEvent) error {
	_, err := s.executeInbound(ctx, event)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	return Unavailable(err)
}

func (s *Starter) executeInbound(ctx context.Context, event models.InboundEvent) (client.WorkflowRun, error) {
	in := contract.InboundInput{InboundEventID: event.ID}
	return s.temporal.ExecuteWorkflow(ctx, contract.InboundOptions(ofInbound(event)), contract.TypeInbound, in)
}
