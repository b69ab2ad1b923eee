package devserver_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/devserver"
)

func TestWebUI(t *testing.T) {
	t.Parallel()
	server := start(t, devserver.Config{})
	c := dial(t, server.Address(), client.Options{})
	work(t, c)
	waiting := run(t, c, client.StartWorkflowOptions{ID: "waiting"}, await)

	t.Run("page", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/", "/namespaces/default/workflows"} {
			answer, body := get(t, server.UIURL()+path)
			require.Equal(t, http.StatusOK, answer.StatusCode)
			require.Contains(t, answer.Header.Get("Content-Type"), "text/html")
			require.Contains(t, body, "/_app/immutable/entry/start.")
		}
		_, page := get(t, server.UIURL())
		script := page[strings.Index(page, "/_app/immutable/entry/start."):]
		answer, _ := get(t, server.UIURL()+script[:strings.Index(script, `"`)])
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Contains(t, answer.Header.Get("Content-Type"), "javascript")
	})
	t.Run("api", func(t *testing.T) {
		t.Parallel()
		answer, body := get(t, server.UIURL()+"/api/v1/namespaces")
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Contains(t, body, `"name": "default"`)
	})
	t.Run("settings", func(t *testing.T) {
		t.Parallel()
		_, body := get(t, server.UIURL()+"/api/v1/settings")
		var settings map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &settings))
		require.Equal(t, "default", settings["DefaultNamespace"])
		require.Equal(t, true, settings["DisableNewsFetch"])
		for _, name := range []string{
			"DisableWriteActions", "WorkflowSignalDisabled", "WorkflowCancelDisabled",
			"WorkflowTerminateDisabled", "WorkflowResetDisabled", "StartWorkflowDisabled",
		} {
			require.Equal(t, false, settings[name], name)
		}
	})
	t.Run("signal", func(t *testing.T) {
		t.Parallel()
		// As the UI does in a browser: the token of the cookie comes back in a header.
		answer, _ := get(t, server.UIURL())
		cookies := answer.Cookies()
		require.Len(t, cookies, 1)
		require.Equal(t, "_csrf", cookies[0].Name)
		require.False(t, cookies[0].Secure, "a browser drops Secure cookies over plain http")

		signal := func(header http.Header) int {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
				server.UIURL()+"/api/v1/namespaces/default/workflows/waiting/signal/go",
				strings.NewReader(`{"input":{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"ImJ5IFVJIg=="}]}}`))
			require.NoError(t, err)
			request.Header = header
			request.AddCookie(cookies[0])
			answer, err := browser().Do(request)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			return answer.StatusCode
		}
		require.Equal(t, http.StatusForbidden, signal(http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://example.com"}}))
		require.Equal(t, http.StatusBadRequest, signal(http.Header{}), "without the token")
		require.Equal(t, http.StatusOK, signal(http.Header{"X-Csrf-Token": {cookies[0].Value}, "Sec-Fetch-Site": {"same-origin"}}))
		require.Equal(t, "by UI", result(t, waiting))
	})
	t.Run("foreign host", func(t *testing.T) {
		t.Parallel()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.UIURL()+"/api/v1/namespaces", nil)
		require.NoError(t, err)
		request.Host = "rebound.example.com"
		answer, err := browser().Do(request)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusForbidden, answer.StatusCode)
	})
}

func browser() *http.Client { return &http.Client{Timeout: patience} }

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	// What a browser sends when its user enters the address.
	request.Header.Set("Sec-Fetch-Site", "none")
	answer, err := browser().Do(request)
	require.NoError(t, err)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer, string(body)
}
