package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/api"
	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// recoveryServer is the API with a real store whose recoveries have no workflows: calls are recorded.
type recoveryServer struct {
	service.Dispatcher
	t       *testing.T
	store   *store.Store
	handler http.Handler
	now     time.Time
	steered []string
	// owner is one of two; its key and webhook are not the other's.
	owner, key, otherKey string
	webhook              models.Webhook
}

const recoveryAdminKey = "the administrator's key"

func newRecoveryServer(t *testing.T) *recoveryServer {
	t.Helper()
	s := &recoveryServer{t: t, now: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)}
	now := func() time.Time { return s.now }
	s.store = storetest.New(t, storetest.SQLite(t), store.Config{Now: now})
	s.handler = newAPI(config{
		Config: api.Config{
			Now: now, Logger: slog.New(slog.DiscardHandler),
			WorkflowURL: func(id, _ string) string { return "http://temporal/" + id },
		},
		Service: service.Config{Store: s.store, Dispatcher: s, AdminKey: recoveryAdminKey},
	})
	owner, other := models.Owner{Name: "acme"}, models.Owner{Name: "other"}
	for _, made := range []struct {
		owner *models.Owner
		key   *string
	}{{&owner, &s.key}, {&other, &s.otherKey}} {
		require.NoError(t, s.store.CreateOwner(t.Context(), made.owner))
		var err error
		_, *made.key, err = s.store.CreateAPIKey(t.Context(), made.owner.ID, models.RoleFull, nil)
		require.NoError(t, err)
	}
	s.owner = owner.ID
	s.webhook = storetest.Webhook(t, s.store, func(webhook *models.Webhook) { webhook.OwnerID = owner.ID })
	return s
}

func (s *recoveryServer) Recover(ctx context.Context, webhook models.Webhook, recovery *models.Recovery) error {
	if !webhook.Active {
		return dispatch.ErrWebhookInactive
	}
	recovery.WebhookID, recovery.OwnerID = webhook.ID, webhook.OwnerID
	return s.store.CreateRecovery(ctx, recovery)
}

func (s *recoveryServer) PauseRecovery(_ context.Context, recovery models.Recovery) error {
	return s.steer("pause", recovery)
}

func (s *recoveryServer) ResumeRecovery(_ context.Context, recovery models.Recovery) error {
	return s.steer("resume", recovery)
}

func (s *recoveryServer) CancelRecovery(_ context.Context, recovery models.Recovery) error {
	return s.steer("cancel", recovery)
}

func (s *recoveryServer) steer(step string, recovery models.Recovery) error {
	if recovery.Status.Finished() {
		return dispatch.ErrRecoveryFinished
	}
	s.steered = append(s.steered, step+" "+recovery.ID)
	return nil
}

// call makes a request and returns the status and the body.
func (s *recoveryServer) call(key, method, path, body string) (int, string) {
	s.t.Helper()
	request := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+key)
	answer := httptest.NewRecorder()
	s.handler.ServeHTTP(answer, request)
	return answer.Code, answer.Body.String()
}

func (s *recoveryServer) recoverPath() string { return "/api/webhooks/" + s.webhook.ID + "/recover" }

// made starts a recovery.
func (s *recoveryServer) made(body string) api.Recovery {
	s.t.Helper()
	status, answer := s.call(s.key, http.MethodPost, s.recoverPath(), body)
	require.Equal(s.t, http.StatusAccepted, status, answer)
	var recovery api.Recovery
	require.NoError(s.t, json.Unmarshal([]byte(answer), &recovery))
	return recovery
}

func TestRecoverAnswersWithTheRecovery(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body    string
		until   string
		include models.Include
		rate    int
	}{
		"what failed until now": {`{"since": "2026-02-03T03:00:00+01:00"}`, "2026-02-03T04:05:06Z", models.IncludeFailed, 10},
		"everything of an hour": {`{"since": "2026-02-03T02:00:00Z", "until": "2026-02-03T03:00:00Z", "include": "all", "rate": 1000}`,
			"2026-02-03T03:00:00Z", models.IncludeAll, 1000},
		"what was missed": {`{"since": "2026-02-03T02:00:00Z", "include": "missed"}`, "2026-02-03T04:05:06Z", models.IncludeMissed, 10},
		"the future is not yet there": {`{"since": "2026-02-03T02:00:00Z", "until": "2027-01-01T00:00:00Z", "rate": 1}`,
			"2026-02-03T04:05:06Z", models.IncludeFailed, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newRecoveryServer(t)
			got := s.made(test.body)
			require.Equal(t, "2026-02-03T02:00:00Z", got.Since.Format(time.RFC3339))
			require.Equal(t, test.until, got.Until.Format(time.RFC3339))
			require.Equal(t, test.include, got.Include)
			require.Equal(t, test.rate, got.Rate)
			require.Equal(t, s.webhook.ID, got.WebhookID)
			require.Equal(t, s.owner, got.OwnerID)
			require.Equal(t, models.RecoveryRunning, got.Status)
			require.Nil(t, got.Total, "they are not counted yet")
			require.Equal(t, "http://temporal/"+got.ID, *got.Workflow.URL)

			_, err := s.store.CollectRecovery(t.Context(), got.ID, 10)
			require.NoError(t, err)
			status, answer := s.call(s.key, http.MethodGet, "/api/recoveries/"+got.ID, "")
			require.Equal(t, http.StatusOK, status)
			require.Contains(t, answer, `"total":0,"resent":0,"skipped":0`)
		})
	}
}

func TestRecoverRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body, location string
	}{
		"no since":          {`{}`, "body"},
		"no time":           {`{"since": "yesterday"}`, "body.since"},
		"since is now":      {`{"since": "2026-02-03T04:05:06Z"}`, "body.since"},
		"until is before":   {`{"since": "2026-02-03T02:00:00Z", "until": "2026-02-03T01:00:00Z"}`, "body.since"},
		"no rate":           {`{"since": "2026-02-03T02:00:00Z", "rate": 0}`, "body.rate"},
		"too much":          {`{"since": "2026-02-03T02:00:00Z", "rate": 1001}`, "body.rate"},
		"include of before": {`{"since": "2026-02-03T02:00:00Z", "include": "permanently_failed"}`, "body.include"},
		"unknown include":   {`{"since": "2026-02-03T02:00:00Z", "include": "some"}`, "body.include"},
		"an unknown field":  {`{"since": "2026-02-03T02:00:00Z", "speed": 1}`, "body.speed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newRecoveryServer(t)
			status, answer := s.call(s.key, http.MethodPost, s.recoverPath(), test.body)
			require.Equal(t, http.StatusUnprocessableEntity, status, answer)
			require.Contains(t, answer, `"location":"`+test.location+`"`)
		})
	}
}

func TestRecoverOfABusyOrInactiveWebhook(t *testing.T) {
	t.Parallel()
	s := newRecoveryServer(t)
	const body = `{"since": "2026-02-03T02:00:00Z"}`
	first := s.made(body)
	status, answer := s.call(s.key, http.MethodPost, s.recoverPath(), body)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, answer, `"code":"recovery_active"`)
	require.Contains(t, answer, first.ID)
	_, err := s.store.UpdateWebhook(t.Context(), models.Scope{}, s.webhook.ID, func(w *models.Webhook) error {
		w.Active = false
		return nil
	})
	require.NoError(t, err)
	status, answer = s.call(s.key, http.MethodPost, s.recoverPath(), body)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, answer, `"code":"webhook_inactive"`)
	require.NoError(t, s.store.DeleteWebhook(t.Context(), models.Scope{}, s.webhook.ID))
	status, _ = s.call(s.key, http.MethodPost, s.recoverPath(), body)
	require.Equal(t, http.StatusNotFound, status)
}

func TestSteerRecovery(t *testing.T) {
	t.Parallel()
	s := newRecoveryServer(t)
	made := s.made(`{"since": "2026-02-03T02:00:00Z"}`)
	for _, step := range []string{"pause", "resume", "cancel"} {
		status, answer := s.call(s.key, http.MethodPost, "/api/recoveries/"+made.ID+"/"+step, "")
		require.Equal(t, http.StatusAccepted, status, answer)
		require.Contains(t, answer, `"id":"`+made.ID+`"`)
	}
	require.Equal(t, []string{"pause " + made.ID, "resume " + made.ID, "cancel " + made.ID}, s.steered)
	_, err := s.store.SetRecoveryStatus(t.Context(), made.ID, models.RecoveryCancelled, "cancelled on request")
	require.NoError(t, err)
	for _, step := range []string{"pause", "resume", "cancel"} {
		status, answer := s.call(s.key, http.MethodPost, "/api/recoveries/"+made.ID+"/"+step, "")
		require.Equal(t, http.StatusConflict, status)
		require.Contains(t, answer, `"code":"recovery_finished"`)
	}
	require.Len(t, s.steered, 3)
	status, answer := s.call(s.key, http.MethodGet, "/api/recoveries/"+made.ID, "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, answer, `"reason":"cancelled on request"`)
	require.Contains(t, answer, `"finished_at":"2026-02-03T04:05:06Z"`)
}

func TestRecoveriesOfAnotherOwnerDoNotExist(t *testing.T) {
	t.Parallel()
	s := newRecoveryServer(t)
	made := s.made(`{"since": "2026-02-03T02:00:00Z"}`)
	for _, call := range []struct{ method, path, body string }{
		{http.MethodPost, s.recoverPath(), `{"since": "2026-02-03T02:00:00Z"}`},
		{http.MethodGet, "/api/recoveries/" + made.ID, ""},
		{http.MethodPost, "/api/recoveries/" + made.ID + "/pause", ""},
		{http.MethodPost, "/api/recoveries/" + made.ID + "/resume", ""},
		{http.MethodPost, "/api/recoveries/" + made.ID + "/cancel", ""},
		{http.MethodGet, "/api/recoveries/rec_x", ""},
	} {
		status, answer := s.call(s.otherKey, call.method, call.path, call.body)
		require.Equal(t, http.StatusNotFound, status, "%s %s: %s", call.method, call.path, answer)
	}
	require.Empty(t, s.steered)
	list := func(key, query string) int {
		status, answer := s.call(key, http.MethodGet, "/api/recoveries"+query, "")
		require.Equal(t, http.StatusOK, status, answer)
		var page struct{ Data []api.Recovery }
		require.NoError(t, json.Unmarshal([]byte(answer), &page))
		return len(page.Data)
	}
	require.Zero(t, list(s.otherKey, ""))
	require.Zero(t, list(s.otherKey, "?webhook_id="+s.webhook.ID))
	require.Equal(t, 1, list(s.key, "?status=running&webhook_id="+s.webhook.ID))
	require.Zero(t, list(s.key, "?status=paused"))
	require.Equal(t, 1, list(recoveryAdminKey, ""))
	for _, query := range []string{"?webhook_id=x", "?status=done", "?limit=0", "?cursor=x"} {
		status, answer := s.call(s.key, http.MethodGet, "/api/recoveries"+query, "")
		require.Equal(t, http.StatusUnprocessableEntity, status, answer)
	}
}
