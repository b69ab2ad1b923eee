package dispatch

import (
	"context"

	"github.com/postrider/postrider/internal/dispatch/first"
	"github.com/postrider/postrider/models"
)

// MostStarts is up to how many deliveries of an event this process starts workflows for, MostAttempts up to how many
// it makes first attempts for. Larger events use FanOut.
const (
	MostStarts   = 100
	MostAttempts = 1000
)

// Publish stores an event with its deliveries and returns when that is durable; everything else happens in the
// background. Its errors are those of store.Store.Publish.
func (d *Dispatcher) Publish(ctx context.Context, event models.Event) (models.Published, error) {
	published, err := d.store.Publish(ctx, event)
	if err != nil {
		return published, err
	}
	d.begin(ctx, published)
	return published, nil
}

// PublishAll stores events with their deliveries in one transaction and returns when that is durable; everything else
// happens in the background. Its errors are those of store.Store.PublishAll.
func (d *Dispatcher) PublishAll(ctx context.Context, events []models.Event) ([]models.BatchOutcome, error) {
	outcomes, err := d.store.PublishAll(ctx, events)
	if err != nil {
		return nil, err
	}
	room, cancel := context.WithTimeout(ctx, first.RoomWait) // for all of them
	defer cancel()
	for _, outcome := range outcomes {
		if outcome.Err == nil {
			d.begin(room, outcome.Published)
		}
	}
	return outcomes, nil
}

// begin puts the deliveries of an event on their way.
func (d *Dispatcher) begin(ctx context.Context, published models.Published) {
	switch {
	case published.Duplicate:
	case published.Event.DeliveryCount > min(d.most(published), len(published.Deliveries)):
		d.starter.Soon(func(ctx context.Context) error { return d.starter.StartFanOut(ctx, published.Event.ID) })
	case published.Event.Due() != nil:
		d.schedule(published.Deliveries)
	case d.first != nil:
		d.attempt(ctx, published)
	default:
		if d.expect != nil {
			d.expect(published.Jobs)
		}
		for _, delivery := range published.Deliveries {
			if delivery.Queued() {
				d.startInTurn(delivery)
				continue
			}
			d.starter.Soon(func(ctx context.Context) error { return d.starter.StartDelivery(ctx, delivery) })
		}
	}
}

// schedule starts the workflows of deliveries whose time comes later, and tells the sweep that they run.
func (d *Dispatcher) schedule(deliveries []models.Delivery) {
	for _, delivery := range deliveries {
		d.starter.Soon(func(ctx context.Context) error {
			if err := d.starter.StartDelivery(ctx, delivery); err != nil {
				return err
			}
			return d.store.LeaseScheduled(ctx, []models.Delivery{delivery})
		})
	}
}

// most is up to how many deliveries of an event this process handles without a FanOut.
func (d *Dispatcher) most(published models.Published) int {
	if d.first != nil && published.Jobs != nil {
		return MostAttempts
	}
	return MostStarts
}

// attempt makes the first attempts of an event in this process. Those that find no room in time get their workflows
// at once, those to ordered webhooks in their turn.
func (d *Dispatcher) attempt(ctx context.Context, published models.Published) {
	ctx, cancel := context.WithTimeout(ctx, first.RoomWait)
	defer cancel()
	for i, delivery := range published.Deliveries {
		if delivery.Queued() {
			d.startInTurn(delivery)
			continue
		}
		job, err := d.jobOf(ctx, published, i)
		if err != nil || !d.first.Make(ctx, job) {
			d.starter.Soon(func(ctx context.Context) error { return d.starter.StartDelivery(ctx, delivery) })
		}
	}
}

// jobOf is what the first attempt of an event's i-th delivery needs. It is loaded where the database has not answered
// it to the publisher.
func (d *Dispatcher) jobOf(ctx context.Context, published models.Published, i int) (models.Job, error) {
	if published.Jobs != nil {
		return published.Jobs[i], nil
	}
	return d.store.Job(ctx, published.Deliveries[i].ID, "")
}
