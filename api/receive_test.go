package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/api"
	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/models/migrations"
	"github.com/postrider/postrider/signature"
)

const inboundAdminKey = "the administrator's key"

// inboundServer is the API with a real store; what it receives is stored and no workflow started.
type inboundServer struct {
	*httptest.Server
	t     *testing.T
	store *models.Store
}

// storingDispatcher stores what is received and what is published.
type storingDispatcher struct {
	api.Dispatcher
	store *models.Store
}

func (d storingDispatcher) Receive(ctx context.Context, inbound models.InboundEvent) (bool, error) {
	return d.store.StoreInbound(ctx, &inbound)
}

func (d storingDispatcher) Publish(ctx context.Context, event models.Event) (models.Published, error) {
	return d.store.Publish(ctx, event)
}

func newInboundServer(t *testing.T) *inboundServer {
	t.Helper()
	db, err := models.Open(testdb.SQLite(t), 4)
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	_, err = migrations.Up(t.Context(), pool, "sqlite")
	require.NoError(t, err)
	key, err := models.ParseEncryptionKey(models.NewEncryptionKey())
	require.NoError(t, err)
	keyring, err := models.NewKeyring(key)
	require.NoError(t, err)
	store := models.NewStore(db, models.Config{Keyring: keyring})
	server := httptest.NewServer(api.New(api.Config{
		Store: store, Dispatcher: storingDispatcher{store: store}, AdminKey: inboundAdminKey,
		WorkflowURL: func(string, string) string { return "" }, Logger: slog.New(slog.DiscardHandler),
	}))
	t.Cleanup(server.Close)
	return &inboundServer{Server: server, t: t, store: store}
}

// call makes a request and returns the status and the body.
func (s *inboundServer) call(method, path string, header http.Header, body string) (int, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, bytes.NewReader([]byte(body)))
	require.NoError(s.t, err)
	for name, values := range header {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	response, err := s.Client().Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return response.StatusCode, string(answer)
}

func (s *inboundServer) admin(method, path, body string) (int, string) {
	s.t.Helper()
	return s.call(method, path, http.Header{"Authorization": {"Bearer " + inboundAdminKey}}, body)
}

// newSource makes a source and returns its ID.
func (s *inboundServer) newSource(body string) string {
	s.t.Helper()
	status, answer := s.admin(http.MethodPost, "/api/sources", body)
	require.Equal(s.t, http.StatusCreated, status, answer)
	var made struct {
		ID string `json:"id"`
	}
	require.NoError(s.t, json.Unmarshal([]byte(answer), &made))
	return made.ID
}

// sign signs a body as the provider does and adds other headers.
func (s *inboundServer) sign(cfg signature.Config, body string, more ...string) http.Header {
	s.t.Helper()
	header, err := signature.Sign(cfg, "msg_1", time.Now(), []byte(body))
	require.NoError(s.t, err)
	for i := 0; i < len(more); i += 2 {
		header.Set(more[i], more[i+1])
	}
	return header
}

func (s *inboundServer) received() []models.InboundEvent {
	s.t.Helper()
	inbound, _, err := s.store.InboundEvents(s.t.Context(), models.Scope{}, models.InboundFilter{}, models.Page{})
	require.NoError(s.t, err)
	return inbound
}

