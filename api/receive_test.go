package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// source makes a source and returns its ID.
func (s *server) source(body string) string {
	s.t.Helper()
	return text(s.t, s.admin(http.StatusCreated, "POST", "/api/sources", body).object(), "id")
}

// sign signs a body as the provider does and returns the headers' names and values, with more of them.
func (s *server) sign(cfg signature.Config, body string, more ...string) []string {
	s.t.Helper()
	header, err := signature.Sign(cfg, "msg_1", time.Now(), []byte(body))
	require.NoError(s.t, err)
	for name := range header {
		more = append(more, name, header.Get(name))
	}
	return more
}

func (s *server) received() []models.InboundEvent {
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
			`{"name":"x","scheme":"stripe","secret":"whsec_of-stripe"}`,
			signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"whsec_of-stripe"}},
			`{"id":"evt_1","type":"charge.failed","data":{}}`, nil, "evt_1", "charge.failed",
		},
		"stripe, in a rotation": {
			`{"name":"x","scheme":"stripe","secrets":["whsec_new","whsec_old"]}`,
			signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"whsec_old"}},
			`{"id":"evt_1","type":"charge.failed","data":{}}`, nil, "evt_1", "charge.failed",
		},
		"github": {
			`{"name":"x","scheme":"github","secret":"s3cret-of-8"}`,
			signature.Config{Scheme: signature.SchemeGitHub, Secrets: []string{"s3cret-of-8"}},
			`{"action":"opened"}`, []string{"X-GitHub-Delivery", "guid", "X-GitHub-Event", "pull_request"}, "guid", "pull_request.opened",
		},
		"shopify": {
			`{"name":"x","scheme":"shopify","secret":"s3cret-of-8"}`,
			signature.Config{Scheme: signature.SchemeShopify, Secrets: []string{"s3cret-of-8"}},
			`{"id":1}`, []string{"X-Shopify-Webhook-Id", "w1", "X-Shopify-Topic", "orders/paid"}, "w1", "orders/paid",
		},
		"slack": {
			`{"name":"x","scheme":"slack","secret":"s3cret-of-8"}`,
			signature.Config{Scheme: signature.SchemeSlack, Secrets: []string{"s3cret-of-8"}},
			`{"type":"event_callback","event_id":"Ev1","event":{"type":"app_mention"}}`, nil, "Ev1", "app_mention",
		},
		"hmac": {
			`{"name":"x","scheme":"hmac","secret":"s3cret-of-8","header":"X-Sign","prefix":"sha512=","encoding":"base64","hash":"sha512","id_header":"X-Id","type_header":"X-Type"}`,
			signature.Config{Scheme: signature.SchemeHMAC, Secrets: []string{"s3cret-of-8"}, HMAC: hmac},
			`{}`, []string{"X-Id", "7", "X-Type", "thing.done"}, "7", "thing.done",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			path := "/webhooks/" + s.source(test.source)
			header := s.sign(test.cfg, test.body, test.header...)
			for range 2 {
				reply := s.call("", "POST", path, test.body, header...).is(http.StatusOK)
				require.JSONEq(t, `{"received":true}`, reply.body)
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

			s.call("", "POST", path, test.body+" ", header...).problem(http.StatusUnauthorized, "bad_signature")
			require.Len(t, s.received(), 1)
		})
	}
}

func TestReceiveAnswersHandshakes(t *testing.T) {
	t.Parallel()
	t.Run("slack", func(t *testing.T) {
		t.Parallel()
		s := newService(t)
		path := "/webhooks/" + s.source(`{"name":"x","scheme":"slack","secret":"s3cret-of-8"}`)
		body := `{"type":"url_verification","challenge":"c1"}`
		cfg := signature.Config{Scheme: signature.SchemeSlack, Secrets: []string{"s3cret-of-8"}}
		reply := s.call("", "POST", path, body, s.sign(cfg, body)...).is(http.StatusOK)
		require.JSONEq(t, `{"challenge":"c1"}`, reply.body)
		require.Empty(t, s.received())
		reply = s.call("", "POST", path, body)
		require.NotContains(t, reply.body, "c1")
		reply.problem(http.StatusUnauthorized, "bad_signature")
	})
	t.Run("github", func(t *testing.T) {
		t.Parallel()
		s := newService(t)
		path := "/webhooks/" + s.source(`{"name":"x","scheme":"github","secret":"s3cret-of-8"}`)
		cfg := signature.Config{Scheme: signature.SchemeGitHub, Secrets: []string{"s3cret-of-8"}}
		header := s.sign(cfg, `{"zen":"x"}`, "X-GitHub-Event", "ping", "X-GitHub-Delivery", "1")
		s.call("", "POST", path, `{"zen":"x"}`, header...).is(http.StatusOK)
		require.Empty(t, s.received())
	})
	t.Run("meta", func(t *testing.T) {
		t.Parallel()
		s := newService(t)
		path := "/webhooks/" + s.source(`{"name":"x","scheme":"hmac","secret":"s3cret-of-8","header":"X-Hub-Signature-256","prefix":"sha256=","verify_token":"vt"}`)
		reply := s.call("", "GET", path+"?hub.mode=subscribe&hub.challenge=42&hub.verify_token=vt", "").is(http.StatusOK)
		require.Equal(t, "42", reply.body)
		reply = s.call("", "GET", path+"?hub.mode=subscribe&hub.challenge=42&hub.verify_token=other", "")
		require.NotContains(t, reply.body, "42")
		reply.problem(http.StatusForbidden, "forbidden")
	})
}

