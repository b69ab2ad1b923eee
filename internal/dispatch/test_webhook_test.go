package dispatch_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

func TestTestWaitsForTheAttempt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end, want error
	}{
		"delivered":               {nil, nil},
		"refused by the receiver": {&temporal.WorkflowExecutionError{}, nil},
		"lost":                    {dispatchtest.ErrAway, dispatch.ErrTemporalUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *gorm.DB) {
				fake := &dispatchtest.Temporal{Run: dispatchtest.Run{OnGet: func(context.Context) error { return test.end }}}
				d, store, _ := setup(t, db, fake)
				defer d.Close()
				webhook := dispatchtest.CreateWebhook(t, store)
				delivery, err := d.Test(t.Context(), webhook)
				require.ErrorIs(t, err, test.want)
				require.Equal(t, []string{delivery.ID}, fake.IDs())
				stored := statusOf(t, store, delivery.ID)
				require.True(t, stored.Test)
				require.Equal(t, webhook.ID, stored.WebhookID)
				event, err := store.Event(t.Context(), models.Scope{}, stored.EventID)
				require.NoError(t, err)
				require.Equal(t, "webhook.test", event.Type)
				require.Equal(t, `{"message":"This is a test webhook"}`, string(event.Data))
			})
		})
	}
}

// A test that could not be started is not sent later.
func TestTestWithoutTemporal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		fake := &dispatchtest.Temporal{OnStart: func(context.Context, string) error { return dispatchtest.ErrAway }}
		d, store, _ := setup(t, db, fake)
		defer d.Close()
		delivery, err := d.Test(t.Context(), dispatchtest.CreateWebhook(t, store))
		require.ErrorIs(t, err, dispatch.ErrTemporalUnavailable)
		require.Equal(t, models.StatusCancelled, statusOf(t, store, delivery.ID).Status)
		pending, err := store.PendingDeliveries(t.Context(), store.Now(), "", 10)
		require.NoError(t, err)
		require.Empty(t, pending)
	})
}

// testStore stores tests only.
type testStore struct{ dispatch.Store }

func (testStore) PublishTest(context.Context, models.Webhook, []byte) (models.Delivery, error) {
	return models.Delivery{ID: "dlv_x"}, nil
}

func TestTestDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := &dispatchtest.Temporal{Run: dispatchtest.Run{OnGet: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}}
		d := dispatchtest.New(testStore{}, fake, (&dispatchtest.Log{}).Logger())
		defer d.Close()
		begin := time.Now()
		_, err := d.Test(t.Context(), models.Webhook{})
		require.ErrorIs(t, err, dispatch.ErrTemporalUnavailable)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, dispatch.TestTimeout, time.Since(begin))
	})
}
