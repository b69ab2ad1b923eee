package dispatch

import (
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// toStart is what Temporal is told of a delivery.
func toStart(d models.Delivery) contract.Delivery {
	return contract.Delivery{ID: d.ID, OwnerID: d.OwnerID, WebhookID: d.WebhookID, Event: d.Event, Host: d.Host}
}

// recoveryToStart is what Temporal is told of a recovery.
func recoveryToStart(r models.Recovery) contract.Recovery {
	return contract.Recovery{ID: r.ID, OwnerID: r.OwnerID, WebhookID: r.WebhookID, Rate: r.Rate}
}

// inboundToStart is what Temporal is told of an inbound event.
func inboundToStart(i models.InboundEvent) contract.Inbound {
	return contract.Inbound{ID: i.ID, OwnerID: i.OwnerID, SourceID: i.SourceID, Type: i.Type}
}
