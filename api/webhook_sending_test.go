package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
)

// newHook is the body of a request for a webhook with more members.
func newHook(members string) string {
	return `{"url":"https://example.com/x","events":["a"]` + members + `}`
}

func TestHowAWebhookSends(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		for given, want := range map[string][2]any{
			``:                                    {nil, "envelope"},
			`,"timeout":null`:                     {nil, "envelope"},
			`,"timeout":"1s","format":"envelope"`: {"1s", "envelope"},
			`,"timeout":60,"format":"raw"`:        {"1m", "raw"},
			`,"timeout":"1.5s","format":"cloudevents"`: {"1.5s", "cloudevents"},
			`,"format":"cloudevents-structured"`:       {nil, "cloudevents-structured"},
		} {
			made := s.admin(http.StatusCreated, "POST", "/api/webhooks", newHook(given)).object()
			require.Equal(t, want, [2]any{made["timeout"], made["format"]}, given)
			shown := s.admin(http.StatusOK, "GET", "/api/webhooks/"+text(t, made, "id"), "").object()
			require.Equal(t, want, [2]any{shown["timeout"], shown["format"]}, given)
		}
		path := "/api/webhooks/" + text(t, s.admin(http.StatusCreated, "POST", "/api/webhooks", newHook(`,"timeout":5,"format":"raw"`)).object(), "id")
		for _, change := range []struct {
			patch string
			want  [2]any
		}{
			{`{}`, [2]any{"5s", "raw"}},
			{`{"timeout":"10s"}`, [2]any{"10s", "raw"}},
			{`{"format":"cloudevents"}`, [2]any{"10s", "cloudevents"}},
			{`{"timeout":null}`, [2]any{nil, "cloudevents"}},
			{`{"format":null}`, [2]any{nil, "envelope"}},
		} {
			shown := s.admin(http.StatusOK, "PATCH", path, change.patch).object()
			require.Equal(t, change.want, [2]any{shown["timeout"], shown["format"]}, change.patch)
		}
	})
}

func TestHowAWebhookCannotSend(t *testing.T) {
	t.Parallel()
	s := newService(t)
	path := "/api/webhooks/" + s.webhook(adminKey, "a")
	for member, says := range map[string]string{
		`"timeout":"0s"`: "from 1s to 1m", `"timeout":"61s"`: "from 1s to 1m", `"timeout":999`: "from 1s to 1m", `"timeout":"x"`: "from 1s to 1m",
		`"timeout":"1.0001s"`: "whole milliseconds", `"timeout":-1`: "from 1s to 1m", `"timeout":""`: "", `"timeout":true`: "",
		`"format":"xml"`: "", `"format":"RAW"`: "", `"format":1`: "",
	} {
		for _, reply := range []reply{
			s.call(adminKey, "POST", "/api/webhooks", newHook(","+member)), s.call(adminKey, "PATCH", path, "{"+member+"}"),
		} {
			problem := reply.problem(http.StatusUnprocessableEntity, "invalid")
			require.Len(t, problem.Errors, 1, member)
			require.Contains(t, []string{"body.timeout", "body.format"}, problem.Errors[0].Location, member)
			require.Contains(t, problem.Errors[0].Message, says, member)
		}
	}
}
