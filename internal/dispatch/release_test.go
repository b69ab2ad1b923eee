package dispatch_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/storetest"
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
			test.now.ID = "wh_a"
			storetest.Each(t, func(t *testing.T, db *gorm.DB) {
				fake := &dispatchtest.Temporal{}
				d, _, _ := setup(t, db, fake)
				d.WebhookChanged(test.before, test.now)
				d.Close()
				if !test.letsGo {
					require.Empty(t, fake.Started)
					return
				}
				require.Len(t, fake.Started, 1)
				call := fake.Started[0]
				require.Equal(t, "release/wh_a", call.Options.ID)
				require.Equal(t, contract.SignalRelease, call.Signal)
				require.Equal(t, contract.TypeRelease, call.Workflow)
				want := contract.ReleaseInput{ReleasePage: contract.ReleasePage{WebhookID: "wh_a", Retries: test.retries}}
				require.Equal(t, want, call.Input)
				require.Equal(t, want, call.Argument)
			})
		})
	}
}
