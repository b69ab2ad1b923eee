package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

func TestDeliveriesAreFiltered(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		a, b := storetest.Owner(t, store, "a"), storetest.Owner(t, store, "b")
		orders := makeWebhook(t, store, a.ID, "order.*")
		all := makeWebhook(t, store, b.ID, "*")
		publishOne := func(eventType, ownerID string) (models.Event, models.Delivery) {
			published := storetest.Publish(t, store, models.Event{Type: eventType, Data: []byte(`{}`), OwnerID: ownerID})
			require.Len(t, published.Deliveries, 1)
			clock.Advance(time.Minute)
			return published.Event, published.Deliveries[0]
		}
		start := clock.Now()
		paid, first := publishOne("order.paid", a.ID)
		created, second := publishOne("user.created", b.ID)
		_, third := publishOne("order.paid", b.ID)
		attempted(t, store, second, 1, models.StatusDelivered)
		attempted(t, store, third, 1, models.StatusFailed)

		for name, test := range map[string]struct {
			filter models.DeliveryFilter
			want   []models.Delivery
		}{
			"none":               {models.DeliveryFilter{}, []models.Delivery{third, second, first}},
			"pending":            {models.DeliveryFilter{Statuses: []models.Status{models.StatusPending}}, []models.Delivery{first}},
			"failed":             {models.DeliveryFilter{Statuses: []models.Status{models.StatusFailed}}, []models.Delivery{third}},
			"delivered":          {models.DeliveryFilter{Statuses: []models.Status{models.StatusDelivered}}, []models.Delivery{second}},
			"cancelled":          {models.DeliveryFilter{Statuses: []models.Status{models.StatusCancelled}}, nil},
			"webhook":            {models.DeliveryFilter{WebhookIDs: []string{all.ID}}, []models.Delivery{third, second}},
			"other webhook":      {models.DeliveryFilter{WebhookIDs: []string{orders.ID}}, []models.Delivery{first}},
			"event":              {models.DeliveryFilter{EventIDs: []string{paid.ID}}, []models.Delivery{first}},
			"type":               {models.DeliveryFilter{Events: []string{"order.paid"}}, []models.Delivery{third, first}},
			"owner":              {models.DeliveryFilter{OwnerIDs: []string{b.ID}}, []models.Delivery{third, second}},
			"type and owner":     {models.DeliveryFilter{Events: []string{"order.paid"}, OwnerIDs: []string{b.ID}}, []models.Delivery{third}},
			"event of a webhook": {models.DeliveryFilter{EventIDs: []string{created.ID}, WebhookIDs: []string{orders.ID}}, nil},
			"since is included":  {models.DeliveryFilter{Since: second.CreatedAt}, []models.Delivery{third, second}},
			"until is not":       {models.DeliveryFilter{Until: second.CreatedAt}, []models.Delivery{first}},
			"a millisecond":      {models.DeliveryFilter{Since: second.CreatedAt, Until: second.CreatedAt.Add(time.Millisecond)}, []models.Delivery{second}},
			"an empty time":      {models.DeliveryFilter{Since: second.CreatedAt, Until: second.CreatedAt}, nil},
			"another time zone": {models.DeliveryFilter{
				Since: second.CreatedAt.In(time.FixedZone("", 5*3600)), Until: start.Add(time.Hour).In(time.FixedZone("", -5*3600)),
			}, []models.Delivery{third, second}},
			"before all time": {models.DeliveryFilter{Since: time.Unix(-1, 0)}, []models.Delivery{third, second, first}},
			"the far future":  {models.DeliveryFilter{Until: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}, []models.Delivery{third, second, first}},
		} {
			require.Equal(t, ids(test.want, deliveryID), listDeliveries(t, store, everything, test.filter), name)
		}
		require.Equal(t, []string{first.ID}, listDeliveries(t, store, models.Scope{OwnerID: a.ID}, models.DeliveryFilter{}))
		require.Empty(t, listDeliveries(t, store, models.Scope{OwnerID: a.ID}, models.DeliveryFilter{OwnerIDs: []string{b.ID}}))
	})
}

func TestDeliveryAndEventOfAnotherOwnerAreNotFound(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		mine, theirs := storetest.Owner(t, store, "mine"), storetest.Owner(t, store, "theirs")
		makeWebhook(t, store, theirs.ID, "*")
		published := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`), OwnerID: theirs.ID})
		toAll := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`), Broadcast: true})
		for _, scope := range []models.Scope{{OwnerID: mine.ID}, {OwnerID: models.DefaultOwnerID}} {
			_, err := store.Delivery(t.Context(), scope, published.Deliveries[0].ID)
			require.ErrorIs(t, err, models.ErrNotFound)
			_, err = store.Event(t.Context(), scope, published.Event.ID)
			require.ErrorIs(t, err, models.ErrNotFound)
			events, _, err := store.Events(t.Context(), scope, models.EventFilter{OwnerIDs: []string{theirs.ID}}, models.Page{})
			require.NoError(t, err)
			require.Empty(t, events)
		}
		_, err := store.Event(t.Context(), models.Scope{OwnerID: theirs.ID}, toAll.Event.ID)
		require.NoError(t, err, "who sees a delivery sees its event")
		_, err = store.Event(t.Context(), models.Scope{OwnerID: mine.ID}, toAll.Event.ID)
		require.ErrorIs(t, err, models.ErrNotFound, "without a delivery, an event to everyone is the administrator's")
		_, err = store.Delivery(t.Context(), models.Scope{OwnerID: theirs.ID}, toAll.Deliveries[0].ID)
		require.NoError(t, err, "but its delivery is the webhook's owner's")
	})
}

