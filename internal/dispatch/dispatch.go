// Package dispatch puts events on their way: it commits an event and its deliveries in one transaction, then
// starts their workflows. While Temporal is away it keeps trying; what it has not started when its process
// dies, the sweep starts later: the database knows every delivery that has had no attempt.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// MostStarts is how many deliveries an event may have for this process to start them, and MostAttempts for it to make
// their first attempts; those of larger events are started by a workflow.
const (
	MostStarts   = 100
	MostAttempts = 1000
)

// testTimeout bounds the wait for a test's attempt, which takes at most 30 seconds.
const testTimeout = 45 * time.Second

// testData is the data of the event that tests a webhook.
const testData = `{"message":"This is a test webhook"}`

// Errors that callers tell apart with errors.Is.
var (
	// ErrTemporalUnavailable says that Temporal did not answer.
	ErrTemporalUnavailable = errors.New("Temporal is not available") //nolint:staticcheck // a name
	// ErrWebhookInactive says that a delivery's webhook is paused, disabled or deleted.
	ErrWebhookInactive = errors.New("the webhook is not active")
	// ErrWebhookDeleted is the ErrWebhookInactive that nobody can change.
	ErrWebhookDeleted = fmt.Errorf("%w: it was deleted", ErrWebhookInactive)
)

// Store is what dispatching needs of the database.
type Store interface {
	Publish(ctx context.Context, event models.Event) (models.Published, error)
	PublishTest(ctx context.Context, webhook models.Webhook, data []byte) (models.Delivery, error)
	Webhook(ctx context.Context, scope models.Scope, id string) (models.Webhook, error)
	CancelDelivery(ctx context.Context, id, reason string) error
	StoreInbound(ctx context.Context, inbound *models.InboundEvent) (bool, error)
	ReprocessInbound(ctx context.Context, id string) error
	Dispatch(ctx context.Context, deliveryID, attemptID string) (models.Job, error)
	Lease(ctx context.Context, ids []string, until time.Time) error
	CreateRecovery(ctx context.Context, recovery *models.Recovery) error
	DeleteOwner(ctx context.Context, id string) (models.Owner, error)
	TouchRecovery(ctx context.Context, id string) (models.Recovery, error)
	SetRecoveryStatus(ctx context.Context, id string, status models.RecoveryStatus, reason string) (models.Recovery, error)
}

// Dispatcher publishes events and steers their deliveries. Close it to wait for the starts under way.
type Dispatcher struct {
	store    Store
	temporal client.Client
	logger   *slog.Logger
	starter  *starter
	inbound  *inboundStarter
	tests    tests
	// attempts, unless nil, is told of what is about to start in this process; direct, unless nil, makes the
	// first attempts.
	attempts Attempts
	direct   *direct
}

// New returns a Dispatcher that starts workflows in the background.
func New(store Store, temporal client.Client, logger *slog.Logger) *Dispatcher {
	return &Dispatcher{
		store: store, temporal: temporal, logger: logger,
		starter: newStarter(logger), inbound: newInboundStarter(logger),
	}
}

// AttemptWith makes first attempts the business of this process, before anything is published: with direct it
// makes them itself, without it prepares them for the workflows that start here.
func (d *Dispatcher) AttemptWith(attempts Attempts, direct bool) {
	d.attempts = attempts
	if direct {
		d.direct = newDirect(attempts, d.store, d.logger)
	}
}

// Close waits until every first attempt under way is made, and every workflow that was to be started is started
// or left to the sweep. Nothing may be published any more.
func (d *Dispatcher) Close() {
	if d.direct != nil {
		d.direct.close()
	}
	var both sync.WaitGroup
	both.Go(d.inbound.close)
	both.Go(d.starter.close)
	both.Wait()
}

// Publish stores an event with its deliveries and returns when that is durable; the workflows start behind
// it. Its errors are those of store.Store.Publish.
func (d *Dispatcher) Publish(ctx context.Context, event models.Event) (models.Published, error) {
	published, err := d.store.Publish(ctx, event)
	if err != nil {
		return published, err
	}
	if !published.Duplicate && published.Event.DeliveryCount > d.most(published) {
		d.starter.add(func(ctx context.Context) error { return d.startFanOut(ctx, published.Event.ID) })
		return published, nil
	}
	if d.direct != nil {
		d.attemptDirectly(ctx, published)
		return published, nil
	}
	if d.attempts != nil {
		d.attempts.Expect(published.Dispatches)
	}
	for _, delivery := range published.Deliveries {
		d.startSoon(delivery)
	}
	return published, nil
}

