package store_test

import (
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// inboundCalls are about sources and what they receive.
func (p *plansRig) inboundCalls() map[string]func() {
	ctx, s, t, now, owner, source, inbound := p.t.Context(), p.store, p.t, p.store.Now(), models.Scope{OwnerID: p.webhook.OwnerID}, p.source, p.inbound
	return map[string]func(){
		"CreateSource": func() {
			p.ok(s.CreateSource(ctx, &models.Source{OwnerID: owner.OwnerID, Name: "n", Scheme: "stripe"}, []string{"x"}))
		},
		"DeleteSource":  func() { p.ok(s.DeleteSource(ctx, everything, p.sources[2].ID)) },
		"FailInbound":   func() { p.ok(s.FailInbound(ctx, inbound.ID, "x")) },
		"InboundEvent":  func() { _, err := s.InboundEvent(ctx, owner, inbound.ID); p.ok(err) },
		"InboundEvents": p.inboundEvents,
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
		"RecordRejections": func() {
			p.ok(s.RecordRejections(ctx, source.ID, store.Rejected{Count: 1, Last: []models.Rejection{
				{ID: typeid.New(typeid.KindRejection, now), SourceID: source.ID, CreatedAt: now},
			}}))
		},
		"RecordRejection":  func() { p.ok(s.RecordRejection(ctx, source.ID, "x", "192.0.2.1")) },
		"Rejections":       func() { _, err := s.Rejections(ctx, source.ID); p.ok(err) },
		"ReprocessInbound": func() { p.ok(s.ReprocessInbound(ctx, inbound.ID)) },
		"Source":           func() { _, err := s.Source(ctx, everything, source.ID); p.ok(err) },
		"SourceOf":         func() { _, err := s.SourceOf(ctx, inbound); p.ok(err) },
		"Sources": func() {
			p.scopes(func(scope models.Scope) {
				p.pages(func(page models.Page) models.Cursors {
					_, beside, err := s.Sources(ctx, scope, page)
					p.ok(err)
					return beside
				})
			})
		},
		"StoreInbound": func() {
			// A new one, its copy, a conflict, one with the ID of an event without a hash, and a copy of one that failed.
			failed, _, err := s.InboundEvents(ctx, everything, models.InboundFilter{Statuses: []models.InboundStatus{models.InboundFailed}}, models.Page{Limit: 1})
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
		"UpdateSource": func() {
			_, err := s.UpdateSource(ctx, everything, source.ID, func(*models.Source) ([]string, error) { return []string{"x"}, nil })
			p.ok(err)
		},
	}
}

func (p *plansRig) pendingInbound() string {
	found, err := p.store.PendingInbound(p.t.Context(), p.store.Now(), "", 1)
	p.ok(err)
	return found[0].ID
}

// inboundEvents lists with every combination of filters.
func (p *plansRig) inboundEvents() {
	p.scopes(func(scope models.Scope) {
		p.times(func(since, until time.Time) {
			for _, statuses := range [][]models.InboundStatus{
				nil, {models.InboundPending}, {models.InboundProcessed}, {models.InboundFailed}, {models.InboundProcessed, models.InboundFailed},
			} {
				filters := combinations("", p.source.ID, rareType)
				if since.IsZero() {
					filters = append(filters, combinations("", p.source.ID+","+p.sources[len(p.sources)-2].ID, rareType+",kind48")...)
				}
				for _, filter := range filters {
					p.pages(func(page models.Page) models.Cursors {
						_, beside, err := p.store.InboundEvents(p.t.Context(), scope, models.InboundFilter{
							Statuses: statuses, SourceIDs: given(filter[0]), Types: given(filter[1]), Since: since, Until: until, WithBody: true,
						}, page)
						p.ok(err)
						return beside
					})
				}
			}
		})
	})
}
