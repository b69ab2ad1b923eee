package dispatch

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

// testData is the data of the event that tests a webhook.
const testData = `{"message":"This is a test webhook"}`

// Test sends a webhook.test event to one webhook, active or not, and waits until its single attempt is made. Only few
// are made at once: beyond that it is a TooManyTestsError.
func (d *Dispatcher) Test(ctx context.Context, webhook models.Webhook) (models.Delivery, error) {
	return d.test(ctx, webhook, func() (models.Delivery, error) { return d.store.PublishTest(ctx, webhook, []byte(testData)) })
}

// TestExample is Test with an event of another type.
func (d *Dispatcher) TestExample(ctx context.Context, webhook models.Webhook, eventType string, data []byte) (models.Delivery, error) {
	return d.test(ctx, webhook, func() (models.Delivery, error) { return d.store.PublishExample(ctx, webhook, eventType, data) })
}

func (d *Dispatcher) test(ctx context.Context, webhook models.Webhook, publish func() (models.Delivery, error)) (models.Delivery, error) {
	if webhook.Suspended {
		return models.Delivery{}, models.ErrOwnerSuspended
	}
	leave, err := d.tests.enter(webhook, time.Now())
	if err != nil {
		return models.Delivery{}, err
	}
	delivery, err := publish()
	if err != nil {
		leave()
		return delivery, err
	}
	run, err := d.starter.StartTest(ctx, delivery)
	if err != nil {
		leave()
		// A test that arrives later, sent by the sweep, would only confuse.
		if cancelErr := d.store.CancelDelivery(ctx, delivery.ID, models.CauseRequest, "the test could not be started"); cancelErr != nil {
			d.logger.WarnContext(ctx, "test delivery not cancelled", "delivery_id", delivery.ID, "error", cancelErr)
		}
		return delivery, err
	}
	err = awaitTest(ctx, run, leave)
	var ended *temporal.WorkflowExecutionError
	if errors.As(err, &ended) {
		return delivery, nil // a refusal is an outcome, which the log tells
	}
	return delivery, start.Unavailable(err)
}

// awaitTest waits for the end of a test. A caller that hangs up is let go at once; the test counts until it has ended,
// because the request to the receiver is still under way.
func awaitTest(ctx context.Context, run client.WorkflowRun, leave func()) error {
	ended := make(chan error, 1)
	go func() {
		defer leave()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timing.TestWait)
		defer cancel()
		ended <- run.Get(ctx, nil)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
