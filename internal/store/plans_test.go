package store_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// grows are the tables that grow with use: no statement may read one as a whole.
var grows = []string{"events", "deliveries", "attempts", "inbound_events", "audit"}

// The rarest types of events in the log.
const rareEvent, rareType, rareActor = "order.kind49", "kind49", "kind49"

// sortable is how many rows a statement may sort: what belongs to one thing, or one page.
const sortable = 1000

// Every statement of the store finds its rows by an index, whatever filters are asked for.
func TestPlans(t *testing.T) {
	t.Parallel()
	p := newPlansRig(t)
	calls := p.calls()
	store := reflect.TypeFor[*store.Store]()
	contextType := reflect.TypeFor[context.Context]()
	for i := range store.NumMethod() {
		method := store.Method(i)
		if method.Type.NumIn() < 2 || method.Type.In(1) != contextType || method.Name == "Ping" {
			continue // asks the database nothing
		}
		call, ok := calls[method.Name]
		require.True(t, ok, "add Store.%s to calls, so that the plans of its statements are checked", method.Name)
		p.sent.take()
		call()
		sent := p.sent.take()
		require.NotEmpty(t, sent, "Store.%s sent no statement", method.Name)
		p.check(t, method.Name, sent)
	}
}

// What PostgreSQL plans for a new database, it keeps until the next ANALYZE: a minute, in which the tables may
// grow by a hundred thousand deliveries.
func TestPlansOfANewDatabase(t *testing.T) {
	t.Parallel()
	db, sent := storetest.Postgres(t), &statements{}
	store := storetest.New(t, db, store.Config{})
	webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
	require.NoError(t, db.Use(sent))

	now := store.Now()
	delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
	attempt := attempted(t, store, delivery, 1, models.StatusDelivered)
	for _, outcome := range []models.Outcome{
		{Attempt: attempt, Status: models.StatusDelivered, RunID: "run", Health: models.WebhookHealth{WebhookID: webhook.ID, LastSuccessAt: &now}},
		{Attempt: attempted(t, store, delivery, 2, models.StatusFailed), Status: models.StatusFailed, RunID: "run"},
	} {
		_, err := store.RecordAttempt(t.Context(), outcome)
		require.NoError(t, err)
	}
	_, err := store.Job(t.Context(), delivery.ID, attempt.ID)
	require.NoError(t, err)
	_, _ = store.AdoptFirstAttempt(t.Context(), delivery.ID, "run")
	require.NoError(t, store.Postpone(t.Context(), delivery.ID, now, now))
	_, err = store.FinalFailure(t.Context(), delivery.ID)
	require.NoError(t, err)

	all := sent.take()
	require.Greater(t, len(all), 6)
	for _, statement := range all {
		statement.genericPlan(t, db).each(func(n node) {
			if n.Type == "Seq Scan" && slices.Contains(grows, n.Relation) {
				t.Errorf("reads all of %s: %s", n.Relation, statement.sql)
			}
		})
	}
}

// mostRows matches no filter, and one that most rows pass.
var mostRows = regexp.MustCompile(`^$|^\(status = '(delivered|processed)'::text\)$`)

// fault says what is wrong with a step of a plan; it is empty when nothing is.
func fault(n node) string {
	switch {
	case strings.HasSuffix(n.Type, "Sort") && n.Rows > sortable:
		return fmt.Sprintf("sorts %.0f rows", n.Rows)
	case !slices.Contains(grows, n.Relation):
		return ""
	case n.Type == "Seq Scan":
		return "reads all of " + n.Relation
	case strings.HasPrefix(n.Type, "Index") && n.Cond == "" && !mostRows.MatchString(n.Filter) && n.Index != "deliveries_pending":
		return fmt.Sprintf("goes through all of %s for %s", n.Index, n.Filter)
	}
	return ""
}

// check explains each statement with the values that it was sent with, and once without: after some executions
// PostgreSQL may keep one plan for all values.
func (p *plansRig) check(t *testing.T, method string, sent []statement) {
	t.Helper()
	seen := map[string]bool{}
	for _, statement := range sent {
		statement.plan(t, p.db).each(func(n node) {
			if fault := fault(n); fault != "" {
				t.Errorf("Store.%s %s: %s\n%v", method, fault, statement.sql, statement.vars)
			}
		})
		if seen[statement.sql] {
			continue
		}
		seen[statement.sql] = true
		statement.genericPlan(t, p.db).each(func(n node) {
			if n.Filter = ""; fault(n) != "" { // here a filter's values are not known
				t.Errorf("Store.%s, for any values, %s: %s", method, fault(n), statement.sql)
			}
		})
	}
}

