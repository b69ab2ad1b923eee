package attempt_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/models"
)

// What requests sign in with is sent in their header alone.
func TestBasicAndBearer(t *testing.T) {
	t.Parallel()
	for want, auth := range map[string]models.Auth{
		"Basic dTpwOnA=": {Basic: &models.BasicAuth{Username: "u", Password: "p:p"}},
		"Basic a2V5Og==": {Basic: &models.BasicAuth{Username: "key"}},
		"Bearer abc.def": {Bearer: &models.BearerAuth{Token: "abc.def"}},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, open opener) {
				r := newRig(t, open)
				r.withCredentials(models.Credentials{Auth: &auth})
				require.Equal(t, models.StatusDelivered, r.deliver(1).Status)
				request, _ := r.received(0)
				require.Equal(t, []string{want}, request.Header.Values("Authorization"))
			})
		})
	}
}

// authority gives out tokens.
type authority struct {
	*httptest.Server

	t *testing.T
	// fetched counts the requests; life is how many seconds a token lives, 0 for unknown.
	fetched atomic.Int64
	life    atomic.Int64
	// refuse, unless empty, is answered with 401 in place of a token; held holds answers back until it is closed.
	refuse atomic.Value
	held   chan struct{}
}

func newTokenEndpoint(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, held: make(chan struct{})}
	a.refuse.Store("")
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

const clientSecret = "s3cr3t of client"

func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := a.fetched.Add(1)
	_ = r.ParseForm() // net/http notices that a client is gone when the body has been read
	select {
	case <-a.held:
	case <-r.Context().Done():
		return
	}
	id, secret, _ := r.BasicAuth()
	if r.PostFormValue("client_secret") != "" {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case a.refuse.Load() != "":
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, `{"error":%q,"error_description":%q}`, a.refuse.Load(), clientSecret)
	case id != "client" || secret != "s3cr3t+of+client" && secret != clientSecret ||
		r.PostFormValue("grant_type") != "client_credentials" || r.PostFormValue("scope") != "a b" || r.PostFormValue("audience") != "them":
		w.WriteHeader(http.StatusBadRequest)
	default:
		answer := map[string]any{"access_token": fmt.Sprintf("token-%d", n), "token_type": "bearer"}
		if life := a.life.Load(); life > 0 {
			answer["expires_in"] = life
		}
		_ = json.NewEncoder(w).Encode(answer)
	}
}

func (a *authority) settings() models.Credentials {
	return models.Credentials{Auth: &models.Auth{OAuth2: &models.OAuth2{
		TokenURL: a.URL + "/token?private=path", ClientID: "client", ClientSecret: clientSecret, Scopes: []string{"a", "b"}, Audience: "them",
	}}}
}

// authorizations are the headers that the receiver got, in order.
func (r *rig) authorizations() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, request := range r.requests {
		all = append(all, request.Header.Get("Authorization"))
	}
	return all
}

func TestTokens(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r, endpoint := newRig(t, open), newTokenEndpoint(t)
		close(endpoint.held)
		endpoint.life.Store(3600)
		clock := now
		r.maker.Now = func() time.Time { return clock }
		settings := endpoint.settings()
		r.withCredentials(settings)
		sequence := 0
		deliver := func() attempt.Result {
			sequence++
			return r.deliver(sequence)
		}
		require.Equal(t, models.StatusDelivered, deliver().Status)
		require.Equal(t, models.StatusDelivered, deliver().Status)
		require.Equal(t, []string{"Bearer token-1", "Bearer token-1"}, r.authorizations(), "it is kept")

		clock = now.Add(time.Hour - 30*time.Second)
		require.Equal(t, models.StatusDelivered, deliver().Status)
		require.Equal(t, "Bearer token-2", r.authorizations()[2], "it is renewed before its end")

		clock = clock.Add(time.Hour - 30*time.Second)
		endpoint.refuse.Store("invalid_client")
		require.Equal(t, models.StatusDelivered, deliver().Status)
		require.Equal(t, "Bearer token-2", r.authorizations()[3], "as long as it lives it is better than none")
		endpoint.refuse.Store("")

		// Other settings are another token, by the other method too.
		settings.Auth.OAuth2.AuthMethod = models.ClientSecretPost
		r.withCredentials(settings)
		require.Equal(t, models.StatusDelivered, deliver().Status)
		require.Equal(t, "Bearer token-4", r.authorizations()[4])
		require.EqualValues(t, 4, endpoint.fetched.Load())
	})
}

