package receiver_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

// The seeds are in testdata/fuzz.

// fuzzIdentify feeds a provider with four header values, under the given names,
// and a body.
func fuzzIdentify(f *testing.F, p receiver.Provider, names ...string) {
	f.Helper()
	f.Fuzz(func(t *testing.T, first, second, third, fourth string, body []byte) {
		header := http.Header{}
		for i, value := range []string{first, second, third, fourth} {
			if i < len(names) && value != "" {
				header[names[i]] = []string{value}
			}
		}
		before := string(body)
		event, err := p.Parse(header, body)
		identity, identifyErr := p.Identify(header, body)
		reply, shaken := p.Handshake(header, body)
		require.Equal(t, before, string(body))
		if shaken {
			require.True(t, json.Valid(reply.Body))
		}
		if err != nil {
			require.ErrorIs(t, err, receiver.ErrMalformed)
			require.EqualError(t, identifyErr, err.Error())
			require.Less(t, len(err.Error()), 120, "nothing from the request belongs in the error")
			return
		}
		require.NoError(t, identifyErr)
		require.Equal(t, receiver.Identity{ID: event.ID, Type: event.Type}, identity)
		for _, name := range []string{identity.ID, identity.Type} {
			require.NotEmpty(t, name)
			require.LessOrEqual(t, len(name), 255)
			require.True(t, utf8.ValidString(name))
			require.NotContains(t, name, "\x00")
		}
		if event.Data != nil {
			require.True(t, json.Valid(event.Data))
		}
		if !event.Timestamp.IsZero() {
			_, err := event.Timestamp.MarshalJSON()
			require.NoError(t, err)
		}
		require.Equal(t, before, string(event.Body))
	})
}

func FuzzIdentifyPostrider(f *testing.F) {
	fuzzIdentify(f, receiver.Postrider, "X-Webhook-Delivery", "Webhook-Id", "X-Webhook-Event")
}

func FuzzIdentifyStandardWebhooks(f *testing.F) {
	fuzzIdentify(f, receiver.StandardWebhooks, "Webhook-Id", "Svix-Id", "Webhook-Signature", "Svix-Signature")
}

func FuzzIdentifyStripe(f *testing.F) { fuzzIdentify(f, receiver.Stripe) }

func FuzzIdentifyGitHub(f *testing.F) {
	fuzzIdentify(f, receiver.GitHub, "X-Github-Delivery", "X-Github-Event", "Content-Type")
}

func FuzzIdentifyShopify(f *testing.F) {
	fuzzIdentify(f, receiver.Shopify, "X-Shopify-Webhook-Id", "X-Shopify-Event-Id", "X-Shopify-Topic", "X-Shopify-Triggered-At")
}

func FuzzIdentifySlack(f *testing.F) { fuzzIdentify(f, receiver.Slack, "Content-Type") }

// FuzzIdentifyPaths reads names from fields within fields, arrays and texts.
func FuzzIdentifyPaths(f *testing.F) {
	fields := receiver.Fields{ID: "payload.id", Type: "items.0.type"}
	fuzzIdentify(f, plain.WithFields(fields), "Content-Type")
}

func FuzzIdentifyHMAC(f *testing.F) { fuzzIdentify(f, acme, "X-Acme-Id", "X-Acme-Kind") }

func FuzzIdentifyPlainHMAC(f *testing.F) { fuzzIdentify(f, plain) }

// fuzzEndpoint is a provider with the names of the headers that its requests are
// signed and identified by.
type fuzzEndpoint struct {
	provider receiver.Provider
	scheme   signature.Scheme
	signed   []string
	id, typ  string
}

func fuzzEndpoints() []fuzzEndpoint {
	return []fuzzEndpoint{
		{receiver.Postrider, signature.SchemePostrider, []string{"X-Webhook-Signature"}, "X-Webhook-Delivery", "X-Webhook-Event"},
		{receiver.StandardWebhooks, signature.SchemeStandardWebhooks, []string{"Webhook-Signature", "Webhook-Timestamp"}, "Webhook-Id", "X"},
		{receiver.Stripe, signature.SchemeStripe, []string{"Stripe-Signature"}, "X", "X"},
		{receiver.GitHub, signature.SchemeGitHub, []string{"X-Hub-Signature-256"}, "X-Github-Delivery", "X-Github-Event"},
		{receiver.Shopify, signature.SchemeShopify, []string{"X-Shopify-Hmac-Sha256"}, "X-Shopify-Webhook-Id", "X-Shopify-Topic"},
		{receiver.Slack, signature.SchemeSlack, []string{"X-Slack-Signature", "X-Slack-Request-Timestamp"}, "X", "X"},
		{acme, signature.SchemeHMAC, []string{"X-Acme-Signature"}, "X-Acme-Id", "X-Acme-Kind"},
	}
}

