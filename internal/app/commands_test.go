package app

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/models"
)

// postriderLine runs the production command line and returns its exit code and what it printed.
func postriderLine(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = executeTo(&out, &errs, &postrider{}, args, kong.Name("postrider"), productionVars())
	return code, out.String(), errs.String()
}

func TestHelpListsFlagsWithTheirEnvironment(t *testing.T) {
	t.Parallel()
	code, help, _ := postriderLine(t, "serve", "--help")
	require.Zero(t, code)
	for flag, variable := range map[string]string{
		"--listen": "POSTRIDER_LISTEN", "--database-url": "POSTRIDER_DATABASE_URL", "--admin-key": "POSTRIDER_ADMIN_KEY",
		"--encryption-key": "POSTRIDER_ENCRYPTION_KEY", "--retry-schedule": "POSTRIDER_RETRY_SCHEDULE",
		"--allow-targets": "POSTRIDER_ALLOW_TARGETS", "--retention": "POSTRIDER_RETENTION",
		"--temporal-ui-url": "POSTRIDER_TEMPORAL_UI_URL",
	} {
		require.Contains(t, help, flag)
		require.Contains(t, help, "$"+variable)
	}
	for _, value := range []string{"127.0.0.1:8080", "1m,5m,25m,2h,10h", "80,443", "720h", "168h"} {
		require.Contains(t, help, value)
	}
}

func TestServeReportsEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	code, _, stderr := postriderLine(t, "serve", "--listen", "nowhere", "--admin-key", "short", "--public-url", "x",
		"--retention", "71h", "--inbound-retention=-1h", "--retry-jitter", "1.5", "--max-inbound-body", "26MiB")
	require.Equal(t, 1, code)
	for _, text := range []string{
		"--listen ($POSTRIDER_LISTEN) must be host:port",
		"--database-url ($POSTRIDER_DATABASE_URL) is missing",
		"--admin-key ($POSTRIDER_ADMIN_KEY) must have at least 16 characters",
		"--encryption-key ($POSTRIDER_ENCRYPTION_KEY) is missing; make one with: openssl rand -base64 32",
		"--public-url must be a URL",
		"--retention ($POSTRIDER_RETENTION) must be at least 72h, or 0 to keep everything, not 71h",
		"--inbound-retention ($POSTRIDER_INBOUND_RETENTION) must not be negative, not -1h; 0 keeps everything",
		"--retry-jitter ($POSTRIDER_RETRY_JITTER) must be from 0 to 1, not 1.5",
		"--max-inbound-body ($POSTRIDER_MAX_INBOUND_BODY) must be from 1KiB to 25MiB, not 26MiB",
	} {
		require.Contains(t, stderr, text)
	}
}

func TestRetentionThatIsAllowed(t *testing.T) {
	t.Parallel()
	for _, retention := range []time.Duration{0, 72 * time.Hour, 720 * time.Hour} {
		require.Empty(t, Sending{
			WebhookConcurrency: 1, DisableAfterDeliveries: 1, Retention: retention, InboundRetention: retention,
		}.faults())
	}
	require.Len(t, Sending{WebhookConcurrency: 1, DisableAfterDeliveries: 1, Retention: -time.Hour}.faults(), 1)
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"a schedule that is none": {[]string{"serve", "--retry-schedule", "soon"}, "is not a duration such as 90s"},
		"a retention in weeks":    {[]string{"serve", "--retention", "4w"}, "--retention"},
		"a network that is none":  {[]string{"serve", "--allow-targets", "10.0.0.1"}, "--allow-targets"},
		"an encryption key too short": {
			[]string{"serve", "--encryption-key", "c2hvcnQ=", "--database-url", "sqlite://x"}, "an encryption key is 32 bytes in base64",
		},
		"a size that is none":        {[]string{"serve", "--max-inbound-body", "5 megs"}, "expected a size such as 5MiB"},
		"a database of another kind": {[]string{"migrate", "--database-url", "mysql://x"}, "must begin with postgres:// or sqlite://"},
		"a proxy of another kind": {
			[]string{"serve", "--egress-proxy", "socks5://user:c2hvcnQ=@proxy:1080"}, "--egress-proxy ($POSTRIDER_EGRESS_PROXY): a proxy's URL begins with http:// or https://",
		},
		"a proxy that is no URL": {
			[]string{"serve", "--egress-proxy", "http://user:c2hvcnQ=@proxy:port"}, "cannot be read as a URL",
		},
		"a status that is none": {[]string{"listen", "--status", "99"}, "--status must be an HTTP status"},
		"a secret that is none": {[]string{"listen", "--secret", "x"}, "--secret"},
		"data that is not JSON": {[]string{"send", "order.created", "{", "--key", "k"}, "the data is not JSON"},
		"no command":            {nil, "expected"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := postriderLine(t, test.args...)
			require.Equal(t, 1, code)
			require.Contains(t, stderr, test.says)
			require.NotContains(t, stderr, "c2hvcnQ=")
		})
	}
}