func TestReceiveFromEachProvider(t *testing.T) {
	t.Parallel()
	postrider, err := signature.NewSecret()
	require.NoError(t, err)
	hmac := &signature.HMACConfig{Header: "X-Sign", Prefix: "sha512=", Encoding: signature.EncodingBase64, Hash: signature.HashSHA512}
	for name, test := range map[string]struct {
		source     string
		cfg        signature.Config
		body       string
		header     []string
		id, evType string
	}{
		"postrider": {
			`{"name":"x","scheme":"postrider","secret":"` + postrider + `"}`,
			signature.Config{Scheme: signature.SchemePostrider, Secrets: []string{postrider}},
			`{"id":"dlv_1","event":"a.b","data":{}}`, []string{"X-Webhook-Delivery", "dlv_1", "X-Webhook-Event", "a.b"}, "dlv_1", "a.b",
		},
		"standard webhooks": {
			`{"name":"x","scheme":"standard-webhooks","secret":"` + postrider + `"}`,
			signature.Config{Scheme: signature.SchemeStandardWebhooks, Secrets: []string{postrider}},
			`{"type":"a.b","data":{}}`, nil, "msg_1", "a.b",
		},
		"stripe": {
			`{"name":"x","scheme":"stripe","secret":"s"}`,
			signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"s"}},
			`{"id":"evt_1","type":"charge.failed","data":{}}`, nil, "evt_1", "charge.failed",
		},
		"stripe, in a rotation": {
			`{"name":"x","scheme":"stripe","secrets":["new","old"]}`,
			signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"old"}},
			`{"id":"evt_1","type":"charge.failed","data":{}}`, nil, "evt_1", "charge.failed",
		},
		"github": {
			`{"name":"x","scheme":"github","secret":"s"}`,
			signature.Config{Scheme: signature.SchemeGitHub, Secrets: []string{"s"}},
			`{"action":"opened"}`, []string{"X-GitHub-Delivery", "guid", "X-GitHub-Event", "pull_request"}, "guid", "pull_request.opened",
		},
		"shopify": {
			`{"name":"x","scheme":"shopify","secret":"s"}`,
			signature.Config{Scheme: signature.SchemeShopify, Secrets: []string{"s"}},
			`{"id":1}`, []string{"X-Shopify-Webhook-Id", "w1", "X-Shopify-Topic", "orders/paid"}, "w1", "orders/paid",
		},
		"slack": {
			`{"name":"x","scheme":"slack","secret":"s"}`,
			signature.Config{Scheme: signature.SchemeSlack, Secrets: []string{"s"}},
			`{"type":"event_callback","event_id":"Ev1","event":{"type":"app_mention"}}`, nil, "Ev1", "app_mention",
		},
		"hmac": {
			`{"name":"x","scheme":"hmac","secret":"s","header":"X-Sign","prefix":"sha512=","encoding":"base64","hash":"sha512","id_header":"X-Id","type_header":"X-Type"}`,
			signature.Config{Scheme: signature.SchemeHMAC, Secrets: []string{"s"}, HMAC: hmac},
			`{}`, []string{"X-Id", "7", "X-Type", "thing.done"}, "7", "thing.done",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newInboundServer(t)
			path := "/webhooks/" + s.newSource(test.source)
			header := s.sign(test.cfg, test.body, test.header...)
			for range 2 {
				status, answer := s.call(http.MethodPost, path, header, test.body)
				require.Equal(t, http.StatusOK, status, answer)
				require.JSONEq(t, `{"received":true}`, answer)
			}
			received := s.received()
			require.Len(t, received, 1)
			require.Equal(t, test.id, received[0].ProviderID)
			require.Equal(t, test.evType, received[0].Type)
			stored, err := s.store.InboundEvent(t.Context(), models.Scope{}, received[0].ID)
			require.NoError(t, err)
			require.Equal(t, test.body, string(stored.Body))
			for name := range stored.Headers {
				for _, secret := range []string{"signature", "hmac", "sign"} {
					require.NotContains(t, strings.ToLower(name), secret)
				}
			}

			status, answer := s.call(http.MethodPost, path, header, test.body+" ")
			require.Equal(t, http.StatusUnauthorized, status, answer)
			require.Len(t, s.received(), 1)
		})
	}
}

func TestReceiveAnswersHandshakes(t *testing.T) {
	t.Parallel()
	t.Run("slack", func(t *testing.T) {
		t.Parallel()
		s := newInboundServer(t)
		path := "/webhooks/" + s.newSource(`{"name":"x","scheme":"slack","secret":"s"}`)
		body := `{"type":"url_verification","challenge":"c1"}`
		status, answer := s.call(http.MethodPost, path,
			s.sign(signature.Config{Scheme: signature.SchemeSlack, Secrets: []string{"s"}}, body), body)
		require.Equal(t, http.StatusOK, status)
		require.JSONEq(t, `{"challenge":"c1"}`, answer)
		require.Empty(t, s.received())
		status, answer = s.call(http.MethodPost, path, nil, body)
		require.Equal(t, http.StatusUnauthorized, status)
		require.NotContains(t, answer, "c1")
	})
	t.Run("github", func(t *testing.T) {
		t.Parallel()
		s := newInboundServer(t)
		path := "/webhooks/" + s.newSource(`{"name":"x","scheme":"github","secret":"s"}`)
		status, _ := s.call(http.MethodPost, path, s.sign(signature.Config{Scheme: signature.SchemeGitHub, Secrets: []string{"s"}},
			`{"zen":"x"}`, "X-GitHub-Event", "ping", "X-GitHub-Delivery", "1"), `{"zen":"x"}`)
		require.Equal(t, http.StatusOK, status)
		require.Empty(t, s.received())
	})
	t.Run("meta", func(t *testing.T) {
		t.Parallel()
		s := newInboundServer(t)
		path := "/webhooks/" + s.newSource(`{"name":"x","scheme":"hmac","secret":"s","header":"X-Hub-Signature-256","prefix":"sha256=","verify_token":"vt"}`)
		status, answer := s.call(http.MethodGet, path+"?hub.mode=subscribe&hub.challenge=42&hub.verify_token=vt", nil, "")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "42", answer)
		status, answer = s.call(http.MethodGet, path+"?hub.mode=subscribe&hub.challenge=42&hub.verify_token=other", nil, "")
		require.Equal(t, http.StatusForbidden, status)
		require.NotContains(t, answer, "42")
	})
}