// FuzzServeHTTP sends a request three times: signed by a stranger, with the
// fuzzer's own signature headers, and rightly signed. Nothing may panic, and only
// what a verifier of its own accepts may reach the function, once.
func FuzzServeHTTP(f *testing.F) {
	endpoints := fuzzEndpoints()
	f.Fuzz(func(t *testing.T, which uint8, id, eventType, contentType, first, second string, body []byte) {
		endpoint := endpoints[int(which)%len(endpoints)]
		var handled []receiver.Event
		h := newHandler(t, receiver.Options{Provider: endpoint.provider, MaxBody: 4096})
		h.On("*", func(_ context.Context, e receiver.Event) error {
			handled = append(handled, e)
			return nil
		})
		request := func() http.Header {
			return http.Header{endpoint.id: {id}, endpoint.typ: {eventType}, "Content-Type": {contentType}}
		}

		stranger, err := signature.Sign(fuzzConfig(endpoint.scheme, strangerSecret), id, sentAt, body)
		if err == nil { // or the ID is none that can be signed
			w := fuzzPost(t, h, with(request(), stranger), body)
			requireOneOf(t, w, http.StatusUnauthorized, http.StatusRequestEntityTooLarge)
			require.Empty(t, handled)
		}

		own := request()
		for i, value := range []string{first, second}[:len(endpoint.signed)] {
			own[endpoint.signed[i]] = []string{value}
		}
		w := fuzzPost(t, h, own, body)
		cfg := fuzzConfig(endpoint.scheme, secret)
		cfg.Now = new(clock).now
		verifier, err := signature.NewVerifier(cfg)
		require.NoError(t, err)
		if verifier.Verify(own, body) != nil {
			requireOneOf(t, w, http.StatusUnauthorized, http.StatusRequestEntityTooLarge)
			require.Empty(t, handled)
		}
		handled = nil

		right, err := signature.Sign(fuzzConfig(endpoint.scheme, secret), id, sentAt, body)
		if err != nil {
			return
		}
		header := with(request(), right)
		w = fuzzPost(t, h, header, body)
		want, parseErr := endpoint.provider.Identify(header, body)
		_, shaken := endpoint.provider.Handshake(header, body)
		switch {
		case len(body) > 4096:
			requireOneOf(t, w, http.StatusRequestEntityTooLarge)
			require.Empty(t, handled)
		case shaken:
			requireOneOf(t, w, http.StatusOK)
			require.Empty(t, handled)
		case parseErr != nil:
			requireOneOf(t, w, http.StatusBadRequest)
			require.Empty(t, handled)
		default:
			requireOneOf(t, w, http.StatusOK)
			requireOneOf(t, fuzzPost(t, h, header, body), http.StatusOK)
			// None if the fuzzer's own signature was right and came first.
			require.LessOrEqual(t, len(handled), 1)
			if verifier.Verify(own, body) != nil {
				require.Len(t, handled, 1)
			}
			for _, e := range handled {
				require.Equal(t, want, receiver.Identity{ID: e.ID, Type: e.Type})
				require.Equal(t, string(body), string(e.Body))
			}
		}
	})
}

func fuzzConfig(scheme signature.Scheme, secret string) signature.Config {
	cfg := signature.Config{Scheme: scheme, Secrets: []string{secret}}
	if scheme == signature.SchemeHMAC {
		cfg.HMAC = &hmacFormat
	}
	return cfg
}

// with adds headers under the names that the standard library would read.
func with(header, others http.Header) http.Header {
	for name, values := range others {
		header[http.CanonicalHeaderKey(name)] = values
	}
	return header
}

func fuzzPost(t *testing.T, h http.Handler, header http.Header, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	w := post(h, header, string(body))
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.True(t, json.Valid(w.Body.Bytes()))
	return w
}

func requireOneOf(t *testing.T, w *httptest.ResponseRecorder, codes ...int) {
	t.Helper()
	require.Contains(t, codes, w.Code, w.Body)
}
