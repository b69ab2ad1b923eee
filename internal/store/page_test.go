package store_test

import (
	"encoding/base64"
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
		page func(t *testing.T, store *store.Store, page models.Page) ([]string, string, error)
	}{
		"webhooks": {
			func(t *testing.T, store *store.Store) string {
				return makeWebhook(t, store, models.DefaultOwnerID, "never").ID
			},
			func(t *testing.T, store *store.Store, page models.Page) ([]string, string, error) {
				rows, next, err := store.Webhooks(t.Context(), everything, models.WebhookFilter{}, page)
				return ids(rows, func(w models.Webhook) string { return w.ID }), next, err
			},
		},
		"owners": {
			func(t *testing.T, store *store.Store) string { return storetest.Owner(t, store, "x").ID },
			func(t *testing.T, store *store.Store, page models.Page) ([]string, string, error) {
				rows, next, err := store.Owners(t.Context(), page)
				if n := len(rows); n > 0 && rows[n-1].ID == models.DefaultOwnerID {
					rows = rows[:n-1]
				}
				return ids(rows, func(o models.Owner) string { return o.ID }), next, err
			},
		},
		"events": {
			func(t *testing.T, store *store.Store) string {
				return storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Event.ID
			},
			func(t *testing.T, store *store.Store, page models.Page) ([]string, string, error) {
				rows, next, err := store.Events(t.Context(), everything, models.EventFilter{Type: "a"}, page)
				return ids(rows, func(e models.Event) string { return e.ID }), next, err
			},
		},
		"deliveries": {
			func(t *testing.T, store *store.Store) string {
				webhook := makeWebhook(t, store, models.DefaultOwnerID, "never")
				delivery, err := store.PublishTest(t.Context(), webhook, []byte(`{}`))
				require.NoError(t, err)
				return delivery.ID
			},
			func(t *testing.T, store *store.Store, page models.Page) ([]string, string, error) {
				rows, next, err := store.Deliveries(t.Context(), everything,
					models.DeliveryFilter{Status: models.StatusPending}, page)
				return ids(rows, func(d models.Delivery) string { return d.ID }), next, err
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
					part, next, err := list.page(t, store, models.Page{Limit: size, Cursor: cursor})
					require.NoError(t, err)
					got = append(got, part...)
					if next == "" {
						require.Equal(t, 3, page)
						break
					}
					require.Len(t, part, size)
					cursor = next
					list.make(t, store)
					clock.Advance(time.Millisecond)
				}
				require.Equal(t, want, got)
			})
		})
	}
}

func TestPageThatEndsWithTheList(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		for range 4 {
			makeWebhook(t, store, models.DefaultOwnerID, "*")
		}
		rows, next, err := store.Webhooks(t.Context(), everything, models.WebhookFilter{}, models.Page{Limit: 4})
		require.NoError(t, err)
		require.Len(t, rows, 4)
		require.Empty(t, next, "a next page would be empty")
	})
}

func TestPageOfTheDefaultSize(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		for range models.DefaultLimit + 1 {
			storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)})
		}
		rows, next, err := store.Events(t.Context(), everything, models.EventFilter{}, models.Page{})
		require.NoError(t, err)
		require.Len(t, rows, models.DefaultLimit)
		require.NotEmpty(t, next)
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
			for _, bad := range []string{"x", "!", "AAAA", cursorOf(kind) + "=", cursorOf(kind)[1:], cursorOf(typeid.KindKey)} {
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

func ids[T any](rows []T, id func(T) string) []string {
	var texts []string
	for _, row := range rows {
		texts = append(texts, id(row))
	}
	return texts
}
