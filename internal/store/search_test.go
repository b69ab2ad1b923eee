package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// searchRig is a log in which deliveries have names.
type searchRig struct {
	*store.Store
	t     *testing.T
	db    *gorm.DB
	clock *storetest.Clock
	names map[string]string
	made  map[string]models.Delivery
}

func onEachSearchRig(t *testing.T, test func(t *testing.T, r *searchRig)) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s, clock := clockedStore(t, db)
		test(t, &searchRig{Store: s, t: t, db: db, clock: clock, names: map[string]string{}, made: map[string]models.Delivery{}})
	})
}

// publish publishes an event, whose deliveries get its name, with a number behind it from the second on.
func (r *searchRig) publish(name string, event models.Event) []models.Delivery {
	r.t.Helper()
	event.Data = []byte(`{}`)
	made := storetest.Publish(r.t, r.Store, event).Deliveries
	for i, delivery := range made {
		named := name
		if i > 0 {
			named += fmt.Sprint(i + 1)
		}
		r.names[delivery.ID], r.made[named] = named, delivery
	}
	r.clock.Advance(time.Millisecond)
	return made
}

// fail records an attempt that failed, with an error.
func (r *searchRig) fail(name, reason string) {
	r.t.Helper()
	r.record(name, models.Outcome{Status: models.StatusFailed, Attempt: models.Attempt{Error: reason, ErrorClass: models.ErrorTimeout}})
}

func (r *searchRig) record(name string, outcome models.Outcome) {
	r.t.Helper()
	now := r.Now()
	r.clock.Advance(time.Millisecond)
	outcome.RunID = "run"
	outcome.Attempt.DeliveryID, outcome.Attempt.StartedAt, outcome.Attempt.Trigger = r.made[name].ID, now, models.TriggerSchedule
	outcome.Attempt.ID = models.AttemptID(r.made[name].ID, 1, now)
	_, err := r.RecordAttempt(r.t.Context(), outcome)
	require.NoError(r.t, err)
}

// search returns the names of what is found on a page, with blanks between.
func (r *searchRig) search(scope models.Scope, text string, filter models.DeliveryFilter, page models.Page) (string, models.Cursors) {
	r.t.Helper()
	var err error
	filter.Search, err = models.ParseSearch(text)
	require.NoError(r.t, err)
	found, beside, err := r.Deliveries(r.t.Context(), scope, filter, page)
	require.NoError(r.t, err)
	return strings.Join(ids(found, func(d models.Delivery) string { return r.names[d.ID] }), " "), beside
}

// finds asserts what a search of an administrator finds, newest first.
func (r *searchRig) finds(want, text string) {
	r.t.Helper()
	got, _ := r.search(everything, text, models.DeliveryFilter{}, models.Page{})
	require.Equal(r.t, want, got, text)
}