// most is how many deliveries of an event this process puts on their way itself.
func (d *Dispatcher) most(published models.Published) int {
	if d.direct != nil && published.Dispatches != nil {
		return MostAttempts
	}
	return MostStarts
}

// attemptDirectly makes the first attempts of an event in this process. What finds no room there gets its workflow.
func (d *Dispatcher) attemptDirectly(ctx context.Context, published models.Published) {
	ctx, cancel := context.WithTimeout(ctx, roomWait)
	defer cancel()
	for i, delivery := range published.Deliveries {
		dispatch, err := d.dispatchOf(ctx, published, i)
		if err != nil || !d.direct.add(ctx, dispatch, func() { d.startSoon(delivery) }) {
			d.startSoon(delivery)
		}
	}
}

// dispatchOf is what the first attempt of an event's i-th delivery needs. It is loaded where the database has not
// answered it to the publisher.
func (d *Dispatcher) dispatchOf(ctx context.Context, published models.Published, i int) (models.Job, error) {
	if published.Dispatches != nil {
		return published.Dispatches[i], nil
	}
	return d.store.Dispatch(ctx, published.Deliveries[i].ID, "")
}

// startSoon starts a delivery's workflow in the background.
func (d *Dispatcher) startSoon(delivery models.Delivery) {
	d.starter.add(func(ctx context.Context) error { return d.startDelivery(ctx, delivery) })
}

func (d *Dispatcher) startFanOut(ctx context.Context, eventID string) error {
	in := contract.FanOutInput{EventID: eventID}
	_, err := d.temporal.ExecuteWorkflow(ctx, contract.FanOutOptions(eventID), contract.TypeFanOut, in)
	return unavailable(err)
}

func (d *Dispatcher) startDelivery(ctx context.Context, delivery models.Delivery) error {
	return d.startFirst(ctx, contract.DeliveryOptions(toStart(delivery)))
}

// startFirst starts the first run of a delivery; one that was started already is left alone.
func (d *Dispatcher) startFirst(ctx context.Context, options client.StartWorkflowOptions) error {
	in := contract.DeliveryInput{DeliveryID: options.ID}
	_, err := d.temporal.ExecuteWorkflow(ctx, options, contract.TypeDelivery, in)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	return unavailable(err)
}

// Test sends a webhook.test event to one webhook, active or not, and waits until its single attempt is made. Only few
// are made at once: beyond that it is a TooManyTestsError.
func (d *Dispatcher) Test(ctx context.Context, webhook models.Webhook) (models.Delivery, error) {
	if webhook.Suspended {
		return models.Delivery{}, models.ErrOwnerSuspended
	}
	leave, err := d.tests.enter(webhook, time.Now())
	if err != nil {
		return models.Delivery{}, err
	}
	delivery, err := d.store.PublishTest(ctx, webhook, []byte(testData))
	if err != nil {
		leave()
		return delivery, err
	}
	in := contract.DeliveryInput{DeliveryID: delivery.ID}
	run, err := d.temporal.ExecuteWorkflow(ctx, contract.DeliveryOptions(toStart(delivery)), contract.TypeDelivery, in)
	if err != nil {
		leave()
		// A test that arrives later, sent by the sweep, would only confuse.
		if cancelErr := d.store.CancelDelivery(ctx, delivery.ID, "the test could not be started"); cancelErr != nil {
			d.logger.WarnContext(ctx, "test delivery not cancelled", "delivery_id", delivery.ID, "error", cancelErr)
		}
		return delivery, unavailable(err)
	}
	err = d.tests.await(ctx, func(ctx context.Context) error { return run.Get(ctx, nil) }, leave)
	var ended *temporal.WorkflowExecutionError
	if errors.As(err, &ended) {
		return delivery, nil // a refusal is an outcome, which the log tells
	}
	return delivery, unavailable(err)
}

// unavailable marks errors that come from Temporal.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrTemporalUnavailable, err)
}
