package api_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

func TestEachKeyHasARateOfItsOwn(t *testing.T) {
	t.Parallel()
	k := newKeyedAPI(t, storetest.SQLite(t), func(cfg *config) {
		cfg.Service.AdminKey, cfg.RateLimit, cfg.RateBurst = configuredKey, 0.5, 3
	})
	_, token := k.newKey(models.DefaultOwnerID)
	ask := func(key string) *http.Response {
		return k.ask(http.MethodGet, "/api/webhooks", key, "", "192.0.2.1:1234")
	}
	const policy = `"key";q=3;w=6`
	for i, step := range []struct {
		after       time.Duration
		status      int
		left, retry string
	}{
		{0, 200, `"key";r=2;t=2`, ""},
		{0, 200, `"key";r=1;t=4`, ""},
		{0, 200, `"key";r=0;t=6`, ""},
		{0, 429, `"key";r=0;t=2`, "2"},
		{1500 * time.Millisecond, 429, `"key";r=0;t=1`, "1"},
		{500 * time.Millisecond, 200, `"key";r=0;t=6`, ""},
		{time.Hour, 200, `"key";r=2;t=2`, ""},
	} {
		k.clock.Advance(step.after)
		response := ask(token)
		require.Equal(t, step.status, response.StatusCode, i)
		require.Equal(t, policy, response.Header.Get("RateLimit-Policy"), i)
		require.Equal(t, step.left, response.Header.Get("RateLimit"), i)
		require.Equal(t, step.retry, response.Header.Get("Retry-After"), i)
		if step.status == http.StatusTooManyRequests {
			require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"))
			require.Equal(t, "rate_limited", membersOf(t, response)["code"])
		}
	}
	ask(token)
	ask(token)
	require.Equal(t, http.StatusTooManyRequests, ask(token).StatusCode)
	require.Equal(t, http.StatusOK, ask(configuredKey).StatusCode, "another key")
}

func TestNoRateLimitUnlessConfigured(t *testing.T) {
	t.Parallel()
	k := newKeyedAPI(t, storetest.SQLite(t), func(cfg *config) { cfg.Service.AdminKey = configuredKey })
	for range 100 {
		response := k.ask(http.MethodGet, "/api/webhooks", configuredKey, "", "192.0.2.1:1")
		require.Equal(t, http.StatusOK, response.StatusCode)
		require.NotContains(t, response.Header, http.CanonicalHeaderKey("RateLimit"))
		require.NotContains(t, response.Header, http.CanonicalHeaderKey("RateLimit-Policy"))
	}
}

func TestBurstIsTwoSecondsWorthUnlessConfigured(t *testing.T) {
	t.Parallel()
	for perSecond, want := range map[float64]string{200: `"key";q=400;w=2`, 0.1: `"key";q=1;w=10`, 1.5: `"key";q=3;w=2`} {
		k := newKeyedAPI(t, storetest.SQLite(t), func(cfg *config) { cfg.Service.AdminKey, cfg.RateLimit = configuredKey, perSecond })
		response := k.ask(http.MethodGet, "/api/webhooks", configuredKey, "", "192.0.2.1:1")
		require.Equal(t, want, response.Header.Get("RateLimit-Policy"))
	}
}

func TestFailuresToAuthenticateAreLimitedByAddress(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		flooder, other string
		// same says that both count as one client.
		same bool
	}{
		"the same address":               {"192.0.2.1:1", "192.0.2.1:2", true},
		"another address":                {"192.0.2.1:1", "192.0.2.2:1", false},
		"IPv6, the same /64":             {"[2001:db8::1]:1", "[2001:db8::ffff:1]:1", true},
		"IPv6, another /64":              {"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
		"IPv4 written as IPv6":           {"[::ffff:192.0.2.1]:1", "192.0.2.1:1", true},
		"IPv4 written as IPv6, another":  {"[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:1", false},
		"a connection without addresses": {"@", "@", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKeyedAPI(t, storetest.SQLite(t), nil)
			_, token := k.newKey(models.DefaultOwnerID)
			ask := func(key, from string) *http.Response { return k.ask(http.MethodGet, "/api/webhooks", key, "", from) }
			for i := range 60 {
				require.Equal(t, http.StatusUnauthorized, ask(fmt.Sprint("prk_", i), test.flooder).StatusCode, i)
			}
			refused := ask("prk_x", test.flooder)
			require.Equal(t, http.StatusTooManyRequests, refused.StatusCode)
			require.Equal(t, "1", refused.Header.Get("Retry-After"))
			require.Equal(t, "too_many_failures", membersOf(t, refused)["code"])

			want := http.StatusUnauthorized
			if test.same {
				want = http.StatusTooManyRequests
			}
			require.Equal(t, want, ask("prk_x", test.other).StatusCode)
			require.Equal(t, http.StatusOK, ask(token, test.flooder).StatusCode, "nobody is locked out by a stranger")
			require.Equal(t, http.StatusUnauthorized, ask("", test.flooder).StatusCode, "no key is no try")
			k.clock.Advance(time.Second)
			require.Equal(t, http.StatusUnauthorized, ask("prk_x", test.flooder).StatusCode)
			require.Equal(t, http.StatusTooManyRequests, ask("prk_x", test.flooder).StatusCode)
		})
	}
}

func TestForwardedAddressesAreBelievedOfTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	const proxy, inner, stranger = "10.0.0.1:1", "10.0.0.2", "192.0.2.9:1"
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, test := range map[string]struct {
		trusted   []netip.Prefix
		from      string
		forwarded []string
		client    string
	}{
		"no proxy is trusted":                 {nil, proxy, []string{"198.51.100.1"}, "10.0.0.1"},
		"from a stranger":                     {trusted, stranger, []string{"198.51.100.1"}, "192.0.2.9"},
		"from a trusted proxy":                {trusted, proxy, []string{"198.51.100.1"}, "198.51.100.1"},
		"through two":                         {trusted, proxy, []string{"198.51.100.1, " + inner}, "198.51.100.1"},
		"what the client made up":             {trusted, proxy, []string{"203.0.113.7, 198.51.100.1"}, "198.51.100.1"},
		"made up, in a line of its own":       {trusted, proxy, []string{"203.0.113.7", "198.51.100.1"}, "198.51.100.1"},
		"a made up proxy":                     {trusted, proxy, []string{"10.9.9.9, 198.51.100.1"}, "198.51.100.1"},
		"with a port":                         {trusted, proxy, []string{"198.51.100.1:4711"}, "198.51.100.1"},
		"IPv6":                                {trusted, proxy, []string{"2001:db8::1"}, "2001:db8::1"},
		"nonsense":                            {trusted, proxy, []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		"nothing":                             {trusted, proxy, nil, "10.0.0.1"},
		"the proxy's address written as IPv6": {trusted, "[::ffff:10.0.0.1]:1", []string{"198.51.100.1"}, "198.51.100.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKeyedAPI(t, storetest.SQLite(t), func(cfg *config) { cfg.TrustedProxies = test.trusted })
			source := models.Source{OwnerID: models.DefaultOwnerID, Name: "in", Scheme: "github", EventPrefix: "github", Active: true}
			require.NoError(t, k.store.CreateSource(t.Context(), &source, []string{"secret-of-s"}))
			response := k.ask(http.MethodPost, "/webhooks/"+source.ID, "", "{}", test.from, test.forwarded...)
			require.Equal(t, http.StatusUnauthorized, response.StatusCode)
			rejections, err := k.store.Rejections(t.Context(), source.ID)
			require.NoError(t, err)
			require.Equal(t, test.client, rejections[0].RemoteAddr)
		})
	}
}
