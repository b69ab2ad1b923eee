package store_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Reading page by page gives every row once, newest first, although rows are added meanwhile.
func TestPagesAreStable(t *testing.T) {
	t.Parallel()
	for name, list := range map[string]struct {
		make func(t *testing.T, store *store.Store) string
		page func(t *testing.T, store *store.Store, page models.Page) ([]string, models.Cursors, error)
	}{
		"webhooks": {
			func(t *testing.T, store *store.Store) string {
				return makeWebhook(t, store, models.DefaultOwnerID, "never").ID
			},
			func(t *testing.T, store *store.Store, page models.Page) ([]string, models.Cursors, error) {
				rows, beside, err := store.Webhooks(t.Context(), everything, models.WebhookFilter{}, page)
				return ids(rows, func(w models.Webhook) string { return w.ID }), beside, err
			},
		},
		"owners": {
			func(t *testing.T, store *store.Store) string { return storetest.Owner(t, store, "x").ID },
			func(t *testing.T, store *store.Store, page models.Page) ([]string, models.Cursors, error) {
				rows, beside, err := store.Owners(t.Context(), page)
				if n := len(rows); n > 0 && rows[n-1].ID == models.DefaultOwnerID {
					rows = rows[:n-1]
				}
				return ids(rows, func(o models.Owner) string { return o.ID }), beside, err
			},
		},
		"events": {
			func(t *testing.T, store *store.Store) string {
				return storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Event.ID
			},
			func(t *testing.T, store *store.Store, page models.Page) ([]string, models.Cursors, error) {
				rows, beside, err := store.Events(t.Context(), everything, models.EventFilter{Types: []string{"a"}}, page)
				return ids(rows, func(e models.Event) string { return e.ID }), beside, err
			},
		},
		"deliveries": {
			func(t *testing.T, store *store.Store) string {
				webhook := makeWebhook(t, store, models.DefaultOwnerID, "never")
				delivery, err := store.PublishTest(t.Context(), webhook, []byte(`{}`))
				require.NoError(t, err)
				return delivery.ID
			},
			func(t *testing.T, store *store.Store, page models.Page) ([]string, models.Cursors, error) {
				rows, beside, err := store.Deliveries(t.Context(), everything,
					models.DeliveryFilter{Statuses: []models.Status{models.StatusPending}}, page)
				return ids(rows, func(d models.Delivery) string { return d.ID }), beside, err
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
				store, clock := clockedStore(t, db)
				const rows, size = 7, 3
				want := make([]string, rows)
				for i := range rows {
					want[rows-1-i] = list.make(t, store)
					clock.Advance(time.Millisecond)
				}
				var got []string
				cursor := ""
				for page := 1; ; page++ {
					part, beside, err := list.page(t, store, models.Page{Limit: size, Cursor: cursor})
					require.NoError(t, err)
					got = append(got, part...)
					if beside.Next == "" {
						require.Equal(t, 3, page)
						break
					}
					require.Len(t, part, size)
					cursor = beside.Next
					list.make(t, store)
					clock.Advance(time.Millisecond)
				}
				require.Equal(t, want, got)
			})
		})
	}
}

// From every page, prev leads to the rows before and next to those behind, in either order: none twice, none left out.
func TestPagesLeadForthAndBack(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		const rows, size = 7, 3
		want := make([]string, rows)
		for i := range rows {
			want[rows-1-i] = storetest.Publish(t, store, models.Event{Type: []string{"a", "b"}[i%2], Data: []byte(`"12"`)}).Event.ID
		}
		for _, filter := range []models.EventFilter{{}, {WithData: true}, {Types: []string{"a", "b", "b", "c"}}} {
			for _, oldestFirst := range []bool{false, true} {
				page := func(cursor string) ([]string, models.Cursors) {
					events, beside, err := store.Events(t.Context(), everything, filter, models.Page{Limit: size, OldestFirst: oldestFirst, Cursor: cursor})
					require.NoError(t, err)
					return ids(events, func(e models.Event) string { return e.ID }), beside
				}
				first, afterFirst := page("")
				require.Equal(t, want[:3], first)
				require.Empty(t, afterFirst.Prev)
				second, afterSecond := page(afterFirst.Next)
				require.Equal(t, want[3:6], second)
				third, afterThird := page(afterSecond.Next)
				require.Equal(t, want[6:], third)
				require.Empty(t, afterThird.Next)

				back, afterBack := page(afterThird.Prev)
				require.Equal(t, second, back)
				forth, _ := page(afterBack.Next)
				require.Equal(t, third, forth)
				again, afterAgain := page(afterBack.Prev)
				require.Equal(t, first, again)
				require.Empty(t, afterAgain.Prev, "nothing is before the first page")
				require.Equal(t, afterFirst.Next, afterAgain.Next)
				slices.Reverse(want)
			}
		}
	})
}

