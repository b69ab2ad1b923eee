package store_test

import (
	"time"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// eventCalls are about events and how they are published.
func (p *plansRig) eventCalls() map[string]func() {
	ctx, s, t, now, owner, delivery, webhook := p.t.Context(), p.store, p.t, p.store.Now(), models.Scope{OwnerID: p.webhook.OwnerID}, p.delivery, p.webhook
	return map[string]func(){
		"Event": func() {
			broadcast := storetest.Publish(t, s, models.Event{Type: "order.kind1", Data: []byte(`{}`), Broadcast: true}).Event.ID
			_, err := s.Event(ctx, owner, broadcast)
			p.ok(err)
			_, err = s.Event(ctx, everything, delivery.EventID)
			p.ok(err)
			_, _ = s.Event(ctx, owner, delivery.EventID)
		},
		"Events": p.events,
		"Publish": func() {
			for range 2 {
				storetest.Publish(t, s, models.Event{Type: "order.kind1", Data: []byte(`{}`), OwnerID: owner.OwnerID, IdempotencyKey: key(1)})
				storetest.Publish(t, s, models.Event{Type: "order.kind1", Data: []byte(`{}`), Broadcast: true})
			}
		},
		"EraseEvent": func() { _, _, err := s.EraseEvent(ctx, delivery.EventID); p.ok(err) },
		"LeaseScheduled": func() {
			due := now.Add(time.Hour)
			published := storetest.Publish(t, s, models.Event{Type: "order.kind1", Data: []byte(`{}`), OwnerID: owner.OwnerID, DeliverAt: &due})
			p.ok(s.LeaseScheduled(ctx, published.Deliveries))
		},
		"PublishAll": func() {
			publishAll(t, s, []models.Event{
				{Type: "order.kind1", Data: []byte(`{}`), OwnerID: owner.OwnerID, IdempotencyKey: key(2)},
				{Type: "order.kind1", Data: []byte(`{}`), OwnerID: owner.OwnerID, WebhookIDs: models.WebhookIDs{webhook.ID}},
				{Type: "order.kind1", Data: []byte(`{}`), Broadcast: true}, {Type: "order.kind1", Data: []byte(`{}`), OwnerID: owner.OwnerID, IdempotencyKey: key(2)},
			})
		},
		"PublishExample": func() { _, err := s.PublishExample(ctx, webhook, "order.created", []byte(`{}`)); p.ok(err) },
		"PublishTest":    func() { _, err := s.PublishTest(ctx, webhook, []byte(`{}`)); p.ok(err) },
	}
}
