package dispatch

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

func TestResendSignalsOrStarts(t *testing.T) {
	t.Parallel()
	fake := &fakeTemporal{}
	d, store, _ := setup(t, fake)
	defer d.Close()
	makeWebhook(t, store)
	delivery := publishOne(t, store)
	require.NoError(t, d.Resend(t.Context(), delivery, "key_x"))
	require.Len(t, fake.started, 1)
	call := fake.started[0]
	require.Equal(t, delivery.ID, call.options.ID)
	require.Equal(t, contract.SignalResend, call.signal)
	require.Equal(t, contract.ResendSignal{RequestedBy: "key_x", BeforeCancel: true}, call.argument)
	require.Equal(t, contract.TypeDelivery, call.workflow)
	require.Equal(t, contract.DeliveryInput{DeliveryID: delivery.ID}, call.input)
	require.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, call.options.WorkflowIDReusePolicy)
	require.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, call.options.WorkflowIDConflictPolicy)

	fake.start = func(context.Context, string) error { return errAway }
	require.ErrorIs(t, d.Resend(t.Context(), delivery, "key_x"), ErrTemporalUnavailable)
}

func TestResendOfATestToAPausedWebhook(t *testing.T) {
	t.Parallel()
	fake := &fakeTemporal{}
	d, store, _ := setup(t, fake)
	defer d.Close()
	webhook := makeWebhook(t, store)
	test, err := store.PublishTest(t.Context(), webhook, []byte(`{}`))
	require.NoError(t, err)
	_, err = store.UpdateWebhook(t.Context(), models.Scope{}, webhook.ID, func(w *models.Webhook) error {
		w.Active = false
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, d.Resend(t.Context(), test, "key_x"))
	require.Equal(t, []string{test.ID}, fake.ids())

	require.NoError(t, store.DeleteWebhook(t.Context(), models.Scope{}, webhook.ID))
	require.ErrorIs(t, d.Resend(t.Context(), test, "key_x"), ErrWebhookInactive)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = d.Resend(ctx, test, "key_x")
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ErrTemporalUnavailable)
	require.Len(t, fake.started, 1)
}

// The delivery ended after it was loaded, and its workflow with it.
func TestCancelThatComesTooLate(t *testing.T) {
	t.Parallel()
	fake := &fakeTemporal{cancelErr: serviceerror.NewNotFound("workflow execution already completed")}
	d, store, _ := setup(t, fake)
	defer d.Close()
	makeWebhook(t, store)
	delivery := publishOne(t, store)
	_, err := store.RecordAttempt(t.Context(), models.Outcome{
		Attempt: models.Attempt{
			ID: typeid.New(typeid.KindAttempt, store.Now()), DeliveryID: delivery.ID, Number: 1,
			Trigger: models.TriggerSchedule, StartedAt: store.Now(),
		},
		Status: models.StatusDelivered,
	})
	require.NoError(t, err)
	require.ErrorIs(t, d.Cancel(t.Context(), delivery), models.ErrFinished)
	require.Equal(t, []string{delivery.ID}, fake.cancelled)
	require.Equal(t, models.StatusDelivered, statusOf(t, store, delivery.ID).Status)
}

// run is a workflow whose end is what Get returns; without a function it has ended well.
type run struct {
	client.WorkflowRun
	get func(ctx context.Context) error
}

func (r run) Get(ctx context.Context, _ any) error {
	if r.get == nil {
		return nil
	}
	return r.get(ctx)
}

func TestTestWaitsForTheAttempt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end, want error
	}{
		"delivered":               {nil, nil},
		"refused by the receiver": {&temporal.WorkflowExecutionError{}, nil},
		"lost":                    {errAway, ErrTemporalUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeTemporal{run: run{get: func(context.Context) error { return test.end }}}
			d, store, _ := setup(t, fake)
			defer d.Close()
			webhook := makeWebhook(t, store)
			delivery, err := d.Test(t.Context(), webhook)
			require.ErrorIs(t, err, test.want)
			require.Equal(t, []string{delivery.ID}, fake.ids())
			stored := statusOf(t, store, delivery.ID)
			require.True(t, stored.Test)
			require.Equal(t, webhook.ID, stored.WebhookID)
			event, err := store.Event(t.Context(), models.Scope{}, stored.EventID)
			require.NoError(t, err)
			require.Equal(t, "webhook.test", event.Type)
			require.Equal(t, `{"message":"This is a test webhook"}`, string(event.Data))
		})
	}
}