func TestReceiveKeepsTheLastRejections(t *testing.T) {
	t.Parallel()
	s := newInboundServer(t)
	id := s.newSource(`{"name":"x","scheme":"stripe","secret":"s"}`)
	for range 55 {
		status, _ := s.call(http.MethodPost, "/webhooks/"+id, http.Header{"Stripe-Signature": {"t=1,v1=00"}}, `{"secret":"of the body"}`)
		require.Equal(t, http.StatusUnauthorized, status)
	}
	status, answer := s.admin(http.MethodGet, "/api/sources/"+id, "")
	require.Equal(t, http.StatusOK, status)
	var shown struct {
		Rejected   int              `json:"rejected"`
		Rejections []map[string]any `json:"rejections"`
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &shown))
	require.Equal(t, 55, shown.Rejected)
	require.Len(t, shown.Rejections, 50)
	require.NotContains(t, answer, "of the body")
}

func TestReceiveWhileTheSourceIsPausedOrGone(t *testing.T) {
	t.Parallel()
	s := newInboundServer(t)
	id := s.newSource(`{"name":"x","scheme":"stripe","secret":"s"}`)
	body := `{"id":"evt_1","type":"a"}`
	send := func() int {
		status, _ := s.call(http.MethodPost, "/webhooks/"+id,
			s.sign(signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"s"}}, body), body)
		return status
	}
	for _, step := range []struct {
		method, body string
		status, then int
	}{
		{http.MethodPatch, `{"active":false}`, 200, http.StatusServiceUnavailable},
		{http.MethodPatch, `{"active":true,"secret":"other"}`, 200, http.StatusUnauthorized},
		{http.MethodPatch, `{"secrets":["other","s"]}`, 200, http.StatusOK},
		{http.MethodDelete, ``, 204, http.StatusNotFound},
	} {
		status, answer := s.admin(step.method, "/api/sources/"+id, step.body)
		require.Equal(t, step.status, status, answer)
		require.Equal(t, step.then, send(), step.body)
	}
	require.Len(t, s.received(), 1)
}

func TestBadSources(t *testing.T) {
	t.Parallel()
	s := newInboundServer(t)
	for _, test := range []struct{ body, location string }{
		{`{"name":"x","scheme":"stripe"}`, "body.secret"},
		{`{"name":"x","scheme":"unknown","secret":"s"}`, "body.scheme"},
		{`{"name":"","scheme":"stripe","secret":"s"}`, "body.name"},
		{`{"name":"x","scheme":"standard-webhooks","secret":"no-base64!"}`, "body.secret"},
		{`{"name":"x","scheme":"hmac","secret":"s"}`, "body.header"},
		{`{"name":"x","scheme":"hmac","secret":"s","header":"X-Sign","encoding":"octal"}`, "body.encoding"},
		{`{"name":"x","scheme":"stripe","secret":"s","header":"X-Sign"}`, "body.header"},
		{`{"name":"x","scheme":"stripe","secret":"s","event_prefix":"a b"}`, "body.event_prefix"},
		{`{"name":"x","scheme":"stripe","secret":"s","owner_id":"own_00000000000000000000000001"}`, "body.owner_id"},
		{`{"name":"x","scheme":"stripe","secret":"s","tolerance_seconds":-1}`, "body.tolerance_seconds"},
	} {
		status, answer := s.admin(http.MethodPost, "/api/sources", test.body)
		require.Equal(t, http.StatusUnprocessableEntity, status, test.body)
		require.Contains(t, answer, fmt.Sprintf(`"location":%q`, test.location), test.body)
		require.NotContains(t, answer, "no-base64!")
	}
}

func TestSourcesAreTheirOwners(t *testing.T) {
	t.Parallel()
	s := newInboundServer(t)
	id := s.newSource(`{"name":"x","scheme":"stripe","secret":"s"}`)
	owner := models.Owner{Name: "other"}
	require.NoError(t, s.store.CreateOwner(t.Context(), &owner))
	_, token, err := s.store.CreateAPIKey(t.Context(), owner.ID)
	require.NoError(t, err)
	key := http.Header{"Authorization": {"Bearer " + token}}
	body := `{"id":"evt_1","type":"a"}`
	status, _ := s.call(http.MethodPost, "/webhooks/"+id,
		s.sign(signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"s"}}, body), body)
	require.Equal(t, http.StatusOK, status)
	inbound := s.received()[0].ID

	for _, call := range []struct{ method, path, body string }{
		{http.MethodGet, "/api/sources/" + id, ""},
		{http.MethodPatch, "/api/sources/" + id, `{"name":"mine"}`},
		{http.MethodDelete, "/api/sources/" + id, ""},
		{http.MethodGet, "/api/inbound-events/" + inbound, ""},
		{http.MethodPost, "/api/inbound-events/" + inbound + "/reprocess", ""},
	} {
		status, answer := s.call(call.method, call.path, key, call.body)
		require.Equal(t, http.StatusNotFound, status, "%s %s: %s", call.method, call.path, answer)
	}
	for _, path := range []string{"/api/sources", "/api/inbound-events"} {
		status, answer := s.call(http.MethodGet, path, key, "")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, answer, `"data":[]`)
	}
	source, err := s.store.Source(t.Context(), models.Scope{}, id)
	require.NoError(t, err)
	require.Equal(t, "x", source.Name)
}
