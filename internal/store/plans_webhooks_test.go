package store_test

import (
	"time"

	"github.com/postrider/postrider/models"
)

// webhookCalls are about webhooks and their secrets.
func (p *plansRig) webhookCalls() map[string]func() {
	ctx, s, t, owner, webhook := p.t.Context(), p.store, p.t, models.Scope{OwnerID: p.webhook.OwnerID}, p.webhook
	return map[string]func(){
		"CreateWebhook":    func() { makeWebhook(t, s, owner.OwnerID, "a") },
		"DeleteWebhook":    func() { p.ok(s.DeleteWebhook(ctx, everything, p.webhooks[1].ID)) },
		"RotateEncryption": func() { _, err := s.RotateEncryption(ctx); p.ok(err) },
		"RotateSecret":     func() { rotate(t, s, &webhook, time.Hour) },
		"WebhookHealths":   func() { _, err := s.WebhookHealths(ctx, []string{webhook.ID}); p.ok(err) },
		"SealClear":        func() { _, err := s.SealClear(ctx); p.ok(err) },
		"UpdateWebhook": func() {
			for range 2 {
				_, err := s.UpdateWebhook(ctx, everything, webhook.ID, func(w *models.Webhook) error {
					w.URL, w.Active = w.URL+"x", !w.Active
					return nil
				})
				p.ok(err)
			}
			order(t, s, webhook.ID, models.Queueing{Ordered: true})
			order(t, s, webhook.ID, models.Queueing{Ordered: true, OnFailure: models.OnFailureSkip})
			order(t, s, webhook.ID, models.Queueing{})
		},
		"WebhooksOf": func() {
			_, err := s.WebhooksOf(ctx, owner.OwnerID, []string{webhook.ID, p.webhooks[0].ID})
			p.ok(err)
		},
		"Webhook": func() { _, err := s.Webhook(ctx, everything, webhook.ID); p.ok(err) },
		"Webhooks": func() {
			active := true
			p.scopes(func(scope models.Scope) {
				for _, filter := range []models.WebhookFilter{
					{}, {OwnerIDs: given(owner.OwnerID)}, {Active: &active}, {OwnerIDs: given(owner.OwnerID), Active: &active},
					{OwnerIDs: given(owner.OwnerID + "," + p.webhooks[0].OwnerID), Active: &active},
					{OwnerIDs: given(owner.OwnerID), ExternalIDs: given("main")},
				} {
					p.pages(func(page models.Page) models.Cursors {
						_, beside, err := s.Webhooks(ctx, scope, filter, page)
						p.ok(err)
						return beside
					})
				}
			})
		},
	}
}
