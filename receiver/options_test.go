package receiver_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

func TestNewNamesEveryFault(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options receiver.Options
		err     error
		faults  []string
	}{
		"nothing": {receiver.Options{}, receiver.ErrInvalidOptions, []string{"Provider is missing"}},
		"no secret": {
			receiver.Options{Provider: receiver.Stripe}, signature.ErrInvalidSecret, []string{"none given"},
		},
		"an unset variable": {
			receiver.Options{Provider: receiver.Stripe, Secrets: []string{""}}, signature.ErrInvalidSecret, []string{"is empty"},
		},
		"everything": {
			receiver.Options{Provider: receiver.Postrider, Secrets: []string{"not-a-secret"}, Tolerance: -1, Remember: -1, Timeout: -1, MaxBody: -1},
			signature.ErrInvalidConfig,
			[]string{"Remember", "Timeout", "MaxBody", "tolerance", "secret 1 of 1"},
		},
		"HMAC without a header": {
			receiver.Options{Provider: receiver.HMAC(receiver.HMACOptions{}), Secrets: []string{secret}},
			signature.ErrInvalidConfig, []string{"HMAC.Header"},
		},
		"custom without a verifier": {
			receiver.Options{Provider: receiver.Custom("acme", receiver.Stripe.Parse), Secrets: []string{secret}},
			receiver.ErrInvalidOptions, []string{"needs a Verifier"},
		},
		"custom without a function": {
			receiver.Options{Provider: receiver.Custom("acme", nil), Verifier: password("")},
			receiver.ErrInvalidOptions, []string{"Provider is missing"},
		},
		"a verifier and secrets": {
			receiver.Options{Provider: receiver.Stripe, Secrets: []string{secret}, Verifier: password("")},
			receiver.ErrInvalidOptions, []string{"Verifier replaces"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := receiver.New(test.options)
			require.Nil(t, h)
			require.ErrorIs(t, err, test.err)
			for _, fault := range test.faults {
				require.ErrorContains(t, err, fault)
			}
			require.NotContains(t, err.Error(), "not-a-secret")
		})
	}
}

func TestNothingPrintsSecrets(t *testing.T) {
	t.Parallel()
	o := receiver.Options{Provider: receiver.Stripe, Secrets: []string{secret}, VerifyToken: "meadow"}
	h, err := receiver.New(o)
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		for _, value := range []any{o, &o, h, *h, struct{ H *receiver.Handler }{h}} {
			text := fmt.Sprintf(verb, value)
			require.NotContains(t, text, secret)
			require.NotContains(t, text, "meadow")
			require.NotContains(t, strings.ToLower(text), "whsec")
		}
	}
	require.Equal(t, "receiver.Options{stripe, 1 secrets}", fmt.Sprint(o))
	require.Equal(t, "receiver.Handler{stripe}", fmt.Sprint(h))
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	require.Equal(t, 1<<20, receiver.DefaultMaxBody)
	require.Equal(t, 168*time.Hour, receiver.DefaultRemember)
	// The clock and the log of the process will do.
	h, err := receiver.New(receiver.Options{Provider: receiver.GitHub, Secrets: []string{secret}})
	require.NoError(t, err)
	var called calls
	h.On("push", called.handle)
	requireReceived(t, post(h, sign(t, signature.SchemeGitHub, "", "{}", "X-GitHub-Delivery", "1", "X-GitHub-Event", "push"), "{}"))
	require.Equal(t, 1, called.count())
}
