package attempt_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

func TestBothSecretsSignUntilTheGraceEnds(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		second, err := signature.NewSecret()
		require.NoError(t, err)
		r.webhook, err = r.store.RotateSecret(t.Context(), models.Scope{}, r.webhook.ID, models.Rotation{Secret: second, Grace: time.Hour})
		require.NoError(t, err)
		for i, test := range []struct {
			later   time.Duration
			accepts map[string]bool
		}{
			{0, map[string]bool{storetest.Secret: true, second: true}},
			{time.Hour - time.Second, map[string]bool{storetest.Secret: true, second: true}},
			{time.Hour, map[string]bool{storetest.Secret: false, second: true}},
		} {
			r.maker.Now = func() time.Time { return now.Add(test.later) }
			r.deliver(i + 1)
			for secret, accepted := range test.accepts {
				for _, scheme := range []signature.Scheme{signature.SchemePostrider, signature.SchemeStandardWebhooks} {
					verifier, err := signature.NewVerifier(signature.Config{
						Scheme: scheme, Secrets: []string{secret}, Now: r.maker.Now,
					})
					require.NoError(t, err)
					err = verifier.Verify(r.requests[i].Header, []byte(r.bodies[i]))
					require.Equal(t, accepted, err == nil, "%s after %s: %v", scheme, test.later, err)
				}
			}
		}
	})
}
