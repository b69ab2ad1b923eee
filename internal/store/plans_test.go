package store_test

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// grows are the tables that grow with use: no statement may read one as a whole.
var grows = []string{"events", "deliveries", "delivery_words", "attempts", "inbound_events", "audit"}

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
var mostRows = regexp.MustCompile(`^$|^\(status = '(delivered|processed)'::text\)$|^\(error_class = ''::text\)$`)

// fault says what is wrong with a step of a plan; it is empty when nothing is.
func fault(n node) string {
	switch {
	case strings.HasSuffix(n.Type, "Sort") && n.Rows > sortable && !sortsTies(n):
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

// sortsTies says that a step has the rows in the order of their times, and sorts only those of one microsecond.
func sortsTies(n node) bool {
	return n.Type == "Incremental Sort" && slices.ContainsFunc(n.Presorted, func(key string) bool { return strings.HasSuffix(key, "started_at") })
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