// A token that the receiver refuses is renewed once, in the same attempt.
func TestRefusedToken(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r, endpoint := newRig(t, open), newTokenEndpoint(t)
		close(endpoint.held)
		r.withCredentials(endpoint.settings())
		require.Equal(t, models.StatusDelivered, r.deliver(1).Status)
		r.answer = func(request *http.Request) int {
			if request.Header.Get("Authorization") == "Bearer token-1" {
				return http.StatusUnauthorized
			}
			return http.StatusOK
		}
		require.Equal(t, models.StatusDelivered, r.deliver(2).Status)
		require.Equal(t, []string{"Bearer token-1", "Bearer token-1", "Bearer token-2"}, r.authorizations())

		// One that refuses every token is called twice at most, then once with a new token.
		r.answer = func(*http.Request) int { return http.StatusUnauthorized }
		for i, calls := range []int{2, 1} {
			before := len(r.authorizations())
			result := r.deliver(3 + i)
			require.Equal(t, models.ErrorHTTPStatus, result.ErrorClass)
			require.Equal(t, http.StatusUnauthorized, *result.StatusCode)
			require.Len(t, r.authorizations(), before+calls)
		}
	})
}

// Many attempts at once share one fetch.
func TestTokensAtOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r, endpoint := newRig(t, open), newTokenEndpoint(t)
		r.withCredentials(endpoint.settings())
		const times = 20
		var deliveries []models.Delivery
		for range times {
			published, err := r.store.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`{}`)})
			require.NoError(t, err)
			deliveries = append(deliveries, published.Deliveries[0])
		}
		var all sync.WaitGroup
		for i, delivery := range deliveries {
			all.Go(func() {
				in := attempt.Input{DeliveryID: delivery.ID, Trigger: models.TriggerSchedule, Sequence: 1, ScheduledAt: now.Add(time.Duration(i) * time.Second)}
				run := attempt.Run{ID: testRun}
				job, err := r.maker.Load(t.Context(), in, run)
				if err != nil {
					t.Error(err)
					return
				}
				result, err := r.maker.Make(t.Context(), job, in, run)
				if err != nil || result.Status != models.StatusDelivered {
					t.Errorf("%v %+v", err, result)
				}
			})
		}
		require.Eventually(t, func() bool { return endpoint.fetched.Load() > 0 }, 30*time.Second, time.Millisecond)
		close(endpoint.held)
		all.Wait()
		require.EqualValues(t, 1, endpoint.fetched.Load())
		require.Len(t, r.authorizations(), times)
	})
}

// Without a token there is an attempt that failed, and no request; what was said tells no secret.
func TestNoToken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*authority, *models.OAuth2)
		says   string
	}{
		"refused":      {func(a *authority, _ *models.OAuth2) { a.refuse.Store("invalid_client") }, "answered 401 (invalid_client)"},
		"odd code":     {func(a *authority, _ *models.OAuth2) { a.refuse.Store(clientSecret) }, "answered 401"},
		"bad request":  {func(_ *authority, by *models.OAuth2) { by.Audience = "" }, "answered 400"},
		"hangs":        {func(a *authority, _ *models.OAuth2) { a.held = make(chan struct{}) }, "no access token"},
		"away":         {func(a *authority, _ *models.OAuth2) { a.Close() }, "connection refused"},
		"private":      {func(_ *authority, by *models.OAuth2) { by.TokenURL = "http://10.1.2.3/token" }, "may not be reached"},
		"not a server": {func(_ *authority, by *models.OAuth2) { by.TokenURL = "ftp://x/" }, "no access token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, open opener) {
				r, endpoint := newRig(t, open), newTokenEndpoint(t)
				close(endpoint.held)
				var log bytes.Buffer
				r.maker.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				settings := endpoint.settings()
				test.change(endpoint, settings.Auth.OAuth2)
				_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
					w.TimeoutMS = 300
					w.SetCredentials(settings)
					return nil
				})
				require.NoError(t, err)
				result := r.deliver(1)
				require.Equal(t, models.StatusFailed, result.Status)
				require.Equal(t, models.ErrorAuth, result.ErrorClass)
				require.Contains(t, result.Error, test.says)
				require.Nil(t, result.StatusCode)
				require.Empty(t, r.authorizations())
				for _, text := range []string{result.Error, log.String(), r.attempts()[0].Error} {
					require.NotContains(t, text, clientSecret)
					require.NotContains(t, text, "private=path")
				}
				require.NotContains(t, result.Error, "10.1.2.3/")
			})
		})
	}
}
