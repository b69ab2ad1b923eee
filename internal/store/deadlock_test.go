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

// An attempt that disables a webhook locks its delivery and the webhook's health before the webhook, a change of the
// webhook the other way round. PostgreSQL undoes one of the two, whichever looks for a deadlock when there is one; it is
// done again, and both are done in the end.
func TestDeadlocksWithAnAttemptThatDisables(t *testing.T) {
	t.Parallel()
	otherURL := func(w *models.Webhook) { w.URL, w.Host = "https://other.example/", "other.example" }
	ordered := func(w *models.Webhook) { w.Ordered = true }
	for name, test := range map[string]struct {
		change func(w *models.Webhook)
		// waited is how long the attempt has waited for the webhook when the change goes on, in deadlock_timeout. As a rule the
		// attempt is undone when it has hardly waited, and the change when the attempt has looked already.
		waited float64
	}{
		"URL, attempt undone": {otherURL, 0}, "URL, change undone": {otherURL, 1.2},
		"order, attempt undone": {ordered, 0}, "order, change undone": {ordered, 1.2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := storetest.Postgres(t)
			s := storetest.New(t, db, store.Config{})
			webhook := storetest.Webhook(t, s)
			delivery := storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`1`)}).Deliveries[0]
			recorded, begun := make(chan error, 1), false
			changed, err := s.UpdateWebhook(t.Context(), everything, webhook.ID, func(w *models.Webhook) error {
				if !begun {
					begun = true
					go func() {
						_, err := s.RecordAttempt(t.Context(), models.Outcome{
							Attempt: models.Attempt{
								ID: typeid.New(typeid.KindAttempt, s.Now()), DeliveryID: delivery.ID, Number: 1,
								Trigger: models.TriggerSchedule, ErrorClass: models.ErrorHTTPStatus, StartedAt: s.Now(),
							},
							Status: models.StatusPermanentlyFailed, RunID: "run", DisableWebhook: "the receiver is gone",
						})
						recorded <- err
					}()
					awaitBlocked(t, db, test.waited)
				}
				test.change(w)
				return nil
			})
			require.NoError(t, err)
			require.NoError(t, <-recorded)
			test.change(&webhook)
			require.Equal(t, webhook.URL, changed.URL)
			require.Equal(t, webhook.Ordered, changed.Ordered)
			ended, err := s.Delivery(t.Context(), everything, delivery.ID)
			require.NoError(t, err)
			require.Equal(t, models.StatusPermanentlyFailed, ended.Status)
			require.Equal(t, 1, ended.AttemptCount)
		})
	}
}

// The deletion of a webhook cancels what stands in its queue, which an attempt may have locked.
func TestDeadlockWithADeletion(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	s := storetest.New(t, db, store.Config{})
	webhook := storetest.Webhook(t, s, func(w *models.Webhook) { w.Ordered = true })
	delivery := storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`1`)}).Deliveries[0]
	deleted := make(chan error, 1)
	err := db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("SELECT id FROM deliveries WHERE id = ? FOR UPDATE", delivery.ID).Error; err != nil {
			return err
		}
		go func() { deleted <- s.DeleteWebhook(t.Context(), everything, webhook.ID) }()
		awaitBlocked(t, db, 0)
		return tx.Exec("UPDATE webhooks SET active = FALSE WHERE id = ?", webhook.ID).Error
	})
	require.NoError(t, <-deleted)
	if err != nil {
		require.ErrorContains(t, err, "40P01", "of the two, this one may be undone")
	}
	_, err = s.Webhook(t.Context(), everything, webhook.ID)
	require.ErrorIs(t, err, models.ErrNotFound)
	cancelled, err := s.Delivery(t.Context(), everything, delivery.ID)
	require.NoError(t, err)
	require.Equal(t, models.StatusCancelled, cancelled.Status)
}

// awaitBlocked waits until a statement has waited for another's lock, for a part of the time after which PostgreSQL looks for
// a deadlock.
func awaitBlocked(t *testing.T, db *gorm.DB, part float64) {
	t.Helper()
	require.Eventually(t, func() bool {
		var blocked bool
		err := db.Raw(`SELECT EXISTS (SELECT 1 FROM pg_stat_activity
			WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
			  AND clock_timestamp() - query_start >= ? * current_setting('deadlock_timeout')::interval)`, part).Scan(&blocked).Error
		return err == nil && blocked
	}, 30*time.Second, 5*time.Millisecond)
}
