package start

import (
	"time"

	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// ofDelivery is what Temporal shows of a delivery.
func ofDelivery(d models.Delivery) contract.Delivery {
	return contract.Delivery{ID: d.ID, OwnerID: d.OwnerID, WebhookID: d.WebhookID, Event: d.Event, Host: d.Host}
}

// ofRecovery is what Temporal shows of a recovery.
func ofRecovery(r models.Recovery) contract.Recovery {
	return contract.Recovery{ID: r.ID, OwnerID: r.OwnerID, WebhookID: r.WebhookID, Rate: r.Rate}
}

// ofInbound is what Temporal shows of an inbound event.
func ofInbound(i models.InboundEvent) contract.Inbound {
	return contract.Inbound{ID: i.ID, OwnerID: i.OwnerID, SourceID: i.SourceID, Type: i.Type}
}

// firstOptions start the first run of a delivery: now, or by Temporal's start delay when its time comes. What waits is
// visible, and a resend or a cancellation starts it at once.
func firstOptions(delivery models.Delivery, options client.StartWorkflowOptions) client.StartWorkflowOptions {
	if wait := delivery.StartsIn(time.Now()); wait > 0 {
		options.StartDelay, options.EnableEagerStart = wait, false
	}
	return options
}