func TestSearch(t *testing.T) {
	onEachSearchRig(t, func(t *testing.T, r *searchRig) {
		mine, theirs := storetest.Owner(t, r.Store, "mine"), storetest.Owner(t, r.Store, "theirs")
		first, second := makeWebhook(t, r.Store, mine.ID, "*"), makeWebhook(t, r.Store, theirs.ID, "*")
		r.publish("plain", models.Event{Type: "order.created", OwnerID: mine.ID})
		r.publish("meta", models.Event{Type: "order.paid", OwnerID: mine.ID, Metadata: models.Metadata{"customer": "customer-42", "City": "Zürich"}})
		r.publish("error", models.Event{Type: "invoice.paid", OwnerID: theirs.ID})
		r.publish("both", models.Event{Type: "invoice.paid", OwnerID: theirs.ID, Metadata: models.Metadata{"a": "42", "b": "order.created"}})
		r.fail("error", `dial tcp 10.0.0.1:443: connect: connection refused (50%_\'")`)
		r.fail("both", "timeout after 30s")

		for text, want := range map[string]string{
			"42": "both meta", "customer-42": "meta", "42 CUSTOMER": "meta", "zürich": "meta", "Zürich": "meta", "zÜrich": "", "customer": "meta",
			"timeout": "both", "timeout 42": "both", "timeout 43": "", "time": "", "connection refused": "error", "10.0.0.1": "error", "50%": "error",
			"5_": "", `c\onnection`: "", "invoice.paid": "both error", "invoice.": "both error", "inv": "both error", "voice": "",
			"order.created": "both plain", "order": "both meta plain", "ord%": "", "ord": "meta plain", "refused | timeout": "", "!timeout": "both", "tim:*": "",
			mine.ID: "meta plain", second.ID: "both error", first.ID[:len(first.ID)-4]: "meta plain", r.made["meta"].ID: "meta",
			strings.ToUpper(r.made["meta"].EventID): "meta", r.made["meta"].EventID[:20]: "meta", r.made["meta"].ID[:20]: "meta",
			"wh_" + strings.Repeat("z", 26): "", "evt_" + strings.Repeat("0", 12): "",
		} {
			r.finds(want, text)
		}
		for text, want := range map[string]string{"42": "meta", "timeout": "", "order": "meta plain", "invoice.paid": "", theirs.ID: "", second.ID[:20]: "",
			r.made["both"].ID: "", r.made["both"].EventID[:20]: "", mine.ID[:20]: "meta plain"} {
			got, _ := r.search(models.Scope{OwnerID: mine.ID}, text, models.DeliveryFilter{}, models.Page{})
			require.Equal(t, want, got, text)
		}
		for name, test := range map[string]struct {
			filter models.DeliveryFilter
			want   string
		}{
			"status":  {models.DeliveryFilter{Statuses: []models.Status{models.StatusFailed, models.StatusCancelled}}, "both"},
			"owner":   {models.DeliveryFilter{OwnerIDs: []string{mine.ID}}, "meta"},
			"owners":  {models.DeliveryFilter{OwnerIDs: []string{mine.ID, theirs.ID}}, "both meta"},
			"webhook": {models.DeliveryFilter{WebhookIDs: []string{second.ID}}, "both"},
			"type":    {models.DeliveryFilter{Events: []string{"order.paid"}}, "meta"},
			"event":   {models.DeliveryFilter{EventIDs: []string{r.made["both"].EventID}}, "both"},
			"since":   {models.DeliveryFilter{Since: r.made["both"].CreatedAt}, "both"},
			"until":   {models.DeliveryFilter{Until: r.made["both"].CreatedAt}, "meta"},
		} {
			got, _ := r.search(everything, "42", test.filter, models.Page{})
			require.Equal(t, test.want, got, name)
		}
	})
}

// The databases divide texts into words as models.Words does.
func TestWordsOfTheDatabase(t *testing.T) {
	onEachSearchRig(t, func(t *testing.T, r *searchRig) {
		makeWebhook(t, r.Store, models.DefaultOwnerID, "*")
		for i, text := range []string{
			"", "a", " a  b\tc\n", `"quoted" \back/ {json: [1]}`, "Ärger Größe €uro日本語 ✓", strings.Repeat("long", 30) + " x", strings.Repeat("é", 60),
			"A-Z_a.z@0:9`x^y[z]{u}|v~w", "a\u0080b\u00a0c\u2028d", "ǅ İ ẞ K", "x'; DROP TABLE deliveries; --", "a,b;c=d&e?f!g#h$i%j*k(l)m+n<o>p",
		} {
			name := fmt.Sprint("d", i)
			r.publish(name, models.Event{Type: "a", Metadata: models.Metadata{"m": text + "+meta"}})
			r.fail(name, text)
			var words []string
			require.NoError(t, r.db.Raw("SELECT word FROM delivery_words WHERE delivery_id = ? ORDER BY word", r.made[name].ID).Scan(&words).Error)
			require.Equal(t, slices.Sorted(slices.Values(models.Words(text+" "+text+"+meta"))), words, text)
		}
	})
}

