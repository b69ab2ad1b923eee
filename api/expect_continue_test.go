package api_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/api"
	"github.com/postrider/postrider/signature"
)

// Who asks with Expect whether to send a body that is too large is told at once, without having sent any of it.
func TestExpectOfATooLargeBody(t *testing.T) {
	t.Parallel()
	s := newService(t)
	source := "/webhooks/" + s.source(sourceWith("stripe", stripeSecret, ""))
	for _, test := range []struct {
		method, path string
		most         int
	}{
		{"POST", source, 5 << 20}, {"POST", "/api/events", 1 << 20}, {"POST", "/api/webhooks", 1 << 20},
		{"PATCH", "/api/webhooks/" + s.webhook(adminKey, "a"), 1 << 20},
	} {
		for length, status := range map[int]int{test.most + 1: http.StatusRequestEntityTooLarge, test.most: http.StatusContinue} {
			conn := dial(t, s.Listener.Addr().String(), fmt.Sprintf("%s %s HTTP/1.1\r\nHost: postrider\r\nContent-Length: %d\r\n"+
				"Authorization: Bearer %s\r\nExpect: 100-continue\r\n\r\n", test.method, test.path, length, adminKey))
			line, err := bufio.NewReader(conn).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("HTTP/1.1 %d %s", status, http.StatusText(status)), strings.TrimSpace(line), "%s of %d bytes", test.path, length)
		}
	}
}

func TestAnInboundBodyMayBeAsLargeAsConfigured(t *testing.T) {
	t.Parallel()
	s := newService(t, func(cfg *config) { cfg.MaxInboundBody = api.MostMaxInboundBody })
	path := "/webhooks/" + s.source(sourceWith("github", plainSecret, ""))
	cfg := signature.Config{Scheme: signature.SchemeGitHub, Secrets: []string{plainSecret}}
	body := `{"a":"` + strings.Repeat("x", api.MostMaxInboundBody-8) + `"}`
	header := []string{"X-GitHub-Event", "push", "X-GitHub-Delivery", "1"}
	s.call("", "POST", path, body, s.sign(cfg, body, header...)...).is(http.StatusOK)
	require.Len(t, s.received(), 1)
	detail := s.call("", "POST", path, body+" ", header...).problem(http.StatusRequestEntityTooLarge, "body_too_large").Detail
	require.Contains(t, detail, "26214400 bytes")
}
