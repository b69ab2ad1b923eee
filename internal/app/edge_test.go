package app

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/keyring"
)

// What a stranger sends is shown and not obeyed: no escape sequence reaches the terminal, and no line can be forged.
func TestReceiverEscapesWhatItPrints(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	receiver, err := newReceiver(Listen{Status: 200}, &out)
	require.NoError(t, err)
	const evil = "\x1b]0;owned\x07\r\u009b2J\u202e\x00\xff"
	for _, body := range []string{"a\x1b[2J\r\n  signature  valid\n\xff", `{"a":"` + "\u009b2J\u202e\u007f" + `"}`, `"ü→😀"`} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hook", strings.NewReader(body))
		request.Method, request.URL.Path = "POST"+evil, "/hook"+evil
		for _, name := range []string{"X-Webhook-Event", "X-Webhook-Delivery", "X-Webhook-Attempt"} {
			request.Header.Set(name, "x"+evil+"\n  signature  valid")
		}
		receiver.ServeHTTP(httptest.NewRecorder(), request)
	}
	for _, r := range out.String() {
		require.False(t, r != '\n' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u202e'), "%q in %q", r, out.String())
	}
	require.NotContains(t, out.String(), "\n  signature  valid")
	require.Contains(t, out.String(), `\x1b`)
	require.Contains(t, out.String(), `\xff`)
	require.Contains(t, out.String(), "ü→😀")
}

// Without a receiver, none is promised, and the commands do not send to one.
func TestWelcomeWithoutAReceiver(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	(&Dev{Receiver: "off", Settings: Settings{Serving: Serving{Listen: "127.0.0.1:8080"}}}).welcome("http://127.0.0.1:8080/console/", &out)
	require.NotContains(t, out.String(), "9000")
	require.NotContains(t, out.String(), "prints what it gets")
	require.Contains(t, out.String(), "none   (--receiver off)")
	out.Reset()
	(&Dev{Receiver: "127.0.0.1:9000"}).welcome("http://127.0.0.1:8080/console/", &out)
	require.Contains(t, out.String(), `"url": "http://127.0.0.1:9000/hook"`)
	require.Contains(t, out.String(), "http://127.0.0.1:9000   (prints what it gets, below)")
}

func TestSendNamesWhatIsEmpty(t *testing.T) {
	t.Parallel()
	for flag, args := range map[string][]string{
		"--key ($POSTRIDER_KEY) is empty": {"--key="}, "--owner-id is empty": {"--key=k", "--owner-id="},
		"--idempotency-key is empty": {"--key=k", "--idempotency-key="},
		`--url ($POSTRIDER_URL) must be a URL such as http://127.0.0.1:8080, not "127.0.0.1:8080"`: {"--key=k", "--url=127.0.0.1:8080"},
		`not ""`: {"--key=k", "--url="}, `not "ftp://x"`: {"--key=k", "--url=ftp://x"}, `not "http://"`: {"--key=k", "--url=http://"},
	} {
		code, _, stderr := postriderLine(t, append([]string{"send", "a", "{}", "--url=http://127.0.0.1:1"}, args...)...)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, flag)
	}
}

// What send prints comes from a server, and data reaches it as it was written.
func TestSendKeepsDataAndEscapesTheAnswer(t *testing.T) {
	t.Parallel()
	var got []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		_, _ = fmt.Fprint(w, "\x1b[2Jok\u009b")
	}))
	t.Cleanup(server.Close)
	code, stdout, stderr := postriderLine(t, "send", "a", `{"n":1e309,"html":"<&>"}`, "--key=k", "--url="+server.URL)
	require.Zero(t, code, stderr)
	require.Contains(t, string(got), `"data":{"n":1e309,"html":"<&>"}`)
	require.Equal(t, `\x1b[2Jok\u009b`+"\n", stdout)
}

func TestDatabaseFileIsPrivate(t *testing.T) {
	t.Parallel()
	dev := &Dev{DevFlags: DevFlags{DataDir: t.TempDir()}}
	file := filepath.Join(dev.DataDir, "postrider.db")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	dev.TemporalUIURL = "http://127.0.0.1:8233"
	require.NoError(t, dev.fillIn(nil))
	dev.DatabaseMaxConnections = 2
	require.NoError(t, dev.migrate(t.Context(), slog.New(slog.DiscardHandler)))
	for _, pattern := range []string{"postrider.db*", "*.key"} {
		files, err := filepath.Glob(filepath.Join(dev.DataDir, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			info, err := os.Stat(file)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), file)
		}
	}
}

// Metrics have a listener of their own where one is given, and only there.
func TestMetricsListener(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		var settings Settings
		settings.Listen, settings.DatabaseMaxConnections = "127.0.0.1:0", 2
		settings.DatabaseURL = "sqlite://" + filepath.Join(t.TempDir(), "postrider.db")
		settings.EncryptionKey = []string{keyring.NewKey()}
		if own {
			settings.MetricsListen = "127.0.0.1:0"
		}
		require.NoError(t, settings.migrate(t.Context(), slog.New(slog.DiscardHandler)))
		p := newProcess(role{api: true}, slog.New(slog.DiscardHandler))
		p.settings = settings
		stop, err := startAll(t.Context(), p.parts())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, stop()) })
		get := func(address, path string) (int, string) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
			require.NoError(t, err)
			response, err := (&http.Client{}).Do(request)
			require.NoError(t, err)
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			return response.StatusCode, string(body)
		}
		code, _ := get(p.listener.Addr().String(), "/metrics")
		if !own {
			require.Equal(t, http.StatusOK, code)
			continue
		}
		require.Equal(t, http.StatusNotFound, code)
		code, _ = get(p.metricsListener.Addr().String(), "/metrics")
		require.Equal(t, http.StatusOK, code)
		code, _ = get(p.metricsListener.Addr().String(), "/api/webhooks")
		require.Equal(t, http.StatusNotFound, code)
	}
}

// Who sends a head of more than 32 KiB, or does not read, is not waited for.
func TestServerBoundsHeads(t *testing.T) {
	t.Parallel()
	server := newServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	require.Positive(t, server.WriteTimeout)
	require.Positive(t, server.IdleTimeout)
	listening := httptest.NewUnstartedServer(nil)
	listening.Config = server
	listening.Start()
	t.Cleanup(listening.Close)
	for size, want := range map[int]int{20 << 10: http.StatusNotFound, 40 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, listening.URL, nil)
		require.NoError(t, err)
		request.Header.Set("X-A", strings.Repeat("x", size))
		response, err := listening.Client().Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, want, response.StatusCode)
	}
}

// Durations of flags are written as everywhere else.
func TestDurationsOfFlags(t *testing.T) {
	t.Parallel()
	code, _, stderr := postriderLine(t, "serve", "--retention=1d")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "must be at least 72h, or 0 to keep everything, not 24h")
	for text, says := range map[string]string{"soon": "expected a duration such as", "106752d": "at most 106751d"} {
		code, _, stderr = postriderLine(t, "serve", "--retention="+text)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, says)
	}
}
