package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// recoveryRig is a webhook with deliveries and events that have names.
type recoveryRig struct {
	t       *testing.T
	store   *store.Store
	clock   *storetest.Clock
	db      *gorm.DB
	webhook models.Webhook
	names   map[string]string
}

func onEachRecoveryRig(t *testing.T, test func(t *testing.T, r *recoveryRig)) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "order.*")
		test(t, &recoveryRig{t: t, store: store, clock: clock, db: db, webhook: webhook, names: map[string]string{}})
	})
}

// publish publishes an event to the webhook and names its delivery.
func (r *recoveryRig) publish(name string) models.Delivery {
	r.t.Helper()
	made := storetest.Publish(r.t, r.store, models.Event{Type: "order.created", OwnerID: r.webhook.OwnerID, Data: []byte(`{}`)}).Deliveries
	require.Len(r.t, made, 1)
	r.names[made[0].ID] = name
	return made[0]
}

// ended publishes an event and ends its delivery so.
func (r *recoveryRig) ended(name string, status models.Status) models.Delivery {
	r.t.Helper()
	delivery := r.publish(name)
	attempted(r.t, r.store, delivery, 1, status)
	r.clock.Advance(tookAttempt)
	return delivery
}

// missed publishes an event that gets no delivery to the webhook, and names the event.
func (r *recoveryRig) missed(name, eventType, ownerID string) models.Event {
	r.t.Helper()
	event := storetest.Publish(r.t, r.store, models.Event{Type: eventType, OwnerID: ownerID, Broadcast: ownerID == "", Data: []byte(`{}`)}).Event
	r.names[event.ID] = name
	r.clock.Advance(time.Millisecond)
	return event
}

func (r *recoveryRig) set(change func(*models.Webhook)) {
	r.t.Helper()
	var err error
	r.webhook, err = r.store.UpdateWebhook(r.t.Context(), everything, r.webhook.ID, func(w *models.Webhook) error {
		change(w)
		return nil
	})
	require.NoError(r.t, err)
}

func (r *recoveryRig) activate(active bool) {
	r.t.Helper()
	r.set(func(w *models.Webhook) { w.Active = active })
}

// start stores a recovery of a time.
func (r *recoveryRig) start(include models.Include, since, until time.Time) models.Recovery {
	r.t.Helper()
	recovery := models.Recovery{
		WebhookID: r.webhook.ID, OwnerID: r.webhook.OwnerID, Since: since, Until: until, Include: include, Rate: 10,
	}
	require.NoError(r.t, r.store.CreateRecovery(r.t.Context(), &recovery))
	return recovery
}

// next claims the next page and returns the deliveries, and the names of what they bring.
func (r *recoveryRig) next(id string, limit int) ([]models.Delivery, []string) {
	r.t.Helper()
	deliveries, _, err := r.store.ClaimRecovery(r.t.Context(), id, limit)
	require.NoError(r.t, err)
	names := make([]string, len(deliveries))
	for i, delivery := range deliveries {
		names[i] = r.names[delivery.ID]
		if names[i] == "" {
			names[i] = r.names[delivery.EventID]
		}
	}
	return deliveries, names
}

// brings says what a recovery of a time brings; nothing of it is done.
func (r *recoveryRig) brings(include models.Include, since, until time.Time) []string {
	r.t.Helper()
	recovery := r.start(include, since, until)
	for collected := false; !collected; {
		found, err := r.store.CollectRecovery(r.t.Context(), recovery.ID, 3)
		require.NoError(r.t, err)
		collected = found.Collected
	}
	var rows []string
	require.NoError(r.t, r.db.Table("recovery_deliveries").Where("recovery_id = ?", recovery.ID).Order("delivery_id").
		Pluck("delivery_id", &rows).Error)
	found, err := r.store.SetRecoveryStatus(r.t.Context(), recovery.ID, models.RecoveryCancelled, "")
	require.NoError(r.t, err)
	require.EqualValues(r.t, len(rows), found.Total)
	require.Zero(r.t, left(r.t, r.db), "a cancelled recovery forgets what it had to do")
	names := make([]string, len(rows))
	for i, id := range rows {
		names[i] = r.names[id]
	}
	return names
}

