package notify

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestResendCommand(t *testing.T) {
	t.Parallel()
	const header = ` -H "Authorization: Bearer $POSTRIDER_KEY"`
	for base, want := range map[string]string{
		"http://127.0.0.1:8080":   "curl -X POST http://127.0.0.1:8080/api/deliveries/dlv_1/resend" + header,
		"https://h.example/sub//": "curl -X POST https://h.example/sub/api/deliveries/dlv_1/resend" + header,
		"https://h.example/a;b":   "curl -X POST 'https://h.example/a;b/api/deliveries/dlv_1/resend'" + header,
		"https://h.example/it's":  `curl -X POST 'https://h.example/it'\''s/api/deliveries/dlv_1/resend'` + header,
		"http://[::1]:8080":       "curl -X POST 'http://[::1]:8080/api/deliveries/dlv_1/resend'" + header,
		"":                        "POST /api/deliveries/dlv_1/resend",
		"h.example":               "POST /api/deliveries/dlv_1/resend",
		"file:///etc/passwd":      "POST /api/deliveries/dlv_1/resend",
	} {
		require.Equal(t, want, resendCommand(base, "dlv_1"), base)
	}
	require.Equal(t, "POST /api/deliveries/%3B%20rm%20-rf%20%60x%60%2F/resend", resendCommand("", "; rm -rf `x`/"))
}

func TestCommandsAboutAWebhook(t *testing.T) {
	t.Parallel()
	const header = ` -H "Authorization: Bearer $POSTRIDER_KEY"`
	since := time.Date(2026, 3, 4, 6, 6, 7, 999_999_999, time.FixedZone("", 3600))
	for base, want := range map[string][4]string{
		"http://127.0.0.1:8080/": {
			"curl 'http://127.0.0.1:8080/api/deliveries?webhook_id=wh_1&status=permanently_failed'" + header,
			"curl -X PATCH http://127.0.0.1:8080/api/webhooks/wh_1" + header + ` -d '{"active": true}'`,
			"curl -X POST http://127.0.0.1:8080/api/webhooks/wh_1/recover" + header + ` -d '{"since": "2026-03-04T05:06:07Z"}'`,
			"curl -X POST http://127.0.0.1:8080/api/webhooks/wh_1/recover" + header + ` -d '{"since": "2026-03-04T05:06:07Z", "include": "missed"}'`,
		},
		"": {
			"GET /api/deliveries?webhook_id=wh_1&status=permanently_failed",
			`PATCH /api/webhooks/wh_1 {"active": true}`,
			`POST /api/webhooks/wh_1/recover {"since": "2026-03-04T05:06:07Z"}`,
			`POST /api/webhooks/wh_1/recover {"since": "2026-03-04T05:06:07Z", "include": "missed"}`,
		},
	} {
		require.Equal(t, want[0], failedDeliveriesCommand(base, "wh_1"))
		require.Equal(t, want[1], enableCommand(base, "wh_1"))
		require.Equal(t, want[2], recoverCommand(base, "wh_1", since, false))
		require.Equal(t, want[3], recoverCommand(base, "wh_1", since, true))
	}
	require.Equal(t, "GET /api/deliveries?webhook_id=a%26b%3D%27c&status=permanently_failed", failedDeliveriesCommand("", "a&b='c"))
	require.Equal(t, `PATCH /api/webhooks/a%2Fb%3Fc {"active": true}`, enableCommand("", "a/b?c"))
	require.Contains(t, recoverCommand("", "a/b?c", since, true), "POST /api/webhooks/a%2Fb%3Fc/recover ")
}

// A shell must hand to curl what was meant, and run nothing else, whatever the
// words are made of.
func TestAShellReadsTheCommandsAsTheyAreMeant(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, hostile := range []string{"wh_1", "'; echo pwned; '", "$(echo pwned)`echo pwned`", `"\'"&|<>*?#~!`} {
		base := "https://h.example/" + strings.NewReplacer("%", "", "?", "", "#", "").Replace(hostile)
		for _, command := range []string{
			resendCommand(base, hostile), failedDeliveriesCommand(base, hostile), enableCommand(base, hostile),
			recoverCommand(base, hostile, since, true),
		} {
			words := shellWords(t, command)
			require.NotContains(t, words, "pwned")
			url, args := words[0], words[1:]
			if url == "-X" {
				url, args = words[2], words[3:]
			}
			require.True(t, strings.HasPrefix(url, link(base)+"/api/"), command)
			require.Equal(t, []string{"-H", "Authorization: Bearer key"}, args[:2])
			if args = args[2:]; len(args) > 0 {
				require.Equal(t, "-d", args[0])
				require.Len(t, args, 2)
				require.True(t, json.Valid([]byte(args[1])), args[1])
			}
		}
	}
}

// shellWords runs the command with a curl that prints its arguments.
func shellWords(t *testing.T, command string) []string {
	t.Helper()
	script := `curl() { for word; do printf '%s\n' "$word"; done; }; POSTRIDER_KEY=key; ` + command
	out, err := exec.CommandContext(t.Context(), "sh", "-c", script).Output()
	require.NoError(t, err, command)
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}