func TestMigrateAndKeys(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		database := "--database-url=" + url
		code, _, stderr := postriderLine(t, "keys", "list", database)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "run `postrider migrate` first")

		code, _, stderr = postriderLine(t, "migrate", database)
		require.Zero(t, code, stderr)
		code, _, stderr = postriderLine(t, "migrate", database)
		require.Zero(t, code, stderr)

		code, key, stderr := postriderLine(t, "keys", "create", "--admin", database)
		require.Zero(t, code, stderr)
		require.True(t, strings.HasPrefix(key, models.KeyPrefix))
		code, ownerKey, stderr := postriderLine(t, "keys", "create", "--owner", models.DefaultOwnerID, database)
		require.Zero(t, code, stderr)
		code, _, stderr = postriderLine(t, "keys", "create", "--owner", "own_x", database)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "there is no owner own_x")
		code, _, _ = postriderLine(t, "keys", "create", database)
		require.Equal(t, 1, code)

		code, list, _ := postriderLine(t, "keys", "list", database)
		require.Zero(t, code)
		require.Contains(t, list, "administrator")
		require.Contains(t, list, models.DefaultOwnerID)
		require.NotContains(t, list, strings.TrimSpace(key))
		require.NotContains(t, list, strings.TrimSpace(ownerKey))

		id := "key_" + strings.SplitN(strings.SplitN(list, "key_", 2)[1], " ", 2)[0]
		code, _, stderr = postriderLine(t, "keys", "revoke", id, database)
		require.Zero(t, code, stderr)
		code, _, stderr = postriderLine(t, "keys", "revoke", id, database)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "there is no key "+id)
	})
}

func TestKeptSecrets(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "admin.key")
	first, err := kept(file, models.NewAPIKeyToken)
	require.NoError(t, err)
	again, err := kept(file, models.NewAPIKeyToken)
	require.NoError(t, err)
	require.Equal(t, first, again)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestWorkflowURL(t *testing.T) {
	t.Parallel()
	link := Serving{TemporalUIURL: "https://ui.example.com/"}.workflowURL("a b")
	require.Equal(t, "https://ui.example.com/namespaces/a%20b/workflows/dlv_1", link("dlv_1", ""))
	require.Equal(t, "https://ui.example.com/namespaces/a%20b/workflows/dlv_1/run", link("dlv_1", "run"))
	require.Empty(t, Serving{}.workflowURL("default")("dlv_1", ""))
}

func TestPublicURL(t *testing.T) {
	t.Parallel()
	require.Equal(t, "http://127.0.0.1:8080", Serving{Listen: "127.0.0.1:8080"}.publicURL())
	require.Equal(t, "https://x.example.com", Serving{PublicURL: "https://x.example.com/"}.publicURL())
	for _, text := range []string{"x.example.com", "ftp://x.example.com", "https://", "https://x.example.com/?a=b", "https://x.example.com/#a"} {
		faults := Serving{Listen: "127.0.0.1:8080", PublicURL: text}.faults()
		require.Len(t, faults, 1, text)
		require.ErrorContains(t, faults[0], "--public-url must be a URL")
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	taken, err := listen(t.Context(), "127.0.0.1:0", "--listen")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	_, err = listen(t.Context(), taken.Addr().String(), "--listen")
	require.EqualError(t, err, taken.Addr().String()+" is already in use: stop the other program or choose another address with --listen")
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	m, err := newMetrics()
	require.NoError(t, err)
	m.temporal.Counter("temporal_request").Inc(1)
	answer := httptest.NewRecorder()
	m.handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	require.Contains(t, answer.Body.String(), "temporal_request")
}
