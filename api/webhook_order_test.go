package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
)

func TestWebhookOrder(t *testing.T) {
	t.Parallel()
	s := newService(t)
	made := s.admin(http.StatusCreated, "POST", "/api/webhooks", `{"url":"https://example.com","events":["*"],"ordered":true}`).object()
	require.Equal(t, true, made["ordered"])
	require.Equal(t, "wait", made["on_failure"])
	path := "/api/webhooks/" + text(t, made, "id")
	for _, step := range []struct {
		patch     string
		ordered   bool
		onFailure string
	}{
		{`{"on_failure":"skip"}`, true, "skip"},
		{`{"description":"x"}`, true, "skip"},
		{`{"ordered":false}`, false, "skip"},
		{`{"ordered":true,"on_failure":null}`, true, "wait"},
	} {
		changed := s.admin(http.StatusOK, "PATCH", path, step.patch).object()
		require.Equal(t, step.ordered, changed["ordered"], step.patch)
		require.Equal(t, step.onFailure, changed["on_failure"], step.patch)
		require.Equal(t, changed, s.admin(http.StatusOK, "GET", path, "").object())
	}
	for _, body := range []string{`"on_failure":"stop"`, `"on_failure":""`, `"ordered":"yes"`} {
		s.call(adminKey, "PATCH", path, "{"+body+"}").problem(http.StatusUnprocessableEntity, "invalid")
		s.call(adminKey, "POST", "/api/webhooks", `{"url":"https://example.com","events":["*"],`+body+"}").problem(http.StatusUnprocessableEntity, "invalid")
	}
	other := s.admin(http.StatusCreated, "POST", "/api/webhooks", `{"url":"https://example.com","events":["other"],"on_failure":"skip"}`).object()
	require.Equal(t, false, other["ordered"])
	require.Equal(t, "skip", other["on_failure"])
}

// Each delivery of an ordered webhook says what it waits for, wherever it is shown.
func TestDeliveriesSayWhatTheyWaitFor(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, key := s.owner("a")
	s.call(key, "POST", "/api/webhooks", `{"url":"https://example.com","events":["*"],"ordered":true}`).is(http.StatusCreated)
	_, first := s.delivery(key, "a")
	event, second := s.delivery(key, "a")
	require.Nil(t, s.call(key, "GET", "/api/deliveries/"+first, "").is(http.StatusOK).object()["waits_for"])
	shown := s.call(key, "GET", "/api/deliveries/"+second, "").is(http.StatusOK).object()
	require.Equal(t, first, shown["waits_for"])
	require.Equal(t, "pending", shown["status"])
	require.Nil(t, shown["next_attempt_at"])
	listed, _ := s.call(key, "GET", "/api/deliveries", "").is(http.StatusOK).list()
	require.Equal(t, first, listed[0]["waits_for"])
	require.Nil(t, listed[1]["waits_for"])
	ofEvent, ok := s.call(key, "GET", "/api/events/"+event, "").is(http.StatusOK).object()["deliveries"].([]any)
	require.True(t, ok)
	require.Equal(t, first, ofEvent[0].(map[string]any)["waits_for"]) //nolint:forcetypeassert // a failure either way

	s.temporal.set(func(f *temporal) { f.cancelErr = serviceerror.NewNotFound("no such workflow") })
	s.call(key, "POST", "/api/deliveries/"+first+"/cancel", "").is(http.StatusAccepted)
	require.Nil(t, s.call(key, "GET", "/api/deliveries/"+second, "").is(http.StatusOK).object()["waits_for"])
}