// What a delivery is found by follows what is known of it.
func TestSearchForgets(t *testing.T) {
	onEachSearchRig(t, func(t *testing.T, r *searchRig) {
		owner := storetest.Owner(t, r.Store, "acme")
		webhook := makeWebhook(t, r.Store, owner.ID, "*")
		for _, name := range []string{"a", "b", "c"} {
			r.publish(name, models.Event{Type: "t", OwnerID: owner.ID, Metadata: models.Metadata{"m": "card 4711", "n": name + "x"}})
			r.fail(name, "card refused")
		}
		r.finds("c b a", "card")
		r.fail("a", "timeout")
		r.finds("c b", "refused")
		r.finds("a", "timeout")
		r.finds("c b a", "card")
		last := r.Now()
		r.record("a", models.Outcome{Status: models.StatusDelivered, Health: models.WebhookHealth{WebhookID: webhook.ID, LastSuccessAt: &last}})
		r.finds("", "timeout")
		r.finds("c b a", "card")

		_, _, err := r.EraseEvent(t.Context(), r.made["b"].EventID)
		require.NoError(t, err)
		r.finds("c a", "4711")
		r.finds("", "bx")
		r.finds("c b a", "card") // of b, the error is left
		r.record("b", models.Outcome{Status: models.StatusDelivered})
		r.finds("c a", "card")

		words := func() (n int64) {
			require.NoError(t, r.db.Raw("SELECT count(*) FROM delivery_words").Scan(&n).Error)
			return n
		}
		r.clock.Advance(time.Hour)
		_, err = r.Purge(t.Context(), models.Purge{Before: r.Now(), Limit: 10})
		require.NoError(t, err)
		r.finds("c", "card")
		require.EqualValues(t, len(models.Words("card 4711 cx refused")), words())
		_, err = r.DeleteOwner(t.Context(), owner.ID)
		require.NoError(t, err)
		for done := false; !done; {
			purge, err := r.PurgeOwner(t.Context(), owner.ID, 10)
			require.NoError(t, err)
			done = purge.Done
		}
		require.Zero(t, words())
	})
}

// In whatever way an event is published, its deliveries are found by its metadata.
func TestSearchFindsEachWayOfPublishing(t *testing.T) {
	onEachSearchRig(t, func(t *testing.T, r *searchRig) {
		webhook := makeWebhook(t, r.Store, models.DefaultOwnerID, "*")
		filtered := storetest.Webhook(t, r.Store, func(w *models.Webhook) { w.Events, w.Filter = []string{"filtered"}, "event.data.a == 1" })
		event := func(kind string) models.Event {
			return models.Event{Type: kind, OwnerID: models.DefaultOwnerID, Data: []byte(`{"a":1}`), Metadata: models.Metadata{"m": "needle"}}
		}
		count := func(filter models.DeliveryFilter) int {
			var err error
			filter.Search, err = models.ParseSearch("needle")
			require.NoError(t, err)
			found, _, err := r.Deliveries(t.Context(), everything, filter, models.Page{})
			require.NoError(t, err)
			return len(found)
		}
		storetest.Publish(t, r.Store, event("one"))
		broadcast := event("one")
		broadcast.OwnerID, broadcast.Broadcast = "", true
		storetest.Publish(t, r.Store, broadcast)
		named := event("two")
		named.WebhookIDs = models.WebhookIDs{filtered.ID}
		storetest.Publish(t, r.Store, named)
		storetest.Publish(t, r.Store, event("filtered"))
		publishAll(t, r.Store, []models.Event{event("one"), event("filtered")})
		require.Equal(t, 5, count(models.DeliveryFilter{WebhookIDs: []string{webhook.ID}}))
		require.Equal(t, 3, count(models.DeliveryFilter{WebhookIDs: []string{filtered.ID}}))
	})
}

