package dispatch

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// What can end a wait is told to those who wait; what cannot costs nothing.
func TestWebhookChanged(t *testing.T) {
	t.Parallel()
	one, two := 1.0, 2.0
	for name, test := range map[string]struct {
		before, now     models.Webhook
		letsGo, retries bool
	}{
		"nothing":             {models.Webhook{Active: true, RateLimit: &one}, models.Webhook{Active: true, RateLimit: &[]float64{1}[0]}, false, false},
		"a limit":             {models.Webhook{Active: true}, models.Webhook{Active: true, RateLimit: &one}, true, false},
		"a higher limit":      {models.Webhook{Active: true, RateLimit: &one}, models.Webhook{Active: true, RateLimit: &two}, true, false},
		"a lower limit":       {models.Webhook{Active: true, RateLimit: &two}, models.Webhook{Active: true, RateLimit: &one}, true, false},
		"no limit":            {models.Webhook{Active: true, RateLimit: &two}, models.Webhook{Active: true}, true, false},
		"resumed":             {models.Webhook{}, models.Webhook{Active: true}, true, false},
		"paused":              {models.Webhook{Active: true}, models.Webhook{}, false, false},
		"another URL":         {models.Webhook{Active: true, URL: "http://a.test"}, models.Webhook{Active: true, URL: "http://b.test"}, true, true},
		"a URL, while paused": {models.Webhook{URL: "http://a.test"}, models.Webhook{URL: "http://b.test"}, false, false},
		"a description":       {models.Webhook{Active: true}, models.Webhook{Active: true, Description: "x"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeTemporal{}
			d, _, _ := setup(t, fake)
			test.now.ID = "wh_a"
			d.WebhookChanged(test.before, test.now)
			d.Close()
			if !test.letsGo {
				require.Empty(t, fake.started)
				return
			}
			require.Len(t, fake.started, 1)
			call := fake.started[0]
			require.Equal(t, "release/wh_a", call.options.ID)
			require.Equal(t, contract.SignalRelease, call.signal)
			require.Equal(t, contract.TypeRelease, call.workflow)
			want := contract.ReleaseInput{ReleasePage: contract.ReleasePage{WebhookID: "wh_a", Retries: test.retries}}
			require.Equal(t, want, call.input)
			require.Equal(t, want, call.argument)
		})
	}
}

// One that ended meanwhile does not keep the others waiting; a Temporal that is away does.
func TestReleaseOfWhatHasEnded(t *testing.T) {
	t.Parallel()
	fake := &fakeTemporal{signalErr: map[string]error{"dlv_a": serviceerror.NewNotFound("none")}}
	d, _, _ := setup(t, fake)
	defer d.Close()
	signal := contract.ReleaseSignal{Receiver: 3}
	require.NoError(t, d.Release(t.Context(), []string{"dlv_a", "dlv_b"}, signal))
	require.Contains(t, fake.signals, signalled{"dlv_b", "", contract.SignalRelease, signal})
	fake.signalErr["dlv_b"] = errAway
	require.ErrorIs(t, d.Release(t.Context(), []string{"dlv_a", "dlv_b"}, signal), ErrTemporalUnavailable)
}
