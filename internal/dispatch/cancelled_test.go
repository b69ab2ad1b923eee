package dispatch

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// Temporal takes a cancellation of what has ended for done. The delivery of a run that was terminated is cancelled in
// the database.
func TestCancelOfATerminatedRun(t *testing.T) {
	t.Parallel()
	fake := &fakeTemporal{latest: func() latestRun { return latestRun{id: "run"} }}
	d, store, _ := setup(t, fake)
	defer d.Close()
	makeWebhook(t, store)
	delivery := publishOne(t, store)
	require.NoError(t, d.Cancel(t.Context(), delivery))
	require.Equal(t, models.StatusCancelled, statusOf(t, store, delivery.ID).Status)
	require.Empty(t, fake.cancelled)
}

// A workflow cannot see whether a resend or a cancellation came first: the resend says whether the run was cancelled.
func TestResendSaysWhetherTheRunWasCancelled(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		run          latestRun
		beforeCancel bool
	}{
		"it runs":       {latestRun{running: true}, true},
		"it is ending":  {latestRun{running: true, cancelled: true}, false},
		"it has ended":  {latestRun{}, false},
		"it was ending": {latestRun{cancelled: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeTemporal{latest: func() latestRun { return test.run }}
			d, store, _ := setup(t, fake)
			defer d.Close()
			makeWebhook(t, store)
			require.NoError(t, d.Resend(t.Context(), publishOne(t, store), "key_x"))
			require.Equal(t, test.beforeCancel, fake.started[0].argument.(contract.ResendSignal).BeforeCancel)
		})
	}
}

// A second cancellation takes back what was asked for since the first one; when that has led to another run already,
// it cancels that.
func TestCancelTakesBackAResend(t *testing.T) {
	t.Parallel()
	fake := &fakeTemporal{latest: func() latestRun { return latestRun{id: "one", running: true, cancelled: true} }}
	d, store, _ := setup(t, fake)
	defer d.Close()
	makeWebhook(t, store)
	delivery := publishOne(t, store)
	require.NoError(t, d.Cancel(t.Context(), delivery))
	withdrawn := signalled{delivery.ID, "one", contract.SignalResend, contract.ResendSignal{Withdrawn: true}}
	require.Equal(t, []signalled{withdrawn}, fake.signals)
	require.Empty(t, fake.cancelled)

	fake.signalErr = map[string]error{delivery.ID: serviceerror.NewNotFound("ended")}
	fake.latest = func() latestRun {
		if len(fake.signals) == 1 {
			return latestRun{id: "one", running: true, cancelled: true}
		}
		return latestRun{id: "two", running: true}
	}
	require.NoError(t, d.Cancel(t.Context(), delivery))
	require.Equal(t, []signalled{withdrawn, withdrawn}, fake.signals)
	require.Equal(t, []string{delivery.ID + "two"}, fake.cancelled)
}

// A delivery that has ended can be cancelled while the run that someone has asked for has made no attempt yet.
func TestCancelOfAResentDelivery(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		run       latestRun
		cancelled bool
	}{
		"it is closing":         {latestRun{id: "one", running: true}, false},
		"it has ended":          {latestRun{id: "one"}, false},
		"another run has begun": {latestRun{id: "two", running: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeTemporal{latest: func() latestRun { return test.run }}
			d, store, _ := setup(t, fake)
			defer d.Close()
			makeWebhook(t, store)
			delivery := publishOne(t, store)
			delivery.Status, delivery.RunID = models.StatusDelivered, "one"
			err := d.Cancel(t.Context(), delivery)
			if !test.cancelled {
				require.ErrorIs(t, err, models.ErrFinished)
				require.Empty(t, fake.cancelled)
				return
			}
			require.NoError(t, err)
			require.Equal(t, []string{delivery.ID + "two"}, fake.cancelled)
		})
	}
}