// A test that could not be started is not sent later.
func TestTestWithoutTemporal(t *testing.T) {
	t.Parallel()
	fake := &fakeTemporal{start: func(context.Context, string) error { return errAway }}
	d, store, _ := setup(t, fake)
	defer d.Close()
	delivery, err := d.Test(t.Context(), makeWebhook(t, store))
	require.ErrorIs(t, err, ErrTemporalUnavailable)
	require.Equal(t, models.StatusCancelled, statusOf(t, store, delivery.ID).Status)
	pending, err := store.PendingDeliveries(t.Context(), store.Now(), "", 10)
	require.NoError(t, err)
	require.Empty(t, pending)
}

// testStore stores tests only.
type testStore struct{ Store }

func (testStore) PublishTest(context.Context, models.Webhook, []byte) (models.Delivery, error) {
	return models.Delivery{ID: "dlv_x"}, nil
}

func TestTestDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeTemporal{run: run{get: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}}
		d := New(testStore{}, fake, (&log{}).logger())
		defer d.Close()
		begin := time.Now()
		_, err := d.Test(t.Context(), models.Webhook{})
		require.ErrorIs(t, err, ErrTemporalUnavailable)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, testTimeout, time.Since(begin))
	})
}

func TestReceiveStartsOnceForEachEvent(t *testing.T) {
	t.Parallel()
	fake := &fakeTemporal{}
	d, store, _ := setup(t, fake)
	inbound := models.InboundEvent{SourceID: "src_x", OwnerID: models.DefaultOwnerID, ProviderID: "evt_1", Body: []byte(`{}`)}
	for _, want := range []bool{true, false} {
		fresh, err := d.Receive(t.Context(), inbound)
		require.NoError(t, err)
		require.Equal(t, want, fresh)
	}
	d.Close()
	stored, _, err := store.InboundEvents(t.Context(), models.Scope{}, models.InboundFilter{}, models.Page{})
	require.NoError(t, err)
	require.Len(t, stored, 1)
	require.Len(t, fake.started, 1)
	require.Equal(t, contract.TypeInbound, fake.started[0].workflow)
	require.Equal(t, contract.InboundInput{InboundEventID: stored[0].ID}, fake.started[0].input)
}

func TestReprocess(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		temporal, want error
	}{
		"started":       {nil, nil},
		"it still runs": {serviceerror.NewWorkflowExecutionAlreadyStarted("", "", ""), nil},
		"away":          {errAway, ErrTemporalUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeTemporal{start: func(context.Context, string) error { return test.temporal }}
			d, store, _ := setup(t, fake)
			defer d.Close()
			inbound := models.InboundEvent{SourceID: "src_x", OwnerID: models.DefaultOwnerID, ProviderID: "evt_1", Body: []byte(`{}`)}
			_, err := store.StoreInbound(t.Context(), &inbound)
			require.NoError(t, err)
			require.NoError(t, store.FailInbound(t.Context(), inbound.ID, "not JSON"))
			require.ErrorIs(t, d.Reprocess(t.Context(), inbound), test.want)
			after, err := store.InboundEvent(t.Context(), models.Scope{}, inbound.ID)
			require.NoError(t, err)
			require.Equal(t, models.InboundPending, after.Status, "the sweep takes it up otherwise")
		})
	}
	d, store, _ := setup(t, &fakeTemporal{})
	defer d.Close()
	unknown := models.InboundEvent{ID: typeid.New(typeid.KindInbound, store.Now())}
	require.ErrorIs(t, d.Reprocess(t.Context(), unknown), models.ErrNotFound)
}

func TestErrorsOfTemporalAreKept(t *testing.T) {
	t.Parallel()
	require.NoError(t, unavailable(nil))
	err := unavailable(errAway)
	require.ErrorIs(t, err, ErrTemporalUnavailable)
	var away *serviceerror.Unavailable
	require.True(t, errors.As(err, &away))
}
