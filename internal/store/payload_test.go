package store_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// A list loads no payloads unless it is told to, and then at most 4 MiB for a page: the rest is on the next ones.
func TestPagesOfPayloadsAreCut(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		text := func(size int) []byte { return []byte(`"` + strings.Repeat("x", size-2) + `"`) }
		const mebi = 1 << 20
		for _, size := range []int{3, mebi, mebi, mebi, mebi - 3, mebi} {
			storetest.Publish(t, store, models.Event{Type: "a", Data: text(size)})
		}
		source := models.Source{OwnerID: models.DefaultOwnerID, Name: "x", Scheme: "github"}
		require.NoError(t, store.CreateSource(t.Context(), &source, []string{"0123456789abcdef"}))
		for i, size := range []int{3, 5 * mebi, 10} {
			inbound := models.InboundEvent{SourceID: source.ID, ProviderID: fmt.Sprint(i), Body: text(size)}
			_, err := store.StoreInbound(t.Context(), &inbound)
			require.NoError(t, err)
		}
		events, beside, err := store.Events(t.Context(), everything, models.EventFilter{}, models.Page{})
		require.NoError(t, err)
		require.Len(t, events, 6)
		require.Empty(t, beside)
		for _, event := range events {
			require.Nil(t, event.Data)
		}
		for _, oldestFirst := range []bool{false, true} {
			page := models.Page{OldestFirst: oldestFirst}
			events, beside, err := store.Events(t.Context(), everything, models.EventFilter{WithData: true}, page)
			require.NoError(t, err)
			page.Cursor = beside.Next
			rest, beside, err := store.Events(t.Context(), everything, models.EventFilter{WithData: true}, page)
			require.NoError(t, err)
			require.Empty(t, beside.Next)
			var first, all int
			for _, event := range events {
				first += len(event.Data)
			}
			for _, event := range append(events, rest...) {
				all += len(event.Data)
			}
			require.LessOrEqual(t, first, models.MaxPageBytes)
			require.Equal(t, 5*mebi, all, "nothing is left out")
			require.Len(t, append(events, rest...), 6)
		}

		// One that is larger than a page has a page of its own.
		var sizes []int
		page := models.Page{}
		for range 3 {
			inbound, beside, err := store.InboundEvents(t.Context(), everything, models.InboundFilter{WithBody: true}, page)
			require.NoError(t, err)
			require.Len(t, inbound, 1)
			sizes = append(sizes, len(inbound[0].Body))
			page.Cursor = beside.Next
		}
		require.Equal(t, []int{10, 5 * mebi, 3}, sizes)
		require.Empty(t, page.Cursor)
	})
}

func TestAttemptsArePaged(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
		other := storetest.Publish(t, store, models.Event{Type: "b", Data: []byte(`{}`)}).Deliveries[0]
		for _, of := range []models.Delivery{delivery, other} {
			for number := range 5 {
				attempted(t, store, of, number+1, models.StatusFailed)
			}
		}
		for _, test := range []struct {
			page models.Page
			want []int
		}{
			{models.Page{Limit: 2}, []int{5, 4, 3, 2, 1}},
			{models.Page{Limit: 2, OldestFirst: true}, []int{1, 2, 3, 4, 5}},
		} {
			var got []int
			for {
				attempts, beside, err := store.AttemptsPage(t.Context(), models.AttemptFilter{DeliveryID: delivery.ID, AttemptContents: models.AttemptContents{ResponseBody: true}}, test.page)
				require.NoError(t, err)
				for _, attempt := range attempts {
					require.Equal(t, delivery.ID, attempt.DeliveryID)
					require.Equal(t, "ok\xff", string(attempt.ResponseBody))
					got = append(got, attempt.Number)
				}
				if test.page.Cursor = beside.Next; beside.Next == "" {
					break
				}
				require.Len(t, attempts, 2)
				_, _, err = store.AttemptsPage(t.Context(), models.AttemptFilter{DeliveryID: other.ID}, test.page)
				require.ErrorIs(t, err, models.ErrBadCursor, "of another delivery")
			}
			require.Equal(t, test.want, got)
		}
		bare, _, err := store.AttemptsPage(t.Context(), models.AttemptFilter{DeliveryID: delivery.ID}, models.Page{})
		require.NoError(t, err)
		require.Nil(t, bare[0].ResponseBody)
	})
}

// since and until are as exact as the times that lists show: to the microsecond.
func TestTimesAreComparedToTheMicrosecond(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		begin := time.Now().Truncate(time.Second)
		var passed atomic.Int64
		store := store.New(db, store.Config{
			Keyring: storetest.Keyring(t), Now: func() time.Time { return begin.Add(time.Duration(passed.Load())) },
		})
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		source := models.Source{OwnerID: models.DefaultOwnerID, Name: "x", Scheme: "github"}
		require.NoError(t, store.CreateSource(t.Context(), &source, []string{"0123456789abcdef"}))
		const step, made = 100 * time.Microsecond, 25 // over two milliseconds, with fractions of every length
		for i := range made {
			storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)})
			_, err := store.StoreInbound(t.Context(), &models.InboundEvent{SourceID: source.ID, ProviderID: fmt.Sprint(i), Body: []byte(`{}`)})
			require.NoError(t, err)
			passed.Add(int64(step))
		}
		zone := time.FixedZone("", 2*60*60)
		for _, test := range []struct {
			since, until time.Duration
			want         int
		}{
			{0, step * made, made}, {step, step * made, made - 1}, {step + 1, step * made, made - 2}, {step - 1, step * made, made - 1},
			{step*9 + time.Microsecond, step * made, made - 10}, {0, step * 15, 15}, {0, step*15 + 1, 16}, {0, step*15 - 1, 15},
			{0, 1, 1}, {step * 10, step * 20, 10}, {step*10 + time.Microsecond, step*10 + 2*time.Microsecond, 0}, {step * 7, step*7 + 1, 1},
		} {
			since, until := begin.Add(test.since).In(zone), begin.Add(test.until)
			page := models.Page{Limit: models.MaxLimit}
			events, _, err := store.Events(t.Context(), everything, models.EventFilter{Since: since, Until: until}, page)
			require.NoError(t, err)
			require.Len(t, events, test.want, "%s %s", test.since, test.until)
			deliveries, _, err := store.Deliveries(t.Context(), everything, models.DeliveryFilter{Since: since, Until: until}, page)
			require.NoError(t, err)
			require.Len(t, deliveries, test.want, "%s %s", test.since, test.until)
			inbound, _, err := store.InboundEvents(t.Context(), everything, models.InboundFilter{Since: since, Until: until}, page)
			require.NoError(t, err)
			require.Len(t, inbound, test.want, "%s %s", test.since, test.until)
		}
	})
}