// On the way back too, a page ends where its payloads reach their bound: the rest is on the page before.
func TestPayloadsOnTheWayBack(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		const mebi = 1 << 20
		var want []string
		for range 6 {
			data := []byte(`"` + strings.Repeat("x", mebi-2) + `"`)
			want = append(want, storetest.Publish(t, store, models.Event{Type: "a", Data: data}).Event.ID)
		}
		slices.Reverse(want)
		page := models.Page{Limit: 5}
		_, beside, err := store.Events(t.Context(), everything, models.EventFilter{}, page)
		require.NoError(t, err)
		page.Cursor = beside.Next
		_, beside, err = store.Events(t.Context(), everything, models.EventFilter{}, page)
		require.NoError(t, err)
		var got []string
		for range 2 {
			page.Cursor = beside.Prev
			var events []models.Event
			events, beside, err = store.Events(t.Context(), everything, models.EventFilter{WithData: true}, page)
			require.NoError(t, err)
			for _, event := range events {
				require.Len(t, event.Data, mebi)
			}
			got = append(ids(events, func(e models.Event) string { return e.ID }), got...)
		}
		require.Equal(t, want[:5], got)
		require.Empty(t, beside.Prev)
	})
}

// Filters of several values find what has one of each, in the order of the list.
func TestFiltersOfSeveralValues(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		a, b, c := makeWebhook(t, store, models.DefaultOwnerID, "x"), makeWebhook(t, store, models.DefaultOwnerID, "*"), makeWebhook(t, store, models.DefaultOwnerID, "z")
		var want []string
		for _, kind := range []string{"x", "y", "z", "x", "w", "z"} {
			for _, delivery := range storetest.Publish(t, store, models.Event{Type: kind, Data: []byte(`{}`)}).Deliveries {
				if delivery.WebhookID != b.ID && kind != "w" {
					want = append(want, delivery.ID)
				}
			}
		}
		slices.Reverse(want)
		for name, filter := range map[string]models.DeliveryFilter{
			"webhooks":           {WebhookIDs: []string{a.ID, c.ID}},
			"webhooks and types": {WebhookIDs: []string{c.ID, a.ID}, Events: []string{"z", "x", "y"}},
			"all":                {WebhookIDs: []string{a.ID, c.ID}, Statuses: storetest.Statuses(), Events: []string{"x", "z"}, OwnerIDs: []string{models.DefaultOwnerID}},
			"too many to split": {WebhookIDs: []string{a.ID, c.ID}, Statuses: storetest.Statuses(),
				Events: strings.Split("x z c d e f g h i j k l", " "), OwnerIDs: []string{models.DefaultOwnerID, typeid.New(typeid.KindOwner, store.Now())}},
		} {
			var got []string
			for page := (models.Page{Limit: 2}); ; {
				rows, beside, err := store.Deliveries(t.Context(), everything, filter, page)
				require.NoError(t, err)
				got = append(got, ids(rows, func(d models.Delivery) string { return d.ID })...)
				if page.Cursor = beside.Next; page.Cursor == "" {
					break
				}
			}
			require.Equal(t, want, got, name)
		}
	})
}

func TestPageThatEndsWithTheList(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		for range 4 {
			makeWebhook(t, store, models.DefaultOwnerID, "*")
		}
		rows, beside, err := store.Webhooks(t.Context(), everything, models.WebhookFilter{}, models.Page{Limit: 4})
		require.NoError(t, err)
		require.Len(t, rows, 4)
		require.Empty(t, beside, "a next page would be empty")
	})
}

func TestPageOfTheDefaultSize(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		for range models.DefaultLimit + 1 {
			storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)})
		}
		rows, beside, err := store.Events(t.Context(), everything, models.EventFilter{}, models.Page{})
		require.NoError(t, err)
		require.Len(t, rows, models.DefaultLimit)
		require.NotEmpty(t, beside.Next)
	})
}

func TestBadCursors(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		cursorOf := func(kind typeid.Kind) string {
			return base64.RawURLEncoding.EncodeToString([]byte(typeid.New(kind, store.Now())))
		}
		lists := map[typeid.Kind]func(cursor string) error{
			typeid.KindOwner: func(cursor string) error {
				_, _, err := store.Owners(t.Context(), models.Page{Cursor: cursor})
				return err
			},
			typeid.KindWebhook: func(cursor string) error {
				_, _, err := store.Webhooks(t.Context(), everything, models.WebhookFilter{}, models.Page{Cursor: cursor})
				return err
			},
			typeid.KindEvent: func(cursor string) error {
				_, _, err := store.Events(t.Context(), everything, models.EventFilter{}, models.Page{Cursor: cursor})
				return err
			},
			typeid.KindDelivery: func(cursor string) error {
				_, _, err := store.Deliveries(t.Context(), everything, models.DeliveryFilter{}, models.Page{Cursor: cursor})
				return err
			},
		}
		for kind, list := range lists {
			require.NoError(t, list(cursorOf(kind)), kind)
			for _, bad := range []string{"x", "!", "AAAA", cursorOf(kind) + "=", cursorOf(kind)[1:], cursorOf(typeid.KindKey), "PA", "PDw"} {
				require.ErrorIs(t, list(bad), models.ErrBadCursor, "%s list with %q", kind, bad)
			}
			for other := range lists {
				if other != kind {
					require.ErrorIs(t, list(cursorOf(other)), models.ErrBadCursor, "%s list with a cursor of %s", kind, other)
				}
			}
		}
	})
}

// cursor is what a text would be as a cursor.
func cursor(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func ids[T any](rows []T, id func(T) string) []string {
	var texts []string
	for _, row := range rows {
		texts = append(texts, id(row))
	}
	return texts
}
