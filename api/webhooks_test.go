package api_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// webhookMembers are what the contract lists.
var webhookMembers = []string{
	"active", "auth", "created_at", "description", "disabled_reason", "events", "external_id", "filter", "format", "headers", "health", "id", "metadata",
	"on_failure", "ordered", "owner_id", "public_key", "rate_limit", "retry_schedule", "signatures", "signing", "timeout", "tls", "transform", "updated_at",
	"url",
}

func TestWebhookFromCreationToDeletion(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		made := s.admin(http.StatusCreated, "POST", "/api/webhooks",
			`{"url":"https://example.com/x?a=1","events":["order.*","user.created"],"description":"Über <orders>","headers":{"X-Team":"a"},"retry_schedule":["60s","1.5h"]}`).object()
		secret := text(t, made, "secret")
		require.Regexp(t, `^whsec_[A-Za-z0-9+/]{43}=$`, secret)
		delete(made, "secret")
		require.Equal(t, webhookMembers, members(made))
		require.NoError(t, typeid.Check(typeid.KindWebhook, text(t, made, "id")))
		require.Equal(t, models.DefaultOwnerID, made["owner_id"])
		require.Equal(t, "https://example.com/x?a=1", made["url"])
		require.Equal(t, []any{"order.*", "user.created"}, made["events"])
		require.Equal(t, "Über <orders>", made["description"])
		require.Equal(t, map[string]any{"X-Team": "•••"}, made["headers"])
		require.Equal(t, []any{"1m", "1h30m"}, made["retry_schedule"])
		require.Equal(t, true, made["active"])
		require.Nil(t, made["disabled_reason"])
		for _, member := range []string{"created_at", "updated_at"} {
			at, err := time.Parse(time.RFC3339Nano, text(t, made, member))
			require.NoError(t, err)
			require.True(t, strings.HasSuffix(text(t, made, member), "Z"), "in UTC: %v", made[member])
			require.WithinDuration(t, s.store.Now(), at, time.Minute)
		}

		path := "/api/webhooks/" + text(t, made, "id")
		shown := s.admin(http.StatusOK, "GET", path, "")
		require.NotContains(t, shown.body, "secret")
		require.Equal(t, made, shown.object())
		items, next := s.admin(http.StatusOK, "GET", "/api/webhooks", "").list()
		require.Equal(t, []map[string]any{made}, items)
		require.Empty(t, next)

		rotated := s.admin(http.StatusOK, "POST", path+"/rotate-secret", "").object()
		require.NotEqual(t, secret, text(t, rotated, "secret"))
		stored, err := s.store.Webhook(t.Context(), models.Scope{}, text(t, made, "id"))
		require.NoError(t, err)
		secrets, err := s.store.SigningSecrets(stored, s.store.Now())
		require.NoError(t, err)
		require.Equal(t, []string{text(t, rotated, "secret"), secret}, secrets)

		require.Empty(t, s.admin(http.StatusNoContent, "DELETE", path, "").body)
		s.call(adminKey, "GET", path, "").problem(http.StatusNotFound, "not_found")
		s.call(adminKey, "DELETE", path, "").problem(http.StatusNotFound, "not_found")
		items, _ = s.admin(http.StatusOK, "GET", "/api/webhooks", "").list()
		require.Empty(t, items)
	})
}

func TestSmallestWebhook(t *testing.T) {
	t.Parallel()
	s := newService(t)
	made := s.admin(http.StatusCreated, "POST", "/api/webhooks",
		`{"url":"http://example.com","events":["*"],"headers":null,"retry_schedule":null}`).object()
	require.Empty(t, made["description"])
	require.Equal(t, map[string]any{}, made["headers"], "an object, not null")
	require.Nil(t, made["retry_schedule"], "the installation's")
	none := s.admin(http.StatusCreated, "POST", "/api/webhooks",
		`{"url":"http://example.com","events":["*"],"retry_schedule":[]}`).object()
	require.Equal(t, []any{}, none["retry_schedule"], "no retries")
	limit := s.admin(http.StatusCreated, "POST", "/api/webhooks",
		`{"url":"http://example.com","events":["*"],"description":"`+strings.Repeat("ü", 500)+`"}`).object()
	require.Len(t, []rune(text(t, limit, "description")), 500)
	s.call(adminKey, "POST", "/api/webhooks",
		`{"url":"http://example.com","events":["*"],"description":"`+strings.Repeat("ü", 501)+`"}`).problem(http.StatusUnprocessableEntity, "invalid")
}