func TestReceiveKeepsTheLastRejections(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id := s.source(`{"name":"x","scheme":"stripe","secret":"whsec_of-stripe"}`)
	for range 55 {
		s.call("", "POST", "/webhooks/"+id, `{"secret":"of the body"}`, "Stripe-Signature", "t=1,v1=00").
			problem(http.StatusUnauthorized, "bad_signature")
	}
	reply := s.admin(http.StatusOK, "GET", "/api/sources/"+id, "")
	require.NotContains(t, reply.body, "of the body")
	shown := reply.object()
	require.EqualValues(t, 55, shown["rejected"])
	require.Len(t, shown["rejections"], 50)
}

func TestReceiveWhileTheSourceIsPausedOrGone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id := s.source(`{"name":"x","scheme":"stripe","secret":"whsec_of-stripe"}`)
	body := `{"id":"evt_1","type":"a"}`
	cfg := signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"whsec_of-stripe"}}
	for _, step := range []struct {
		method, body string
		status, then int
	}{
		{http.MethodPatch, `{"active":false}`, 200, http.StatusNotFound},
		{http.MethodPatch, `{"active":true,"secret":"whsec_other"}`, 200, http.StatusUnauthorized},
		{http.MethodPatch, `{"secrets":["whsec_other","whsec_of-stripe"]}`, 200, http.StatusOK},
		{http.MethodDelete, ``, 204, http.StatusNotFound},
	} {
		s.admin(step.status, step.method, "/api/sources/"+id, step.body)
		s.call("", "POST", "/webhooks/"+id, body, s.sign(cfg, body)...).is(step.then)
	}
	require.Len(t, s.received(), 1)
}

func TestBadSources(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for _, test := range []struct{ body, location string }{
		{`{"name":"x","scheme":"stripe"}`, "body.secret"},
		{`{"name":"x","scheme":"unknown","secret":"s3cret-of-8"}`, "body.scheme"},
		{`{"name":"","scheme":"stripe","secret":"whsec_of-stripe"}`, "body.name"},
		{`{"name":"x","scheme":"standard-webhooks","secret":"no-base64!"}`, "body.secret"},
		{`{"name":"x","scheme":"hmac","secret":"s3cret-of-8"}`, "body.header"},
		{`{"name":"x","scheme":"hmac","secret":"s3cret-of-8","header":"X-Sign","encoding":"octal"}`, "body.encoding"},
		{`{"name":"x","scheme":"stripe","secret":"whsec_of-stripe","header":"X-Sign"}`, "body.header"},
		{`{"name":"x","scheme":"stripe","secret":"whsec_of-stripe","event_prefix":"a b"}`, "body.event_prefix"},
		{`{"name":"x","scheme":"stripe","secret":"whsec_of-stripe","owner_id":"own_00000000000000000000000001"}`, "body.owner_id"},
		{`{"name":"x","scheme":"stripe","secret":"whsec_of-stripe","tolerance":-1}`, "body.tolerance"},
	} {
		reply := s.call(adminKey, "POST", "/api/sources", test.body)
		require.NotContains(t, reply.body, "no-base64!")
		problem := reply.problem(http.StatusUnprocessableEntity, "invalid")
		require.Len(t, problem.Errors, 1, test.body)
		require.Equal(t, test.location, problem.Errors[0].Location, test.body)
	}
}

func TestReceiveBadInput(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id := s.source(`{"name":"x","scheme":"stripe","secret":"whsec_of-stripe"}`)
	other := s.source(`{"name":"y","scheme":"stripe","secret":"whsec_of-another-source"}`)
	const event, form = `{"id":"evt_1","type":"a"}`, "application/x-www-form-urlencoded"
	cfg := signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"whsec_of-stripe"}}
	signed := func(body string, more ...string) []string { return s.sign(cfg, body, more...) }
	for name, test := range map[string]struct {
		method, path, body string
		header             []string
		status             int
		code, detail       string
	}{
		"unknown source":            {"POST", "src_00000000000000000000000001", event, signed(event), 404, "not_found", "there is no source"},
		"another kind of ID":        {"POST", "wh_00000000000000000000000001", event, signed(event), 404, "not_found", "there is no source"},
		"GET":                       {"GET", id, "", nil, 405, "method_not_allowed", "takes POST only"},
		"PUT":                       {"PUT", id, event, signed(event), 405, "method_not_allowed", "PUT is not possible"},
		"no body, signed":           {"POST", id, "", signed(""), 400, "bad_request", "not a JSON object"},
		"no body, not signed":       {"POST", id, "", nil, 401, "bad_signature", "Stripe-Signature"},
		"not JSON":                  {"POST", id, "id=evt_1", signed("id=evt_1", "Content-Type", form), 400, "bad_request", "not a JSON object"},
		"no object":                 {"POST", id, "[1]", signed("[1]"), 400, "bad_request", "not a JSON object"},
		"no ID":                     {"POST", id, `{"type":"a"}`, signed(`{"type":"a"}`), 400, "bad_request", "ID is missing"},
		"too large":                 {"POST", id, strings.Repeat(" ", 5<<20+1), nil, 413, "body_too_large", "5242880 bytes"},
		"signed for another source": {"POST", other, event, signed(event), 401, "bad_signature", "does not match"},
	} {
		reply := s.call("", test.method, "/webhooks/"+test.path, test.body, test.header...)
		require.Equal(t, test.status, reply.status, name)
		require.Contains(t, reply.problem(test.status, test.code).Detail, test.detail, name)
	}
	require.Empty(t, s.received())
	s.call("", "POST", "/webhooks/"+id, event, signed(event, "Content-Type", "text/plain")...).is(http.StatusOK)
	require.Len(t, s.received(), 1, "what counts is the body, not what its type is said to be")
}
