package store_test

import (
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// Searches of a log as large as the variable says: how long a page takes, and which statements it sends. `make search` shows
// it on 1,000,000 deliveries.
func TestSearchOfALargeLog(t *testing.T) {
	t.Parallel()
	attempts, err := strconv.Atoi(os.Getenv(attemptsVariable))
	if err != nil {
		t.Skipf("%s says how many deliveries: to write them takes a while", attemptsVariable)
	}
	r := newRetentionRig(t, storetest.PostgresURL(t), filling{Deliveries: attempts})
	fillWords(t, r.db)
	var rows, size int64
	require.NoError(t, r.db.Raw("SELECT count(*) FROM delivery_words").Scan(&rows).Error)
	require.NoError(t, r.db.Raw("SELECT pg_total_relation_size('delivery_words')").Scan(&size).Error)
	t.Logf("%d deliveries, %d words, %d MiB", attempts, rows, size>>20)

	quiet := r.webhooks[len(r.webhooks)-1]
	middle, _, err := r.store.Deliveries(t.Context(), everything, models.DeliveryFilter{Until: r.from.Add(r.to.Sub(r.from) / 2)}, models.Page{Limit: 1})
	require.NoError(t, err)
	for _, asked := range []struct {
		name, text string
		scope      models.Scope
		filter     models.DeliveryFilter
	}{
		{name: "a word of one delivery", text: "number" + strconv.Itoa(attempts/2)},
		{name: "a word of one in a thousand", text: "seldom"},
		{name: "a word of all", text: "everything"},
		{name: "a word of the oldest", text: "once"},
		{name: "words of all, of one in fifty, of one in a thousand", text: "everything 500 seldom"},
		{name: "two frequent words that never meet", text: "lately once"},
		{name: "a word of all, of a quiet owner's key", text: "everything", scope: models.Scope{OwnerID: quiet.OwnerID}},
		{name: "a word of all, of a quiet webhook", text: "everything", filter: models.DeliveryFilter{WebhookIDs: []string{quiet.ID}}},
		{name: "a word of nothing", text: "nothing"},
		{name: "a delivery's ID", text: middle[0].ID},
		{name: "the beginning of an event's ID", text: middle[0].EventID[:20]},
		{name: "a webhook's ID", text: quiet.ID},
		{name: "an owner's ID", text: r.webhooks[0].OwnerID},
		{name: "a frequent type", text: "order.kind0"},
		{name: "a rare type", text: rareEvent},
		{name: "a frequent type, of a quiet owner's key", text: "order.kind0", scope: models.Scope{OwnerID: quiet.OwnerID}},
		{name: "the beginning of fifty types", text: "order."},
		{name: "the beginning of fifty types, of a quiet owner's key", text: "order.", scope: models.Scope{OwnerID: quiet.OwnerID}},
	} {
		asked.filter.Search, err = models.ParseSearch(asked.text)
		require.NoError(t, err)
		var took []time.Duration
		var found []models.Delivery
		var beside models.Cursors
		for range 20 {
			r.sent.take()
			began := time.Now()
			found, beside, err = r.store.Deliveries(t.Context(), asked.scope, asked.filter, models.Page{})
			require.NoError(t, err)
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		t.Logf("%s: %d found, more: %t; in %s, at most %s, with %d statements", asked.name, len(found), beside.Next != "",
			took[10].Round(10*time.Microsecond), took[19].Round(10*time.Microsecond), len(r.sent.take()))
	}
}
