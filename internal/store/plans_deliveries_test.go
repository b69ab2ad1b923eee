package store_test

import (
	"encoding/base64"
	"slices"
	"time"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// deliveryCalls are about deliveries and attempts.
func (p *plansRig) deliveryCalls() map[string]func() {
	ctx, s, t, now, delivery, webhook := p.t.Context(), p.store, p.t, p.store.Now(), p.delivery, p.webhook
	return map[string]func(){
		"AdoptFirstAttempt": func() { _, _ = s.AdoptFirstAttempt(ctx, delivery.ID, "run") },
		"Attempts":          func() { _, err := s.Attempts(ctx, delivery.ID); p.ok(err) },
		"AttemptsPage":      p.attemptsPages,
		"AttemptsOf":        p.attemptsOf,
		"CancelDelivery":    func() { _ = s.CancelDelivery(ctx, delivery.ID, models.CauseRequest, "x") },
		"PublicKeys":        func() { _, err := s.PublicKeys(ctx, "", 5); p.ok(err) },
		"CountHour":         func() { _, err := s.CountHour(ctx); p.ok(err); _, err = s.CountHour(ctx); p.ok(err) },
		"Statistics":        p.statistics,
		"CountedHours": func() {
			_, err := p.store.CountedHours(p.t.Context(), []string{p.webhook.ID, p.webhooks[0].ID}, p.to.Add(-24*time.Hour))
			p.ok(err)
		},
		"Deliveries": func() { p.deliveries(); p.searches(); p.ownersTypes() },
		"Delivery": func() {
			p.scopes(func(scope models.Scope) { _, err := s.Delivery(ctx, scope, delivery.ID); p.ok(err) })
		},
		"Job": func() {
			_, err := s.Job(ctx, delivery.ID, models.AttemptID("run", 1, now))
			p.ok(err)
		},
		"FinalFailure": func() { _, err := s.FinalFailure(ctx, delivery.ID); p.ok(err) },
		"PendingDeliveries": func() {
			for _, madeBy := range []time.Time{now, p.from} {
				found, err := s.PendingDeliveries(ctx, madeBy, "", 20)
				p.ok(err)
				_, err = s.PendingDeliveries(ctx, madeBy, found[len(found)-1].ID, 200)
				p.ok(err)
			}
		},
		"PendingDeliveriesOf": func() { _, err := s.PendingDeliveriesOf(ctx, delivery.EventID, "", 200); p.ok(err) },
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
		"AwaitTurn":           func() { _, err := s.AwaitTurn(ctx, delivery.ID, "run"); p.ok(err) },
		"JoinQueue":           func() { _, err := s.JoinQueue(ctx, delivery); p.ok(err) },
		"FirstInQueue":        func() { _, _ = s.FirstInQueue(ctx, webhook.ID) },
		"FirstInQueueOf":      func() { _, _ = s.FirstInQueueOf(ctx, delivery.ID) },
		"FirstInQueues":       func() { _, err := s.FirstInQueues(ctx, []string{webhook.ID}); p.ok(err) },
		"InTurn":              func() { _, err := s.InTurn(ctx, []models.Delivery{delivery}); p.ok(err) },
		"QueueHeads":          func() { _, err := s.QueueHeads(ctx, now, "", 200); p.ok(err) },
		"ReserveRequest":      func() { _, err := s.ReserveRequest(ctx, webhook.ID, 1, nil); p.ok(err) },
		"Postpone":            func() { p.ok(s.Postpone(ctx, delivery.ID, now, now)) },
		"Lease":               func() { p.ok(s.Lease(ctx, []string{delivery.ID, "x"}, now)) },
		"UnstartedDeliveries": func() { _, err := s.UnstartedDeliveries(ctx, delivery.ID, 200); p.ok(err) },
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
	}
}

// deliveries lists with every combination of filters.
func (p *plansRig) deliveries() {
	p.scopes(func(scope models.Scope) {
		p.times(func(since, until time.Time) {
			for _, statuses := range statusFilters() {
				filters := combinations("", p.webhook.ID, p.delivery.EventID, rareEvent, p.webhook.OwnerID)
				if since.IsZero() {
					other := p.webhooks[len(p.webhooks)-2]
					filters = append(filters, combinations("", p.webhook.ID+","+other.ID, rareEvent+",order.kind48", p.webhook.OwnerID+","+other.OwnerID)...)
				}
				for _, filter := range filters {
					if len(filter) == 3 { // several values; of events, one is as good as another
						filter = slices.Insert(filter, 1, "")
					}
					p.pages(func(page models.Page) models.Cursors {
						_, beside, err := p.store.Deliveries(p.t.Context(), scope, models.DeliveryFilter{
							Statuses: statuses, WebhookIDs: given(filter[0]), EventIDs: given(filter[1]), Events: given(filter[2]), OwnerIDs: given(filter[3]),
							Since: since, Until: until,
						}, page)
						p.ok(err)
						return beside
					})
				}
			}
		})
	})
}

// searches looks for everything that a search can mean, with the filters that change how.
func (p *plansRig) searches() {
	owner := p.webhook.OwnerID
	for _, text := range []string{
		"everything", "seldom", "once", "everything seldom 500", "nothing", rareEvent,
		p.delivery.ID[:20], p.delivery.EventID[:20], p.webhook.ID[:20], owner[:20],
	} {
		search, err := models.ParseSearch(text)
		p.ok(err)
		p.scopes(func(scope models.Scope) {
			p.times(func(since, until time.Time) {
				for _, filter := range []models.DeliveryFilter{
					{}, {OwnerIDs: []string{owner}}, {WebhookIDs: []string{p.webhook.ID}, Statuses: []models.Status{models.StatusFailed, models.StatusCancelled}},
				} {
					filter.Search, filter.Since, filter.Until = search, since, until
					p.pages(func(page models.Page) models.Cursors {
						_, beside, err := p.store.Deliveries(p.t.Context(), scope, filter, page)
						p.ok(err)
						return beside
					})
				}
			})
		})
	}
}

// ownersTypes looks for several types, of one owner or webhook.
func (p *plansRig) ownersTypes() {
	search, err := models.ParseSearch("order.kind")
	p.ok(err)
	for _, filter := range []models.DeliveryFilter{{OwnerIDs: []string{p.webhook.OwnerID}}, {WebhookIDs: []string{p.webhook.ID}}} {
		filter.Search = search
		p.pages(func(page models.Page) models.Cursors {
			_, beside, err := p.store.Deliveries(p.t.Context(), everything, filter, page)
			p.ok(err)
			return beside
		})
	}
}

// statusFilters are none, each status, and some together.
func statusFilters() [][]models.Status {
	filters := [][]models.Status{nil, {models.StatusFailed, models.StatusPermanentlyFailed, models.StatusCancelled}, {models.StatusPending, models.StatusDelivered}}
	for _, status := range storetest.Statuses() {
		filters = append(filters, []models.Status{status})
	}
	return filters
}

// events lists with every combination of filters.
func (p *plansRig) events() {
	p.scopes(func(scope models.Scope) {
		p.times(func(since, until time.Time) {
			for _, filter := range append(combinations("", rareEvent, p.webhook.OwnerID),
				combinations("", rareEvent+",order.kind48", p.webhook.OwnerID+","+p.webhooks[len(p.webhooks)-2].OwnerID)...) {
				p.pages(func(page models.Page) models.Cursors {
					_, beside, err := p.store.Events(p.t.Context(), scope, models.EventFilter{
						Types: given(filter[0]), OwnerIDs: given(filter[1]), Since: since, Until: until, WithData: true,
					}, page)
					p.ok(err)
					return beside
				})
			}
		})
	})
}

// attemptsPages lists a delivery's attempts in each way.
func (p *plansRig) attemptsPages() {
	for _, body := range []bool{true, false} {
		for _, oldestFirst := range []bool{true, false} {
			filter := models.AttemptFilter{DeliveryID: p.delivery.ID, AttemptContents: models.AttemptContents{ResponseBody: body}}
			page := models.Page{Limit: 5, OldestFirst: oldestFirst}
			found, _, err := p.store.AttemptsPage(p.t.Context(), filter, page)
			p.ok(err)
			page.Cursor = base64.RawURLEncoding.EncodeToString([]byte(found[0].ID))
			_, _, err = p.store.AttemptsPage(p.t.Context(), filter, page)
			p.ok(err)
		}
	}
}

// attemptsOf lists with every combination of filters.
func (p *plansRig) attemptsOf() {
	other := p.webhooks[len(p.webhooks)-2]
	p.scopes(func(scope models.Scope) {
		p.times(func(since, until time.Time) {
			for _, statuses := range [][]models.AttemptStatus{nil, {models.AttemptFailed}, {models.AttemptSucceeded}} {
				for _, classes := range [][]models.ErrorClass{nil, {models.ErrorTLS}, {models.ErrorTLS, models.ErrorTimeout}} {
					for _, filter := range append(combinations("", p.webhook.ID, p.webhook.OwnerID),
						combinations("", p.webhook.ID+","+other.ID, p.webhook.OwnerID+","+other.OwnerID)...) {
						p.pages(func(page models.Page) models.Cursors {
							_, beside, err := p.store.AttemptsOf(p.t.Context(), scope, models.AttemptFilter{
								Statuses: statuses, ErrorClasses: classes, WebhookIDs: given(filter[0]), OwnerIDs: given(filter[1]), Since: since, Until: until,
							}, page)
							p.ok(err)
							return beside
						})
					}
				}
			}
		})
	})
}

// statistics asks for an hour that is counted and one that is not, with every combination of filters.
func (p *plansRig) statistics() {
	counted := models.StatisticsState{ID: 1, CountedUntil: p.to.Add(-2 * time.Hour).Truncate(time.Hour)}
	p.ok(p.db.Save(&counted).Error)
	p.scopes(func(scope models.Scope) {
		for _, filter := range combinations("", p.webhook.ID, p.webhook.OwnerID, rareEvent) {
			_, err := p.store.Statistics(p.t.Context(), scope, models.StatisticsFilter{
				WebhookIDs: given(filter[0]), OwnerIDs: given(filter[1]), Events: given(filter[2]),
				From: counted.CountedUntil.Add(-time.Hour), To: counted.CountedUntil.Add(time.Hour),
			})
			p.ok(err)
		}
	})
}
