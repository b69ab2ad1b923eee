// Package dispatch holds what can be asked of deliveries, recoveries and inbound events: publish, resend, cancel,
// receive, recover. Each commits first and then starts a workflow in the background. If the process dies in between,
// its deliveries are still pending and the sweep starts them.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/dispatch/first"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/models"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrTemporalUnavailable says that Temporal did not answer.
	ErrTemporalUnavailable = start.ErrTemporalUnavailable
	// ErrWebhookInactive says that a delivery's webhook is paused, disabled or deleted.
	ErrWebhookInactive = errors.New("the webhook is not active")
	// ErrWebhookDeleted is the ErrWebhookInactive that nobody can change.
	ErrWebhookDeleted = fmt.Errorf("%w: it was deleted", ErrWebhookInactive)
)

// Store is what dispatching needs of the database.
type Store interface {
	Publish(ctx context.Context, event models.Event) (models.Published, error)
	PublishAll(ctx context.Context, events []models.Event) ([]models.BatchOutcome, error)
	EraseEvent(ctx context.Context, id string) (models.Event, []models.Delivery, error)
	LeaseScheduled(ctx context.Context, deliveries []models.Delivery) error
	PublishTest(ctx context.Context, webhook models.Webhook, data []byte) (models.Delivery, error)
	PublishExample(ctx context.Context, webhook models.Webhook, eventType string, data []byte) (models.Delivery, error)
	Webhook(ctx context.Context, scope models.Scope, id string) (models.Webhook, error)
	CancelDelivery(ctx context.Context, id string, cause models.CancelCause, reason string) error
	StoreInbound(ctx context.Context, inbound *models.InboundEvent) (bool, error)
	ReprocessInbound(ctx context.Context, id string) error
	Job(ctx context.Context, deliveryID, attemptID string) (models.Job, error)
	CreateRecovery(ctx context.Context, recovery *models.Recovery) error
	DeleteOwner(ctx context.Context, id string) (models.Owner, error)
	TouchRecovery(ctx context.Context, id string) (models.Recovery, error)
	InTurn(ctx context.Context, deliveries []models.Delivery) ([]models.Delivery, error)
	FirstInQueue(ctx context.Context, webhookID string) (models.Delivery, error)
	SetRecoveryStatus(ctx context.Context, id string, status models.RecoveryStatus, reason string) (models.Recovery, error)
}

// Config is what a Dispatcher works with.
type Config struct {
	Store Store
	// Starter starts workflows through the same Temporal client.
	Starter  *start.Starter
	Temporal client.Client
	// FirstAttempts, unless nil, makes first attempts in this process, without a workflow.
	FirstAttempts *first.Attempts
	// Expect, unless nil, hears of deliveries whose workflows are about to start and may run in this process.
	Expect func(jobs []models.Job)
	// Forget, unless nil, hears of events whose data was erased.
	Forget func(eventID string)
	Logger *slog.Logger
}

// Dispatcher publishes events, and resends, cancels and recovers their deliveries.
type Dispatcher struct {
	store    Store
	starter  *start.Starter
	temporal client.Client
	first    *first.Attempts
	expect   func(jobs []models.Job)
	forget   func(eventID string)
	tests    testLimit
	logger   *slog.Logger
}

// New returns a Dispatcher.
func New(cfg Config) *Dispatcher {
	return &Dispatcher{
		store: cfg.Store, starter: cfg.Starter, temporal: cfg.Temporal,
		first: cfg.FirstAttempts, expect: cfg.Expect, forget: cfg.Forget, logger: cfg.Logger,
	}
}