// What a recovery is about is by when it ended, whenever it was published.
func TestRecoveryIsAboutTheRightDeliveries(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		r.ended("given up before", models.StatusPermanentlyFailed)
		long := r.publish("given up in it, published before")
		stopped := r.publish("stopped in it, published before")
		asked := r.publish("cancelled in it, published before")
		arrived := r.publish("delivered in it, published before")
		r.publish("pending")
		since := r.store.Now()
		r.ended("given up", models.StatusPermanentlyFailed)
		r.ended("delivered", models.StatusDelivered)
		r.ended("waits", models.StatusFailed)
		attempted(t, r.store, long, 1, models.StatusPermanentlyFailed)
		attempted(t, r.store, arrived, 1, models.StatusDelivered)
		require.NoError(t, r.store.CancelDelivery(t.Context(), stopped.ID, models.CauseInactive, "the webhook is paused"))
		require.NoError(t, r.store.CancelDelivery(t.Context(), asked.ID, models.CauseRequest, "cancelled on request"))
		test, err := r.store.PublishTest(t.Context(), r.webhook, []byte(`{}`))
		require.NoError(t, err)
		attempted(t, r.store, test, 1, models.StatusPermanentlyFailed)
		late := r.publish("given up afterwards, published in it")
		r.clock.Advance(tookAttempt)
		until := r.store.Now()
		attempted(t, r.store, late, 1, models.StatusPermanentlyFailed)
		r.ended("given up afterwards", models.StatusPermanentlyFailed)
		other := makeWebhook(t, r.store, models.DefaultOwnerID, "user.*")
		theirs := storetest.Publish(t, r.store, models.Event{Type: "user.created", OwnerID: other.OwnerID, Data: []byte(`{}`)}).Deliveries[0]
		attempted(t, r.store, theirs, 1, models.StatusPermanentlyFailed)
		r.clock.Advance(time.Second)

		unreached := []string{"given up", "given up in it, published before", "stopped in it, published before"}
		require.ElementsMatch(t, unreached, r.brings(models.IncludeFailed, since, until))
		require.ElementsMatch(t, unreached, r.brings(models.IncludeMissed, since, until), "nothing was missed")
		require.ElementsMatch(t, slices.Concat(unreached, []string{
			"delivered", "delivered in it, published before", "cancelled in it, published before",
		}), r.brings(models.IncludeAll, since, until))
	})
}

// The bounds are as exact as the times that the API shows.
func TestRecoveryIsExact(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		at := r.store.Now()
		delivery := r.publish("it")
		_, err := r.store.RecordAttempt(t.Context(), models.Outcome{Status: models.StatusPermanentlyFailed, RunID: "run", Attempt: models.Attempt{
			ID: typeid.New(typeid.KindAttempt, at), DeliveryID: delivery.ID, Number: 1, StartedAt: at.Add(7 * time.Microsecond),
		}})
		require.NoError(t, err)
		ended := *r.row(delivery.ID).EndedAt
		require.Equal(t, at.Add(7*time.Microsecond), ended.UTC())
		require.Equal(t, []string{"it"}, r.brings(models.IncludeFailed, ended, ended.Add(time.Microsecond)))
		require.Empty(t, r.brings(models.IncludeFailed, ended.Add(time.Microsecond), ended.Add(time.Hour)))
		require.Empty(t, r.brings(models.IncludeFailed, at, ended))

		r.clock.Advance(time.Second)
		r.activate(false)
		event := r.missed("missed", "order.created", r.webhook.OwnerID)
		published := event.CreatedAt
		require.Equal(t, []string{"missed"}, r.brings(models.IncludeMissed, published, published.Add(time.Microsecond)))
		require.Empty(t, r.brings(models.IncludeMissed, published.Add(time.Microsecond), published.Add(time.Hour)))
		require.Equal(t, []string{"it"}, r.brings(models.IncludeMissed, at, published))
	})
}

func (r *recoveryRig) row(id string) models.Delivery {
	r.t.Helper()
	row, err := r.store.Delivery(r.t.Context(), everything, id)
	require.NoError(r.t, err)
	return row
}