func TestEventsAreFiltered(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		owner := storetest.Owner(t, store, "acme")
		var events []models.Event
		for _, event := range []models.Event{{Type: "a"}, {Type: "b", OwnerID: owner.ID}, {Type: "a", OwnerID: owner.ID}} {
			event.Data = []byte(`{}`)
			events = append(events, storetest.Publish(t, store, event).Event)
			clock.Advance(time.Second)
		}
		for name, test := range map[string]struct {
			filter models.EventFilter
			want   []models.Event
		}{
			"none":           {models.EventFilter{}, []models.Event{events[2], events[1], events[0]}},
			"type":           {models.EventFilter{Types: []string{"a"}}, []models.Event{events[2], events[0]}},
			"owner":          {models.EventFilter{OwnerIDs: []string{owner.ID}}, []models.Event{events[2], events[1]}},
			"since":          {models.EventFilter{Since: events[1].CreatedAt}, []models.Event{events[2], events[1]}},
			"until":          {models.EventFilter{Until: events[1].CreatedAt}, []models.Event{events[0]}},
			"type and owner": {models.EventFilter{Types: []string{"b"}, OwnerIDs: []string{owner.ID}}, []models.Event{events[1]}},
		} {
			rows, _, err := store.Events(t.Context(), everything, test.filter, models.Page{})
			require.NoError(t, err)
			id := func(e models.Event) string { return e.ID }
			require.Equal(t, ids(test.want, id), ids(rows, id), name)
		}
	})
}

func TestCancelDelivery(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		for status, want := range map[models.Status]error{
			models.StatusPending:           nil,
			models.StatusFailed:            nil,
			models.StatusDelivered:         models.ErrFinished,
			models.StatusPermanentlyFailed: models.ErrFinished,
		} {
			delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
			if status != models.StatusPending {
				attempted(t, store, delivery, 1, status)
			}
			before, err := store.Delivery(t.Context(), everything, delivery.ID)
			require.NoError(t, err)
			require.ErrorIs(t, store.CancelDelivery(t.Context(), delivery.ID, models.CauseRequest, "no longer wanted"), want, status)
			after, err := store.Delivery(t.Context(), everything, delivery.ID)
			require.NoError(t, err)
			if want != nil {
				require.Equal(t, before, after, status)
				continue
			}
			require.Equal(t, models.StatusCancelled, after.Status)
			require.Equal(t, "no longer wanted", after.CancelReason)
			require.Nil(t, after.NextAttemptAt)
			require.Equal(t, before.AttemptCount, after.AttemptCount)
			require.ErrorIs(t, store.CancelDelivery(t.Context(), delivery.ID, models.CauseRequest, "again"), models.ErrFinished)
		}
		unknown := typeid.New(typeid.KindDelivery, store.Now())
		require.ErrorIs(t, store.CancelDelivery(t.Context(), unknown, models.CauseRequest, "x"), models.ErrFinished)
	})
}

func TestPendingDeliveries(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		var made []models.Delivery
		for range 5 {
			made = append(made, storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0])
			clock.Advance(time.Second)
		}
		attempted(t, store, made[0], 1, models.StatusFailed)
		require.NoError(t, store.CancelDelivery(t.Context(), made[2].ID, models.CauseRequest, "x"))

		for name, test := range map[string]struct {
			madeBy time.Time
			after  string
			limit  int
			want   []models.Delivery
		}{
			"all, oldest first":    {clock.Now(), "", 10, []models.Delivery{made[1], made[3], made[4]}},
			"the time is included": {made[3].CreatedAt, "", 10, []models.Delivery{made[1], made[3]}},
			"in another time zone": {made[3].CreatedAt.In(time.FixedZone("", 3*3600)), "", 10, []models.Delivery{made[1], made[3]}},
			"and one behind":       {made[3].CreatedAt.In(time.FixedZone("", -3*3600)), "", 10, []models.Delivery{made[1], made[3]}},
			"just before":          {made[3].CreatedAt.Add(-time.Microsecond), "", 10, []models.Delivery{made[1]}},
			"behind one":           {clock.Now(), made[1].ID, 10, []models.Delivery{made[3], made[4]}},
			"at most":              {clock.Now(), "", 2, []models.Delivery{made[1], made[3]}},
			"none":                 {clock.Now(), made[4].ID, 10, nil},
		} {
			got, err := store.PendingDeliveries(t.Context(), test.madeBy, test.after, test.limit)
			require.NoError(t, err, name)
			require.Equal(t, ids(test.want, deliveryID), ids(got, deliveryID), name)
		}
		got, err := store.PendingDeliveriesOf(t.Context(), made[3].EventID, "", 10)
		require.NoError(t, err)
		require.Equal(t, []string{made[3].ID}, ids(got, deliveryID))
		got, err = store.PendingDeliveriesOf(t.Context(), made[0].EventID, "", 10)
		require.NoError(t, err)
		require.Empty(t, got)
	})
}

