package store_test

import (
	"sync"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

func (p *plansRig) recoveryCalls() map[string]func() {
	ctx, s, now, owner, webhook := p.t.Context(), p.store, p.store.Now(), models.Scope{OwnerID: p.webhook.OwnerID}, p.webhook
	recovery := sync.OnceValue(func() models.Recovery {
		recovery := models.Recovery{
			WebhookID: webhook.ID, OwnerID: webhook.OwnerID, Since: p.from, Until: p.to, Include: models.IncludeAll, Rate: 1,
		}
		p.ok(s.CreateRecovery(ctx, &recovery))
		return recovery
	})
	return map[string]func(){
		"ClaimRecovery":   func() { p.claimRecovery(recovery()) },
		"CollectRecovery": p.collectRecovery,
		"CreateRecovery": func() {
			p.ok(s.CreateRecovery(ctx, &models.Recovery{WebhookID: p.webhooks[2].ID, OwnerID: owner.OwnerID, Since: p.from, Until: p.to, Rate: 1}))
		},
		"OwnerRecoveries": func() { _, err := s.OwnerRecoveries(ctx, owner.OwnerID, "", 20); p.ok(err) },
		"Recoveries": func() {
			p.scopes(func(scope models.Scope) {
				for _, filter := range []models.RecoveryFilter{
					{},
					{WebhookIDs: given(webhook.ID)},
					{Statuses: []models.RecoveryStatus{models.RecoveryRunning}},
					{WebhookIDs: given(webhook.ID + "," + p.webhooks[0].ID), Statuses: []models.RecoveryStatus{models.RecoveryRunning, models.RecoveryPaused}},
				} {
					p.pages(func(page models.Page) models.Cursors {
						_, beside, err := s.Recoveries(ctx, scope, filter, page)
						p.ok(err)
						return beside
					})
				}
			})
		},
		"Recovery": func() { _, err := s.Recovery(ctx, owner, recovery().ID); p.ok(err) },
		"TouchRecovery": func() {
			_, err := s.TouchRecovery(ctx, recovery().ID)
			p.ok(err)
		},
		"SetRecoveryStatus": func() {
			_, err := s.SetRecoveryStatus(ctx, recovery().ID, models.RecoveryPaused, "x")
			p.ok(err)
		},
		"UnstartedRecoveries": func() { _, err := s.UnstartedRecoveries(ctx, now, 10); p.ok(err) },
		"FinishRecoveryPage": func() {
			page, _, err := s.ClaimRecovery(ctx, recovery().ID, 10)
			p.ok(err)
			_, err = s.FinishRecoveryPage(ctx, recovery().ID, page)
			p.ok(err)
		},
	}
}

// collectRecovery collects everything that can be included, of the busiest webhook and of a quiet one.
func (p *plansRig) collectRecovery() {
	for _, webhook := range []models.Webhook{p.webhooks[0], p.webhooks[len(p.webhooks)-2]} {
		for _, include := range []models.Include{models.IncludeFailed, models.IncludeMissed, models.IncludeAll} {
			recovery := models.Recovery{
				WebhookID: webhook.ID, OwnerID: webhook.OwnerID, Since: p.from, Until: p.to, Include: include, Rate: 1,
			}
			p.ok(p.store.CreateRecovery(p.t.Context(), &recovery))
			for parts := 0; !recovery.Collected && parts < 5; parts++ {
				var err error
				recovery, err = p.store.CollectRecovery(p.t.Context(), recovery.ID, 500)
				p.ok(err)
			}
			_, err := p.store.SetRecoveryStatus(p.t.Context(), recovery.ID, models.RecoveryCancelled, "")
			p.ok(err)
		}
	}
}

// claimRecovery claims deliveries, and after them events that were missed.
func (p *plansRig) claimRecovery(recovery models.Recovery) {
	missed := storetest.Publish(p.t, p.store, models.Event{Type: "missed", Data: []byte(`{}`)}).Event
	for _, id := range []string{p.delivery.ID, missed.ID} {
		p.ok(p.db.Exec("INSERT INTO recovery_deliveries (recovery_id, delivery_id, attempt_count) VALUES (?, ?, 1)", recovery.ID, id).Error)
	}
	for range 2 {
		_, _, err := p.store.ClaimRecovery(p.t.Context(), recovery.ID, 10)
		p.ok(err)
	}
}