// A merge patch changes what it names, empties what it names with null, and leaves everything else.
func TestPatchWebhook(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for name, test := range map[string]struct {
		patch string
		want  map[string]any
	}{
		"nothing":                {`{}`, nil},
		"url":                    {`{"url":"https://example.org/"}`, map[string]any{"url": "https://example.org/"}},
		"events":                 {`{"events":["user.*"]}`, map[string]any{"events": []any{"user.*"}}},
		"description":            {`{"description":"new"}`, map[string]any{"description": "new"}},
		"no description":         {`{"description":null}`, map[string]any{"description": ""}},
		"a header more":          {`{"headers":{"X-B":"2"}}`, map[string]any{"headers": map[string]any{"X-A": "•••", "X-B": "•••"}}},
		"a header less":          {`{"headers":{"x-a":null}}`, map[string]any{"headers": map[string]any{}}},
		"no headers":             {`{"headers":null}`, map[string]any{"headers": map[string]any{}}},
		"schedule":               {`{"retry_schedule":["5m"]}`, map[string]any{"retry_schedule": []any{"5m"}}},
		"no retries":             {`{"retry_schedule":[]}`, map[string]any{"retry_schedule": []any{}}},
		"the installation's":     {`{"retry_schedule":null}`, map[string]any{"retry_schedule": nil}},
		"paused":                 {`{"active":false}`, map[string]any{"active": false}},
		"two at once":            {`{"active":false,"description":"x"}`, map[string]any{"active": false, "description": "x"}},
		"as it was, spelled out": {`{"active":true,"url":"https://example.com/x"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := s.in(t)
			want := s.admin(http.StatusCreated, "POST", "/api/webhooks",
				`{"url":"https://example.com/x","events":["a"],"description":"d","headers":{"X-A":"1"},"retry_schedule":["1m"]}`).object()
			delete(want, "secret")
			path := "/api/webhooks/" + text(t, want, "id")
			patched := s.admin(http.StatusOK, "PATCH", path, test.patch, "Content-Type", "application/merge-patch+json").object()
			for member, value := range test.want {
				want[member] = value
			}
			want["updated_at"] = patched["updated_at"]
			require.Equal(t, want, patched)
			require.Equal(t, want, s.admin(http.StatusOK, "GET", path, "").object())
		})
	}
}

func TestPatchWebhookRefuses(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id := s.webhook(adminKey, "a")
	before := s.admin(http.StatusOK, "GET", "/api/webhooks/"+id, "").body
	for patch, location := range map[string]string{
		`{"url":null}`:                     "body.url",
		`{"url":5}`:                        "body.url",
		`{"events":null}`:                  "body.events",
		`{"events":[]}`:                    "body.events",
		`{"events":"a"}`:                   "body.events",
		`{"active":null}`:                  "body.active",
		`{"active":"yes"}`:                 "body.active",
		`{"retry_schedule":["soon"]}`:      "body.retry_schedule",
		`{"headers":{"User-Agent":"x"}}`:   "body.headers.User-Agent",
		`{"headers":{"X-A":1}}`:            "body.headers.X-A",
		`{"description":"\u0000"}`:         "body.description",
		`{"id":"wh_x"}`:                    "body.id",
		`{"owner_id":"own_x"}`:             "body.owner_id",
		`{"secret":"whsec_x"}`:             "body.secret",
		`{"description":"kept?","url":""}`: "body.url",
	} {
		problem := s.call(adminKey, "PATCH", "/api/webhooks/"+id, patch).problem(http.StatusUnprocessableEntity, "invalid")
		require.Len(t, problem.Errors, 1, patch)
		require.Equal(t, location, problem.Errors[0].Location, patch)
	}
	require.Equal(t, before, s.admin(http.StatusOK, "GET", "/api/webhooks/"+id, "").body)
}

func TestEveryWrongFieldIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	s := newService(t)
	problem := s.call(adminKey, "POST", "/api/webhooks",
		`{"url":"x","events":["a b","*"],"headers":{"Host":"1","X-B":"\n"},"retry_schedule":["8d"],"description":"\u0000"}`).
		problem(http.StatusUnprocessableEntity, "invalid")
	var locations []string
	for _, field := range problem.Errors {
		require.NotEmpty(t, field.Message)
		locations = append(locations, field.Location)
	}
	require.Equal(t, []string{
		"body.url", "body.events[0]", "body.headers.Host", "body.headers.X-B", "body.description", "body.retry_schedule",
	}, locations)
}

// What is part of the wire contract or belongs to the connection cannot be a webhook's own, however it is written, and the
// message says which of them it is.
func TestReservedHeaders(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for reason, names := range map[string][]string{
		"this header is set by Postrider": {"Host", "Content-Length", "Content-Type", "User-Agent", "Accept-Encoding"},
		"of the connection":               {"Expect", "Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade"},
		"without an encoding":             {"Content-Encoding"},
		"for proxies":                     {"Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection"},
		"kept for Postrider's own": {"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Webhook-Anything",
			"X-Webhook-Event", "X-Webhook-Delivery", "X-Webhook-Attempt", "X-Webhook-Signature", "X-Webhook-Anything"},
	} {
		for _, name := range names {
			for _, name := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
				body := `{"url":"https://example.com","events":["*"],"headers":{"` + name + `":"1"}}`
				problem := s.call(adminKey, "POST", "/api/webhooks", body).problem(http.StatusUnprocessableEntity, "invalid")
				require.Contains(t, problem.Detail, "body.headers."+name+": ")
				require.Contains(t, problem.Detail, reason)
			}
		}
	}
}

func TestActivatingClearsTheReason(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id := s.webhook(adminKey, "a")
	_, err := s.store.UpdateWebhook(t.Context(), models.Scope{}, id, func(w *models.Webhook) error {
		w.Active, w.DisabledReason = false, "the receiver answered 410 Gone"
		return nil
	})
	require.NoError(t, err)
	path := "/api/webhooks/" + id
	require.Equal(t, "the receiver answered 410 Gone", s.admin(http.StatusOK, "GET", path, "").object()["disabled_reason"])
	items, _ := s.admin(http.StatusOK, "GET", "/api/webhooks?active=false", "").list()
	require.Len(t, items, 1)
	items, _ = s.admin(http.StatusOK, "GET", "/api/webhooks?active=true", "").list()
	require.Empty(t, items)
	patched := s.admin(http.StatusOK, "PATCH", path, `{"active":true}`).object()
	require.Nil(t, patched["disabled_reason"])
}

func TestTestWebhook(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id := s.webhook(adminKey, "a")
	s.admin(http.StatusOK, "PATCH", "/api/webhooks/"+id, `{"active":false}`)
	for name, test := range map[string]struct {
		attempt func(*models.Attempt)
		status  models.Status
		want    map[string]any
	}{
		"delivered": {
			func(a *models.Attempt) { a.StatusCode = pointer(204) }, models.StatusDelivered,
			map[string]any{"success": true, "status_code": 204.0, "duration_ms": 12.0, "error": nil},
		},
		"refused": {
			func(a *models.Attempt) {
				a.StatusCode, a.ErrorClass, a.Error = pointer(500), models.ErrorHTTPStatus, "receiver answered 500"
			}, models.StatusPermanentlyFailed,
			map[string]any{"success": false, "status_code": 500.0, "duration_ms": 12.0, "error": "receiver answered 500"},
		},
		"unreachable": {
			func(a *models.Attempt) { a.ErrorClass, a.Error = models.ErrorDNS, "no such host" }, models.StatusPermanentlyFailed,
			map[string]any{"success": false, "status_code": nil, "duration_ms": 12.0, "error": "no such host"},
		},
	} {
		s.temporal.set(func(f *temporal) {
			f.end = func(deliveryID string) error {
				s.attempt(deliveryID, test.status, test.attempt)
				return nil
			}
		})
		result := s.admin(http.StatusOK, "POST", "/api/webhooks/"+id+"/test", "").object()
		require.NoError(t, typeid.Check(typeid.KindDelivery, text(t, result, "delivery_id")), name)
		delete(result, "delivery_id")
		require.Equal(t, test.want, result, name)
	}

	s.temporal.set(func(f *temporal) { f.end = func(string) error { return errors.New("no worker") } })
	reply := s.call(adminKey, "POST", "/api/webhooks/"+id+"/test", "")
	require.NotContains(t, reply.body, "no worker")
	reply.problem(http.StatusServiceUnavailable, "unavailable")
}

func TestRotateSecretRefuses(t *testing.T) {
	t.Parallel()
	s := newService(t)
	path := "/api/webhooks/" + s.webhook(adminKey, "a") + "/rotate-secret"
	for _, grace := range []string{"soon", "-1s", "721h", "1"} {
		problem := s.call(adminKey, "POST", path, `{"grace":"`+grace+`"}`).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, "body.grace", problem.Errors[0].Location, grace)
	}
	for _, grace := range []string{"0s", "720h"} {
		s.admin(http.StatusOK, "POST", path, `{"grace":"`+grace+`"}`)
	}
}

func pointer[T any](value T) *T { return &value }