// What a recovery makes of events that were missed is found too.
func TestSearchFindsWhatARecoveryMakes(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		since := r.store.Now()
		r.activate(false)
		storetest.Publish(t, r.store, models.Event{Type: "order.created", Data: []byte(`{}`), Metadata: models.Metadata{"m": "needle"}})
		r.clock.Advance(time.Millisecond)
		r.missed("plain", "order.created", r.webhook.OwnerID)
		r.activate(true)
		recovery := r.start(models.IncludeMissed, since, r.store.Now())
		collect(t, r.store, recovery.ID)
		page, _ := r.next(recovery.ID, 10)
		require.Len(t, page, 2)
		found, _, err := r.store.Deliveries(t.Context(), everything, models.DeliveryFilter{Search: models.Search{Words: []string{"needle"}}}, models.Page{})
		require.NoError(t, err)
		require.Equal(t, []string{page[0].ID}, ids(found, func(d models.Delivery) string { return d.ID }))
	})
}

// Pages lead forth and back through all that is found, in either order, also when one call may look at few deliveries: each
// is found once.
func TestPagesOfASearch(t *testing.T) {
	onEachSearchRig(t, func(t *testing.T, r *searchRig) {
		rare, common := makeWebhook(t, r.Store, models.DefaultOwnerID, "needle", "both"), makeWebhook(t, r.Store, models.DefaultOwnerID, "hay")
		var want []string
		for i := range 30 {
			name, kind := fmt.Sprint("d", i), "hay"
			switch i {
			case 3, 17, 18:
				kind = "needle" // by its type
			case 5, 29:
				kind = "both"
			}
			r.publish(name, models.Event{Type: kind})
			if i != 17 && i != 18 {
				r.fail(name, "needle in the log")
			}
			if kind != "hay" {
				want = append(want, name)
			}
		}
		slices.Reverse(want)
		store.SearchAtMost(r.Store, 29)
		none, beside := r.search(everything, "log", models.DeliveryFilter{WebhookIDs: []string{common.ID}, Events: []string{"needle"}}, models.Page{Limit: 2})
		require.Empty(t, none)
		require.Empty(t, beside.Next, "all 28 were looked at")
		filter := models.DeliveryFilter{WebhookIDs: []string{rare.ID}}
		for _, bound := range []int{10_000, 7, 4, 1} {
			store.SearchAtMost(r.Store, bound)
			for _, oldestFirst := range []bool{false, true} {
				walk := func(cursor string, back bool) (pages [][]string, last models.Cursors) {
					for {
						found, beside := r.search(everything, "needle", filter, models.Page{Limit: 2, Cursor: cursor, OldestFirst: oldestFirst})
						if part := strings.Fields(found); back {
							pages, cursor = slices.Insert(pages, 0, part), beside.Prev
						} else {
							pages, cursor = append(pages, part), beside.Next
						}
						if cursor == "" {
							return pages, beside
						}
					}
				}
				all := slices.Clone(want)
				if oldestFirst {
					slices.Reverse(all)
				}
				forth, last := walk("", false)
				require.Equal(t, all, slices.Concat(forth...), bound)
				require.NotEmpty(t, last.Prev)
				back, first := walk(last.Prev, true)
				require.Equal(t, all[:len(all)-len(forth[len(forth)-1])], slices.Concat(back...), bound)
				again, _ := walk(first.Next, false)
				require.Equal(t, all[len(back[0]):], slices.Concat(again...), bound)
			}
		}
	})
}

// More IDs or types than are looked up are refused, rather than left out.
func TestSearchTooWide(t *testing.T) {
	onEachSearchRig(t, func(t *testing.T, r *searchRig) {
		makeWebhook(t, r.Store, models.DefaultOwnerID, "*")
		var id string
		for i := range 101 {
			id = storetest.Publish(t, r.Store, models.Event{Type: fmt.Sprintf("kind%03d", i), Data: []byte(`{}`)}).Event.ID
		}
		for text, want := range map[string]error{"kind": models.ErrSearchTooWide, "kind0": nil, id[:14]: models.ErrSearchTooWide, id: nil} {
			search, err := models.ParseSearch(text)
			require.NoError(t, err)
			_, _, err = r.Deliveries(t.Context(), everything, models.DeliveryFilter{Search: search}, models.Page{})
			require.ErrorIs(t, err, want, text)
		}
	})
}
