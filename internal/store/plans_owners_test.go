package store_test

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// keyCalls are about API keys.
func (p *plansRig) keyCalls() map[string]func() {
	ctx, s, now, owner := p.t.Context(), p.store, p.store.Now(), models.Scope{OwnerID: p.webhook.OwnerID}
	return map[string]func(){
		"APIKeyByHash": func() { _, _ = s.APIKeyByHash(ctx, models.HashAPIKey("x")) },
		"AdminAPIKeys": func() {
			p.pages(func(page models.Page) models.Cursors {
				_, beside, err := s.AdminAPIKeys(ctx, page)
				p.ok(err)
				return beside
			})
		},
		"APIKeysUsed": func() { p.ok(s.APIKeysUsed(ctx, map[string]time.Time{typeid.New(typeid.KindKey, now): now})) },
		"APIKeys":     func() { p.scopes(func(scope models.Scope) { _, err := s.APIKeys(ctx, scope); p.ok(err) }) },
		"CreateAPIKey": func() {
			for _, end := range []*time.Time{nil, &now} {
				_, _, err := s.CreateAPIKey(ctx, owner.OwnerID, models.RoleFull, end)
				p.ok(err)
			}
		},
	}
}

// ownerCalls are about owners, the audit trail and what is purged.
func (p *plansRig) ownerCalls() map[string]func() {
	ctx, s, t, now, owner, delivery, webhook := p.t.Context(), p.store, p.t, p.store.Now(), models.Scope{OwnerID: p.webhook.OwnerID}, p.delivery, p.webhook
	return map[string]func(){
		"Audit": p.audit,
		"RecordAudit": func() {
			for kind, id := range map[typeid.Kind]string{typeid.KindWebhook: webhook.ID, typeid.KindDelivery: delivery.ID, typeid.KindOwner: owner.OwnerID} {
				p.ok(s.RecordAudit(ctx, &models.AuditEntry{Action: string(kind), ObjectID: id}))
			}
		},
		"RecordFailedSignIn": func() { p.ok(s.RecordFailedSignIn(ctx, "192.0.2.1")) },
		"CreateOwner":        func() { storetest.Owner(t, s, "new") },
		"DeleteOwner":        func() { _, err := s.DeleteOwner(ctx, storetest.Owner(t, s, "gone").ID); p.ok(err) },
		"DeletedOwners":      func() { _, err := s.DeletedOwners(ctx, now, 10); p.ok(err) },
		"StoredBytes":        func() { _, err := s.StoredBytes(ctx, owner.OwnerID); p.ok(err) },
		"OwnerDeliveries": func() {
			_, err := s.OwnerDeliveries(ctx, owner.OwnerID, "", 20)
			p.ok(err)
			_, err = s.OwnerDeliveries(ctx, owner.OwnerID, delivery.ID, 20)
			p.ok(err)
		},
		"PurgeOwner": func() {
			gone := p.webhooks[3].OwnerID
			_, err := s.DeleteOwner(ctx, gone)
			p.ok(err)
			purge, err := s.PurgeOwner(ctx, gone, 100)
			p.ok(err)
			require.NotEmpty(t, purge.Deleted)
		},
		"OwnerUsages": func() { _, err := s.OwnerUsages(ctx, []string{owner.OwnerID, p.webhooks[0].OwnerID}); p.ok(err) },
		"FindOwners":  func() { _, err := s.FindOwners(ctx, "x", 50); p.ok(err) },
		"OwnerNames":  func() { _, err := s.OwnerNames(ctx, []string{owner.OwnerID, p.webhooks[0].OwnerID}); p.ok(err) },
		"OwnerNamed": func() {
			for _, name := range []string{owner.OwnerID, "customer-42"} {
				_, _ = s.OwnerNamed(ctx, name)
			}
		},
		"PutOwner": func() {
			for range 2 {
				_, _, err := s.PutOwner(ctx, "put", func(o *models.Owner) error { o.Name = "put"; return nil })
				p.ok(err)
			}
		},
		"Owner": func() { _, err := s.Owner(ctx, owner.OwnerID); p.ok(err) },
		"Owners": func() {
			p.pages(func(page models.Page) models.Cursors { _, beside, err := s.Owners(ctx, page); p.ok(err); return beside })
		},
		"Purge": func() {
			for _, what := range models.Purgeables() {
				// A batch is a small part of a real table, so that reading the whole would not be wise.
				purge := models.Purge{What: what, Before: p.from.Add(p.to.Sub(p.from) / 2), Limit: 100}
				purged, err := s.Purge(ctx, purge)
				p.ok(err)
				purge.After, purge.Limit = purged.Last, 10
				_, err = s.Purge(ctx, purge)
				p.ok(err)
			}
		},
		"RevokeAnyAPIKey": func() { _ = s.RevokeAnyAPIKey(ctx, typeid.New(typeid.KindKey, now)) },
		"RevokeAPIKey":    func() { _ = s.RevokeAPIKey(ctx, typeid.New(typeid.KindKey, now)) },
		"OwnerAPIKeys": func() {
			p.pages(func(page models.Page) models.Cursors {
				_, beside, err := s.OwnerAPIKeys(ctx, owner.OwnerID, page)
				p.ok(err)
				return beside
			})
		},
		"UpdateOwner": func() {
			_, err := s.UpdateOwner(ctx, owner.OwnerID, func(o *models.Owner) error { o.Name = "x"; return nil })
			p.ok(err)
		},
	}
}

// audit lists the trail with every combination of filters.
func (p *plansRig) audit() {
	p.scopes(func(scope models.Scope) {
		p.times(func(since, until time.Time) {
			for _, filter := range []models.AuditFilter{
				{}, {Actors: []string{rareActor}}, {Actions: []string{rareActor}}, {Actors: []string{rareActor}, Actions: []string{rareActor}},
				{Actors: []string{rareActor, "kind0"}, Actions: []string{rareActor, "kind48"}},
			} {
				filter.Since, filter.Until = since, until
				p.pages(func(page models.Page) models.Cursors {
					_, beside, err := p.store.Audit(p.t.Context(), scope, filter, page)
					p.ok(err)
					return beside
				})
			}
		})
	})
}
