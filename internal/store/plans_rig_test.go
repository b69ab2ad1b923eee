package store_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

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
	fillWords(t, p.db)
	p.webhook, p.source = p.webhooks[len(p.webhooks)-1], p.sources[len(p.sources)-1]
	deliveries, _, err := p.store.Deliveries(t.Context(), everything, models.DeliveryFilter{WebhookIDs: []string{p.webhook.ID}}, models.Page{})
	require.NoError(t, err)
	p.delivery = deliveries[0]
	inbound, _, err := p.store.InboundEvents(t.Context(), everything, models.InboundFilter{SourceIDs: []string{p.source.ID}}, models.Page{})
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
	all := map[string]func(){}
	for _, calls := range []map[string]func(){
		p.deliveryCalls(), p.webhookCalls(), p.ownerCalls(), p.keyCalls(), p.inboundCalls(), p.recoveryCalls(), p.eventTypeCalls(),
		p.eventCalls(), p.idempotentCalls(), p.sessionCalls(), p.overviewCalls(),
	} {
		maps.Copy(all, calls)
	}
	return all
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

// pages calls a function for the first page, for the second one, which is as large as they get, and for the first again,
// on the way back.
func (p *plansRig) pages(call func(models.Page) models.Cursors) {
	for _, oldestFirst := range []bool{false, true} {
		beside := call(models.Page{Limit: 5, OldestFirst: oldestFirst})
		if beside.Next != "" {
			beside = call(models.Page{Limit: models.MaxLimit, Cursor: beside.Next, OldestFirst: oldestFirst})
		}
		if beside.Prev != "" {
			call(models.Page{Limit: 5, Cursor: beside.Prev, OldestFirst: oldestFirst})
		}
	}
}

// given are the values of a filter; none for an empty text.
func given(values string) []string {
	if values == "" {
		return nil
	}
	return strings.Split(values, ",")
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