func TestFinishedStatuses(t *testing.T) {
	t.Parallel()
	finished := map[models.Status]bool{
		models.StatusPending: false, models.StatusFailed: false, models.StatusDelivered: true,
		models.StatusPermanentlyFailed: true, models.StatusCancelled: true,
	}
	require.Len(t, storetest.Statuses(), len(finished))
	for _, status := range storetest.Statuses() {
		want, known := finished[status]
		require.True(t, known, status)
		require.Equal(t, want, status.Finished(), status)
	}
}

func deliveryID(d models.Delivery) string { return d.ID }

func listDeliveries(t *testing.T, store *store.Store, scope models.Scope, filter models.DeliveryFilter) []string {
	t.Helper()
	rows, _, err := store.Deliveries(t.Context(), scope, filter, models.Page{})
	require.NoError(t, err)
	return ids(rows, deliveryID)
}

// What a process makes first attempts of is its own until its lease ends; the process extends it.
func TestLeaseKeepsTheSweepAway(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		clock := storetest.NewClock()
		const lease = 10 * time.Second
		store := storetest.New(t, db, store.Config{Now: clock.Now, Lease: lease})
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		published := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)})
		id := published.Deliveries[0].ID
		stored, err := store.Delivery(t.Context(), everything, id)
		require.NoError(t, err)
		require.Nil(t, stored.NextAttemptAt, "a lease says nothing of when the attempt is due")
		until := clock.Now().Add(lease)
		requireTime(t, &until, stored.LeasedUntil)
		pending := func() bool {
			t.Helper()
			found, err := store.PendingDeliveries(t.Context(), clock.Now(), "", 10)
			require.NoError(t, err)
			return len(found) == 1
		}
		clock.Advance(lease - time.Millisecond)
		require.False(t, pending())
		require.NoError(t, store.Lease(t.Context(), []string{id}, clock.Now().Add(lease)))
		clock.Advance(lease - time.Millisecond)
		require.False(t, pending())
		clock.Advance(time.Millisecond)
		require.True(t, pending())

		// A postponed delivery is pending again when it is due, whoever postponed it.
		due := clock.Now().Add(time.Minute)
		require.NoError(t, store.Postpone(t.Context(), id, due, clock.Now().Add(lease)))
		clock.Advance(time.Minute - time.Millisecond)
		require.False(t, pending())
		clock.Advance(time.Millisecond)
		require.True(t, pending())
		stored, err = store.Delivery(t.Context(), everything, id)
		require.NoError(t, err)
		requireTime(t, &due, stored.NextAttemptAt)
		of, err := store.PendingDeliveriesOf(t.Context(), published.Event.ID, "", 10)
		require.NoError(t, err)
		require.Len(t, of, 1)
		attempted(t, store, published.Deliveries[0], 1, models.StatusDelivered)
		got, err := store.Delivery(t.Context(), everything, id)
		require.NoError(t, err)
		require.Nil(t, got.NextAttemptAt)
	})
}

// A lease keeps resends away from a first attempt that may be under way, also once the delivery is cancelled. It ends
// with that attempt; a postponed delivery has none of this kind.
func TestFirstAttemptIsLeftToItsProcess(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		clock := storetest.NewClock()
		const lease = 10 * time.Second
		store := storetest.New(t, db, store.Config{Now: clock.Now, Lease: lease})
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		var delivery models.Delivery
		left := func() time.Duration {
			t.Helper()
			stored, err := store.Delivery(t.Context(), everything, delivery.ID)
			require.NoError(t, err)
			return stored.LeftFor(clock.Now()).Round(time.Millisecond)
		}
		next := func() {
			delivery = storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
		}

		next()
		clock.Advance(4 * time.Second)
		require.Equal(t, 6*time.Second, left())
		require.NoError(t, store.CancelDelivery(t.Context(), delivery.ID, models.CauseRequest, "x"))
		require.Equal(t, 6*time.Second, left())
		require.NoError(t, store.Lease(t.Context(), []string{delivery.ID}, clock.Now().Add(lease)))
		require.Equal(t, lease, left(), "the request is still under way")
		attempted(t, store, delivery, 1, models.StatusDelivered)
		require.Zero(t, left())

		next()
		clock.Advance(lease)
		require.Zero(t, left(), "its process died")

		next()
		require.NoError(t, store.Postpone(t.Context(), delivery.ID, clock.Now(), clock.Now().Add(time.Hour)))
		require.Zero(t, left())
		require.NoError(t, store.CancelDelivery(t.Context(), delivery.ID, models.CauseRequest, "x"))
		require.Zero(t, left())
	})
}
