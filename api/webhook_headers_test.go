package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

// Values of headers are credentials: they are shown to who asks for them, and nowhere else.
func TestValuesOfHeadersAreMasked(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, key := s.owner("a")
	_, other := s.owner("b")
	const body = `{"url":"https://example.com","events":["*"],"headers":{"Authorization":"Bearer a-token","X-Empty":""}}`
	made := s.call(key, "POST", "/api/webhooks", body)
	names := map[string]any{"Authorization": "•••", "X-Empty": "•••"}
	require.Equal(t, names, made.is(http.StatusCreated).object()["headers"])
	id := text(t, made.object(), "id")
	path := "/api/webhooks/" + id

	for _, of := range [][3]string{
		{"GET", path}, {"GET", "/api/webhooks"}, {"PATCH", path, `{"description":"x"}`}, {"POST", path + "/rotate-secret"},
	} {
		answer := s.call(key, of[0], of[1], of[2]).is(http.StatusOK)
		require.NotContains(t, answer.body, "a-token", of)
		require.Contains(t, answer.body, "Authorization", of)
	}
	values := map[string]any{"Authorization": "Bearer a-token", "X-Empty": ""}
	require.Equal(t, values, s.call(key, "GET", path+"?include=headers", "").is(http.StatusOK).object()["headers"])
	items, _ := s.call(key, "GET", "/api/webhooks?include=headers", "").is(http.StatusOK).list()
	require.Equal(t, values, items[0]["headers"])
	require.Equal(t, values, s.admin(http.StatusOK, "GET", path+"?include=headers", "").object()["headers"])
	s.call(other, "GET", path+"?include=headers", "").problem(http.StatusNotFound, "not_found")
	items, _ = s.call(other, "GET", "/api/webhooks?include=headers", "").is(http.StatusOK).list()
	require.Empty(t, items)
	s.call(key, "GET", path+"?include=secret", "").problem(http.StatusUnprocessableEntity, "invalid")
}

// A patch of headers is merged (RFC 7396): what it does not name keeps the value that nobody has seen.
func TestPatchOfHeadersIsMerged(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for name, test := range map[string]struct {
		patch string
		want  map[string]any
	}{
		"nothing":           {`{}`, map[string]any{"X-A": "1", "X-B": "2"}},
		"an empty one":      {`{"headers":{}}`, map[string]any{"X-A": "1", "X-B": "2"}},
		"one more":          {`{"headers":{"X-C":"3"}}`, map[string]any{"X-A": "1", "X-B": "2", "X-C": "3"}},
		"one less":          {`{"headers":{"X-A":null}}`, map[string]any{"X-B": "2"}},
		"in another case":   {`{"headers":{"x-a":"4","X-b":null}}`, map[string]any{"x-a": "4"}},
		"what is not there": {`{"headers":{"X-D":null}}`, map[string]any{"X-A": "1", "X-B": "2"}},
		"emptied":           {`{"headers":{"X-A":""}}`, map[string]any{"X-A": "", "X-B": "2"}},
		"all at once":       {`{"headers":{"X-A":null,"X-B":null,"X-E":"5"}}`, map[string]any{"X-E": "5"}},
		"none":              {`{"headers":null}`, map[string]any{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := s.in(t)
			made := s.admin(http.StatusCreated, "POST", "/api/webhooks",
				`{"url":"https://example.com","events":["*"],"headers":{"X-A":"1","X-B":"2"}}`).object()
			path := "/api/webhooks/" + text(t, made, "id")
			s.admin(http.StatusOK, "PATCH", path, test.patch)
			require.Equal(t, test.want, s.admin(http.StatusOK, "GET", path+"?include=headers", "").object()["headers"])
		})
	}
}

func TestHeadersThatAreRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const half = 4 << 10
	fits := `{"A":"` + strings.Repeat("x", half-1) + `","B":"` + strings.Repeat("x", half-1) + `"}`
	made := s.admin(http.StatusCreated, "POST", "/api/webhooks", `{"url":"https://example.com","events":["*"],"headers":`+fits+`}`).object()
	path := "/api/webhooks/" + text(t, made, "id")
	for headers, want := range map[string]string{
		`{"C":"1"}`:                             "body.headers: expected at most 8192 bytes, names and values of all headers together; these have 8194",
		strings.Replace(fits, `"B"`, `"BB"`, 1): "body.headers: expected at most 8192 bytes, names and values of all headers together; these have ",
		`{"A":"•••"}`:                           "body.headers.A: ••• stands for a value that is not shown",
		`{"A":"Bearer •••"}`:                    "body.headers.A: ••• stands for a value that is not shown",
		`{"a":"1","A":"2"}`:                     "is listed twice",
		`{"Host":"x"}`:                          "body.headers.Host: ",
		`{"A":" x"}`:                            "body.headers.A: begins with a blank: take it off",
		`{"A":"x\t"}`:                           "body.headers.A: ends with a tab: take it off",
		`{"A":" "}`:                             "body.headers.A: begins with a blank: take it off",
	} {
		problem := s.call(adminKey, "PATCH", path, `{"headers":`+headers+`}`).problem(http.StatusUnprocessableEntity, "invalid")
		require.Contains(t, problem.Detail, want, headers)
	}
	values := s.admin(http.StatusOK, "GET", path+"?include=headers", "").object()["headers"]
	require.Len(t, values, 2, "nothing has changed")
	for _, headers := range []string{`{"A":"•••"}`, `{"A":"` + strings.Repeat("x", half) + `","B":"` + strings.Repeat("x", half) + `"}`} {
		s.call(adminKey, "POST", "/api/webhooks", `{"url":"https://example.com","events":["*"],"headers":`+headers+`}`).
			problem(http.StatusUnprocessableEntity, "invalid")
	}
}

// What GET has shown can be sent back but for the values that it did not show: the patch says so.
func TestWebhookThatIsSentBack(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id := s.webhook(adminKey, "a")
	_, err := s.store.UpdateWebhook(t.Context(), models.Scope{}, id, func(w *models.Webhook) error {
		w.SetHeaders(models.Headers{"X-A": "1"})
		return nil
	})
	require.NoError(t, err)
	problem := s.call(adminKey, "PATCH", "/api/webhooks/"+id, `{"description":"new","headers":{"X-A":"•••"}}`).
		problem(http.StatusUnprocessableEntity, "invalid")
	require.Equal(t, "body.headers.X-A", problem.Errors[0].Location)
	require.Empty(t, s.admin(http.StatusOK, "GET", "/api/webhooks/"+id, "").object()["description"])
}