// Missed is what the webhook would get today, had it been there: of its owner and of everybody, by its patterns.
func TestRecoveryFindsMissedEvents(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		owner, stranger := storetest.Owner(t, r.store, "acme"), storetest.Owner(t, r.store, "other")
		since := r.store.Now()
		r.missed("before it existed", "order.created", owner.ID)
		r.webhook = makeWebhook(t, r.store, owner.ID, "user.*")
		r.missed("by a pattern of today", "order.paid", owner.ID)
		r.set(func(w *models.Webhook) {
			w.Events = []string{"order.*", "invoice.paid", "postrider.webhook.*", "webhook.test"}
		})
		r.ended("delivered", models.StatusDelivered)
		r.ended("given up", models.StatusPermanentlyFailed)
		asked := r.publish("cancelled")
		require.NoError(t, r.store.CancelDelivery(t.Context(), asked.ID, models.CauseRequest, "cancelled on request"))
		_, err := r.store.PublishTest(t.Context(), r.webhook, []byte(`{}`))
		require.NoError(t, err)
		r.activate(false)
		r.missed("while paused", "order.created", owner.ID)
		r.missed("exact", "invoice.paid", owner.ID)
		r.missed("other type", "invoice.sent", owner.ID)
		r.missed("prefix of a type", "orders.created", owner.ID)
		r.missed("everybody's", "order.created", "")
		r.missed("someone else's", "order.created", stranger.ID)
		r.missed("operational", models.EventWebhookFailing, owner.ID)
		r.missed("a test", models.EventTest, owner.ID)
		r.activate(true)
		until := r.store.Now()
		r.activate(false)
		r.missed("too late", "order.created", owner.ID)
		r.activate(true)
		missed := []string{"before it existed", "by a pattern of today", "while paused", "exact", "everybody's"}
		require.Equal(t, slices.Concat([]string{"given up"}, missed), r.brings(models.IncludeMissed, since, until), "events follow in their order")
		require.ElementsMatch(t, slices.Concat([]string{"given up", "delivered", "cancelled"}, missed), r.brings(models.IncludeAll, since, until))
		require.Equal(t, []string{"given up"}, r.brings(models.IncludeFailed, since, until))
	})
}

// An event may outlive its delivery to the webhook, because another webhook's was tried lately.
func TestWhatIsPurgedWasNotMissed(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		since := r.store.Now()
		makeWebhook(t, r.store, r.webhook.OwnerID, "order.*")
		published := storetest.Publish(t, r.store, models.Event{Type: "order.created", OwnerID: r.webhook.OwnerID, Data: []byte(`{}`)})
		require.Len(t, published.Deliveries, 2)
		r.names[published.Event.ID] = "delivered long ago"
		require.NoError(t, r.db.Delete(&models.Delivery{}, "event_id = ? AND webhook_id = ?", published.Event.ID, r.webhook.ID).Error)
		r.activate(false)
		r.missed("missed", "order.created", r.webhook.OwnerID)
		r.activate(true)
		require.Equal(t, []string{"missed"}, r.brings(models.IncludeMissed, since, r.store.Now()))
	})
}

// A recovery that the version before has begun is gone on with.
func TestRecoveryOfTheVersionBefore(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		since := r.store.Now()
		first := r.ended("first", models.StatusPermanentlyFailed)
		r.ended("second", models.StatusPermanentlyFailed)
		// A process of that version has given this one up.
		require.NoError(t, r.db.Model(&models.Delivery{}).Where("id = ?", first.ID).Update("ended_at", nil).Error)
		recovery := r.start("permanently_failed", since, r.store.Now())
		require.NoError(t, r.db.Exec("UPDATE recoveries SET collected_to = ?, total = 1", first.ID).Error)
		require.NoError(t, r.db.Exec("INSERT INTO recovery_deliveries (recovery_id, delivery_id, attempt_count) VALUES (?, ?, 1)", recovery.ID, first.ID).Error)
		found := collect(t, r.store, recovery.ID)
		require.EqualValues(t, 2, found.Total, "none is counted twice")
		require.Equal(t, models.IncludeFailed, found.Include)
		_, names := r.next(recovery.ID, 10)
		require.Equal(t, []string{"first", "second"}, names)
	})
}
