// Package activities is where workflows touch the world: they make attempts, notify owners, start workflows and delete
// what is old. The methods are thin: what they do stands in the packages below.
//
// A receiver's refusal is a result, never an error. An error of an activity means that Postrider itself could not do its
// part, for example because its database is away; Temporal then repeats the activity, and no attempt of the delivery is
// used up.
package activities

import (
	"context"
	"time"

	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/notify"
	"github.com/postrider/postrider/models"
)

// ErrTypeDeliveryNotFound is the type of the error for a delivery that is not in the database.
const ErrTypeDeliveryNotFound = "DeliveryNotFound"

// Store is what activities need of the database.
type Store interface {
	CancelDelivery(ctx context.Context, id string, cause models.CancelCause, reason string) error
	FinalFailure(ctx context.Context, deliveryID string) (models.FinalFailure, error)
	PendingDeliveries(ctx context.Context, madeBy time.Time, after string, limit int) ([]models.Delivery, error)
	PendingDeliveriesOf(ctx context.Context, eventID, after string, limit int) ([]models.Delivery, error)
	LeaseScheduled(ctx context.Context, deliveries []models.Delivery) error
	UnstartedDeliveries(ctx context.Context, after string, limit int) ([]models.Delivery, error)
	PendingInbound(ctx context.Context, receivedBy time.Time, after string, limit int) ([]models.InboundEvent, error)
	WebhookHealths(ctx context.Context, ids []string) (map[string]models.WebhookHealth, error)
	WaitingDeliveries(ctx context.Context, webhookID string, status models.Status, after string, limit int) ([]string, error)
	InTurn(ctx context.Context, deliveries []models.Delivery) ([]models.Delivery, error)
	QueueHeads(ctx context.Context, madeBy time.Time, after string, limit int) ([]models.Delivery, error)
	ProcessInbound(ctx context.Context, id string, event func(models.InboundEvent, models.Source) (models.Event, error)) (models.Published, error)
	FailInbound(ctx context.Context, id, reason string) error
	RecoveryStore
	OwnerStore
	Purge(ctx context.Context, purge models.Purge) (models.Purged, error)
	CountHour(ctx context.Context) (bool, error)
}

// Starter starts workflows; one that runs or ran already is left alone.
type Starter interface {
	StartDeliveries(ctx context.Context, deliveries []models.Delivery) error
	StartInbound(ctx context.Context, inbound []models.InboundEvent) error
	// Release tells the workflows of deliveries that a setting of their webhook was changed; one that does not run is
	// left alone.
	Release(ctx context.Context, deliveryIDs []string, signal contract.ReleaseSignal) error
	// WakeAll has deliveries go on that are the first in their queues.
	WakeAll(ctx context.Context, deliveries []models.Delivery) error
	RecoveryStarter
	// StartOwnerDeletions starts the workflows that remove owners; those that run are left alone.
	StartOwnerDeletions(ctx context.Context, ownerIDs []string) error
}

// Channel tells an owner about a final failure.
type Channel interface {
	Send(ctx context.Context, to string, notice notify.Notice) error
}

// Activities are Postrider's activities. Workflows name them by method, on a nil pointer.
type Activities struct {
	Store   Store
	Starter Starter
	// Canceller cancels what a deleted owner has under way.
	Canceller Canceller
	// Attempts makes the attempts of deliveries.
	Attempts *attempt.Maker
	// Email and Slack are nil where the installation has no such channel.
	Email Channel
	Slack Channel
	// DisableAfter is when a failing webhook is disabled, for what its owner is told; 0 for never.
	DisableAfter time.Duration
	// Retention is how long deliveries and their events are kept, InboundRetention how long inbound events are;
	// zero for ever.
	Retention        time.Duration
	InboundRetention time.Duration
	// Links writes the addresses that notices name.
	Links Links
	// Now is the clock.
	Now func() time.Time
}

// Links are addresses of this installation; a part that is not known is empty.
type Links struct {
	// API is the base URL of the REST API.
	API string
	// Workflow returns the page of a delivery's workflow in the Temporal Web UI.
	Workflow func(deliveryID string) string
}