// plansRig is a PostgreSQL database that has been in use for a while.
type plansRig struct {
	*retentionRig
	t *testing.T
	// The webhook and the source are the quietest, and of one owner: a list that does not look up the few rows
	// of theirs would read all others.
	webhook  models.Webhook
	source   models.Source
	delivery models.Delivery
	inbound  models.InboundEvent
}

func newPlansRig(t *testing.T) *plansRig {
	t.Helper()
	p := &plansRig{retentionRig: newRetentionRig(t, storetest.PostgresURL(t), filling{Deliveries: 20_000, Inbound: 20_000}), t: t}
	p.webhook, p.source = p.webhooks[len(p.webhooks)-1], p.sources[len(p.sources)-1]
	deliveries, _, err := p.store.Deliveries(t.Context(), everything, models.DeliveryFilter{WebhookID: p.webhook.ID}, models.Page{})
	require.NoError(t, err)
	p.delivery = deliveries[0]
	inbound, _, err := p.store.InboundEvents(t.Context(), everything, models.InboundFilter{SourceID: p.source.ID}, models.Page{})
	require.NoError(t, err)
	p.inbound = inbound[0]
	return p
}

func (p *plansRig) ok(err error) {
	p.t.Helper()
	require.NoError(p.t, err)
}

// calls has one entry for each method of the store that asks the database, by name. Each calls its method with
// everything that changes the statement.
func (p *plansRig) calls() map[string]func() {
	ctx, s, t := p.t.Context(), p.store, p.t
	now := s.Now()
	owner := models.Scope{OwnerID: p.webhook.OwnerID}
	delivery, webhook, source, inbound := p.delivery, p.webhook, p.source, p.inbound
	recovery := sync.OnceValue(func() models.Recovery {
		recovery := models.Recovery{
			WebhookID: webhook.ID, OwnerID: webhook.OwnerID, Since: p.from, Until: p.to, Include: models.IncludeAll, Rate: 1,
		}
		p.ok(s.CreateRecovery(ctx, &recovery))
		return recovery
	})
	return map[string]func(){
		"AdoptFirstAttempt": func() { _, _ = s.AdoptFirstAttempt(ctx, delivery.ID, "run") },
		"APIKeyByToken":     func() { _, _ = s.APIKeyByToken(ctx, "x") },
		"APIKeysUsed":       func() { p.ok(s.APIKeysUsed(ctx, map[string]time.Time{typeid.New(typeid.KindKey, now): now})) },
		"APIKeys":           func() { p.scopes(func(scope models.Scope) { _, err := s.APIKeys(ctx, scope); p.ok(err) }) },
		"Attempts":          func() { _, err := s.Attempts(ctx, delivery.ID); p.ok(err) },
		"AttemptsPage":      p.attemptsPages,
		"Audit":             p.audit,
		"RecordAudit": func() {
			for kind, id := range map[typeid.Kind]string{typeid.KindWebhook: webhook.ID, typeid.KindDelivery: delivery.ID, typeid.KindOwner: owner.OwnerID} {
				p.ok(s.RecordAudit(ctx, &models.AuditEntry{Action: string(kind), ObjectID: id}))
			}
		},
		"RecordFailedSignIn": func() { p.ok(s.RecordFailedSignIn(ctx, "192.0.2.1")) },
		"CancelDelivery":     func() { _ = s.CancelDelivery(ctx, delivery.ID, "x") },
		"CreateAPIKey":       func() { _, _, err := s.CreateAPIKey(ctx, owner.OwnerID); p.ok(err) },
		"ClaimRecovery":      func() { p.claimRecovery(recovery()) },
		"CollectRecovery":    p.collectRecovery,
		"StopDelivery":       func() { _ = s.StopDelivery(ctx, delivery.ID, models.CauseInactive, "x") },
		"CreateAPIKeyUntil":  func() { _, _, err := s.CreateAPIKeyUntil(ctx, owner.OwnerID, &now); p.ok(err) },
		"CreateOwner":        func() { storetest.Owner(t, s, "new") },
		"CreateRecovery": func() {
			p.ok(s.CreateRecovery(ctx, &models.Recovery{WebhookID: p.webhooks[2].ID, OwnerID: owner.OwnerID, Since: p.from, Until: p.to, Rate: 1}))
		},
		"CreateSource": func() {
			p.ok(s.CreateSource(ctx, &models.Source{OwnerID: owner.OwnerID, Name: "n", Scheme: "stripe"}, []string{"x"}))
		},
		"CreateWebhook": func() { makeWebhook(t, s, owner.OwnerID, "a") },
		"DeleteSource":  func() { p.ok(s.DeleteSource(ctx, everything, p.sources[2].ID)) },
		"DeleteWebhook": func() { p.ok(s.DeleteWebhook(ctx, everything, p.webhooks[1].ID)) },
		"Deliveries":    p.deliveries,
		"Delivery": func() {
			p.scopes(func(scope models.Scope) { _, err := s.Delivery(ctx, scope, delivery.ID); p.ok(err) })
		},
		"DeleteOwner":   func() { _, err := s.DeleteOwner(ctx, storetest.Owner(t, s, "gone").ID); p.ok(err) },
		"DeletedOwners": func() { _, err := s.DeletedOwners(ctx, now, 10); p.ok(err) },
		"StoredBytes":   func() { _, err := s.StoredBytes(ctx, owner.OwnerID); p.ok(err) },
		"OwnerDeliveries": func() {
			_, err := s.OwnerDeliveries(ctx, owner.OwnerID, "", 20)
			p.ok(err)
			_, err = s.OwnerDeliveries(ctx, owner.OwnerID, delivery.ID, 20)
			p.ok(err)
		},
		"OwnerRecoveries": func() { _, err := s.OwnerRecoveries(ctx, owner.OwnerID, "", 20); p.ok(err) },
		"PurgeOwner": func() {
			gone := p.webhooks[3].OwnerID
			_, err := s.DeleteOwner(ctx, gone)
			p.ok(err)
			purge, err := s.PurgeOwner(ctx, gone, 100)
			p.ok(err)
			require.NotEmpty(t, purge.Deleted)
		},
		"Job": func() {
			_, err := s.Job(ctx, delivery.ID, models.AttemptID("run", 1, now))
			p.ok(err)
		},
		"Event": func() {
			broadcast := storetest.Publish(t, s, models.Event{Type: "order.kind1", Data: []byte(`{}`), Broadcast: true}).Event.ID
			_, err := s.Event(ctx, owner, broadcast)
			p.ok(err)
			_, err = s.Event(ctx, everything, delivery.EventID)
			p.ok(err)
			_, _ = s.Event(ctx, owner, delivery.EventID)
		},
		"Events":        p.events,
		"FailInbound":   func() { p.ok(s.FailInbound(ctx, inbound.ID, "x")) },
		"FinalFailure":  func() { _, err := s.FinalFailure(ctx, delivery.ID); p.ok(err) },
		"InboundEvent":  func() { _, err := s.InboundEvent(ctx, owner, inbound.ID); p.ok(err) },
		"InboundEvents": p.inboundEvents,
		"Owner":         func() { _, err := s.Owner(ctx, owner.OwnerID); p.ok(err) },
		"Owners": func() {
			p.pages(func(page models.Page) string { _, next, err := s.Owners(ctx, page); p.ok(err); return next })
		},
		"PendingDeliveries": func() {
			for _, madeBy := range []time.Time{now, p.from} {
				found, err := s.PendingDeliveries(ctx, madeBy, "", 20)
				p.ok(err)
				_, err = s.PendingDeliveries(ctx, madeBy, found[len(found)-1].ID, 200)
				p.ok(err)
			}
		},
		"PendingDeliveriesOf": func() { _, err := s.PendingDeliveriesOf(ctx, delivery.EventID, "", 200); p.ok(err) },
		"PendingInbound": func() {
			found, err := s.PendingInbound(ctx, now, "", 20)
			p.ok(err)
			_, err = s.PendingInbound(ctx, now, found[len(found)-1].ID, 200)
			p.ok(err)
		},
		"ProcessInbound": func() {
			published, err := s.ProcessInbound(ctx, p.pendingInbound(), func(models.InboundEvent, models.Source) (models.Event, error) {
				return models.Event{Type: "order.kind1", Data: []byte(`{}`), OwnerID: owner.OwnerID}, nil
			})
			p.ok(err)
			require.NotEmpty(t, published.Deliveries)
		},
		"Publish": func() {
			for range 2 {
				storetest.Publish(t, s, models.Event{Type: "order.kind1", Data: []byte(`{}`), OwnerID: owner.OwnerID, IdempotencyKey: key(1)})
				storetest.Publish(t, s, models.Event{Type: "order.kind1", Data: []byte(`{}`), Broadcast: true})
			}
		},
		"PublishTest": func() { _, err := s.PublishTest(ctx, webhook, []byte(`{}`)); p.ok(err) },
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
		"RecordAttempt": func() {
			settled := models.WebhookHealth{WebhookID: webhook.ID, LastSuccessAt: &now}
			attempt := attempted(t, s, delivery, 8, models.StatusDelivered)
			attempt.StartedAt = now
			_, err := s.RecordAttempt(ctx, models.Outcome{Attempt: attempt, Status: models.StatusDelivered, RunID: "run", Health: settled})
			p.ok(err)
			attempt = attempted(t, s, delivery, 9, models.StatusFailed)
			for _, outcome := range []models.Outcome{
				{Attempt: attempt, Status: models.StatusDelivered},
				{Attempt: attempt, Status: models.StatusPermanentlyFailed, DisableWebhook: "gone"},
			} {
				_, err := s.RecordAttempt(ctx, outcome)
				p.ok(err)
				_, err = s.RecordAttempt(ctx, outcome)
				p.ok(err)
				attempt.ID = models.AttemptID("other", 1, now)
			}
		},
		"RecordRejections": func() {
			p.ok(s.RecordRejections(ctx, source.ID, models.Rejected{Count: 1, Last: []models.Rejection{
				{ID: typeid.New(typeid.KindRejection, now), SourceID: source.ID, CreatedAt: now},
			}}))
		},
		"Recoveries": func() {
			p.scopes(func(scope models.Scope) {
				for _, filter := range []models.RecoveryFilter{{}, {WebhookID: webhook.ID}, {Status: models.RecoveryRunning}} {
					p.pages(func(page models.Page) string {
						_, next, err := s.Recoveries(ctx, scope, filter, page)
						p.ok(err)
						return next
					})
				}
			})
		},
		"Recovery":         func() { _, err := s.Recovery(ctx, owner, recovery().ID); p.ok(err) },
		"RotateEncryption": func() { _, err := s.RotateEncryption(ctx); p.ok(err) },
		"ReserveRequest":   func() { _, err := s.ReserveRequest(ctx, webhook.ID, 1, nil); p.ok(err) },
		"RevokeAnyAPIKey":  func() { _ = s.RevokeAnyAPIKey(ctx, typeid.New(typeid.KindKey, now)) },
		"RecordRejection":  func() { p.ok(s.RecordRejection(ctx, source.ID, "x", "192.0.2.1")) },
		"Rejections":       func() { _, err := s.Rejections(ctx, source.ID); p.ok(err) },
		"ReprocessInbound": func() { p.ok(s.ReprocessInbound(ctx, inbound.ID)) },
		"RevokeAPIKey":     func() { _ = s.RevokeAPIKey(ctx, typeid.New(typeid.KindKey, now)) },
		"RotateSecret":     func() { rotate(t, s, &webhook, time.Hour) },
		"TouchRecovery": func() {
			_, err := s.TouchRecovery(ctx, recovery().ID)
			p.ok(err)
		},
		"SetRecoveryStatus": func() {
			_, err := s.SetRecoveryStatus(ctx, recovery().ID, models.RecoveryPaused, "x")
			p.ok(err)
		},
		"UnstartedRecoveries": func() { _, err := s.UnstartedRecoveries(ctx, now, 10); p.ok(err) },
		"WebhookHealths":      func() { _, err := s.WebhookHealths(ctx, []string{webhook.ID}); p.ok(err) },
		"Postpone":            func() { p.ok(s.Postpone(ctx, delivery.ID, now, now)) },
		"Lease":               func() { p.ok(s.Lease(ctx, []string{delivery.ID, "x"}, now)) },
		"UnstartedDeliveries": func() { _, err := s.UnstartedDeliveries(ctx, delivery.ID, 200); p.ok(err) },
		"OwnerAPIKeys": func() {
			p.pages(func(page models.Page) string {
				_, next, err := s.OwnerAPIKeys(ctx, owner.OwnerID, page)
				p.ok(err)
				return next
			})
		},
		"FinishRecoveryPage": func() {
			page, _, err := s.ClaimRecovery(ctx, recovery().ID, 10)
			p.ok(err)
			_, err = s.FinishRecoveryPage(ctx, recovery().ID, page)
			p.ok(err)
		},
		"Source":   func() { _, err := s.Source(ctx, everything, source.ID); p.ok(err) },
		"SourceOf": func() { _, err := s.SourceOf(ctx, inbound); p.ok(err) },
		"Sources": func() {
			p.scopes(func(scope models.Scope) {
				p.pages(func(page models.Page) string { _, next, err := s.Sources(ctx, scope, page); p.ok(err); return next })
			})
		},
		"StoreInbound": func() {
			// A new one, its copy, a conflict, one with the ID of an event without a hash, and a copy of one that failed.
			failed, _, err := s.InboundEvents(ctx, everything, models.InboundFilter{Status: models.InboundFailed}, models.Page{Limit: 1})
			p.ok(err)
			for _, event := range []models.InboundEvent{
				{SourceID: source.ID, ProviderID: "new", Body: []byte(`{}`)}, {SourceID: source.ID, ProviderID: "new", Body: []byte(`{}`)},
				{SourceID: source.ID, ProviderID: "new", Body: []byte(`[]`)}, {SourceID: source.ID, ProviderID: inbound.ProviderID, Body: []byte(`[]`)},
				{SourceID: failed[0].SourceID, ProviderID: failed[0].ProviderID, Body: []byte(strings.Repeat(`{"a":1}`, 40))},
			} {
				_, err := s.StoreInbound(ctx, &event)
				p.ok(err)
			}
		},
		"SealClear": func() { _, err := s.SealClear(ctx); p.ok(err) },
		"UpdateOwner": func() {
			_, err := s.UpdateOwner(ctx, owner.OwnerID, func(o *models.Owner) error { o.Name = "x"; return nil })
			p.ok(err)
		},
		"UpdateSource": func() {
			_, err := s.UpdateSource(ctx, everything, source.ID, func(*models.Source) ([]string, error) { return []string{"x"}, nil })
			p.ok(err)
		},
		"UpdateWebhook": func() {
			for range 2 {
				_, err := s.UpdateWebhook(ctx, everything, webhook.ID, func(w *models.Webhook) error {
					w.URL, w.Active = w.URL+"x", !w.Active
					return nil
				})
				p.ok(err)
			}
		},
		"WaitingDeliveries": func() {
			for _, status := range []models.Status{models.StatusPending, models.StatusFailed} {
				ids, err := s.WaitingDeliveries(ctx, webhook.ID, status, "", 5)
				p.ok(err)
				if len(ids) > 0 {
					_, err = s.WaitingDeliveries(ctx, webhook.ID, status, ids[len(ids)-1], 200)
					p.ok(err)
				}
			}
		},
		"Webhook": func() { _, err := s.Webhook(ctx, everything, webhook.ID); p.ok(err) },
		"Webhooks": func() {
			active := true
			p.scopes(func(scope models.Scope) {
				for _, filter := range []models.WebhookFilter{{}, {OwnerID: owner.OwnerID}, {Active: &active}, {OwnerID: owner.OwnerID, Active: &active}} {
					p.pages(func(page models.Page) string {
						_, next, err := s.Webhooks(ctx, scope, filter, page)
						p.ok(err)
						return next
					})
				}
			})
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

func (p *plansRig) pendingInbound() string {
	found, err := p.store.PendingInbound(p.t.Context(), p.store.Now(), "", 1)
	p.ok(err)
	return found[0].ID
}

// deliveries lists with every combination of filters.
func (p *plansRig) deliveries() {
	p.scopes(func(scope models.Scope) {
		p.times(func(since, until time.Time) {
			for _, status := range append(storetest.Statuses(), "") {
				for _, filter := range combinations("", p.webhook.ID, p.delivery.EventID, rareEvent, p.webhook.OwnerID) {
					p.pages(func(page models.Page) string {
						_, next, err := p.store.Deliveries(p.t.Context(), scope, models.DeliveryFilter{
							Status: status, WebhookID: filter[0], EventID: filter[1], Event: filter[2], OwnerID: filter[3],
							Since: since, Until: until,
						}, page)
						p.ok(err)
						return next
					})
				}
			}
		})
	})
}

// events lists with every combination of filters.
func (p *plansRig) events() {
	p.scopes(func(scope models.Scope) {
		p.times(func(since, until time.Time) {
			for _, filter := range combinations("", rareEvent, p.webhook.OwnerID) {
				p.pages(func(page models.Page) string {
					_, next, err := p.store.Events(p.t.Context(), scope, models.EventFilter{
						Type: filter[0], OwnerID: filter[1], Since: since, Until: until, WithData: true,
					}, page)
					p.ok(err)
					return next
				})
			}
		})
	})
}

// attemptsPages lists a delivery's attempts in each way.
func (p *plansRig) attemptsPages() {
	for _, body := range []bool{true, false} {
		for _, oldestFirst := range []bool{true, false} {
			filter := models.AttemptFilter{DeliveryID: p.delivery.ID, WithBody: body}
			page := models.Page{Limit: 5, OldestFirst: oldestFirst}
			found, _, err := p.store.AttemptsPage(p.t.Context(), filter, page)
			p.ok(err)
			page.Cursor = base64.RawURLEncoding.EncodeToString([]byte(found[0].ID))
			_, _, err = p.store.AttemptsPage(p.t.Context(), filter, page)
			p.ok(err)
		}
	}
}

// inboundEvents lists with every combination of filters.
func (p *plansRig) inboundEvents() {
	p.scopes(func(scope models.Scope) {
		p.times(func(since, until time.Time) {
			for _, status := range []models.InboundStatus{"", models.InboundPending, models.InboundProcessed, models.InboundFailed} {
				for _, filter := range combinations("", p.source.ID, rareType) {
					p.pages(func(page models.Page) string {
						_, next, err := p.store.InboundEvents(p.t.Context(), scope, models.InboundFilter{
							Status: status, SourceID: filter[0], Type: filter[1], Since: since, Until: until, WithBody: true,
						}, page)
						p.ok(err)
						return next
					})
				}
			}
		})
	})
}

// audit lists the trail with every combination of filters.
func (p *plansRig) audit() {
	p.scopes(func(scope models.Scope) {
		p.times(func(since, until time.Time) {
			for _, filter := range []models.AuditFilter{
				{}, {Actors: []string{rareActor}}, {Actions: []string{rareActor}}, {Actors: []string{rareActor}, Actions: []string{rareActor}},
			} {
				filter.Since, filter.Until = since, until
				p.pages(func(page models.Page) string {
					_, next, err := p.store.Audit(p.t.Context(), scope, filter, page)
					p.ok(err)
					return next
				})
			}
		})
	})
}

// scopes calls a function for an administrator and for an owner.
func (p *plansRig) scopes(call func(models.Scope)) {
	call(everything)
	call(models.Scope{OwnerID: p.webhook.OwnerID})
}

// times calls a function with the bounds of a list: none, the first and the last tenth, and a tenth between.
func (p *plansRig) times(call func(since, until time.Time)) {
	tenth := p.to.Sub(p.from) / 10
	call(time.Time{}, time.Time{})
	call(p.to.Add(-tenth), time.Time{})
	call(time.Time{}, p.from.Add(tenth))
	call(p.from.Add(4*tenth), p.from.Add(5*tenth))
}

// pages calls a function for the first page, for the second one, and for a page as large as they get.
func (p *plansRig) pages(call func(models.Page) (next string)) {
	for _, oldestFirst := range []bool{false, true} {
		if next := call(models.Page{Limit: 5, OldestFirst: oldestFirst}); next != "" {
			call(models.Page{Limit: models.MaxLimit, Cursor: next, OldestFirst: oldestFirst})
		}
	}
}

// combinations returns every choice of none or the value, for each of the values.
func combinations(none string, values ...string) [][]string {
	all := [][]string{nil}
	for _, value := range values {
		var next [][]string
		for _, begin := range all {
			next = append(next, append(slices.Clone(begin), none), append(slices.Clone(begin), value))
		}
		all = next
	}
	return all
}
