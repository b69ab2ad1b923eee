package devserver

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	persistencespb "go.temporal.io/server/api/persistence/v1"
	"go.temporal.io/server/common/log/tag"
)

func TestIsLocalHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost":            true,
		"LocalHost:8233":       true,
		"localhost.:8233":      true,
		"ui.localhost:8233":    true,
		"127.0.0.1:8233":       true,
		"127.8.8.8":            true,
		"[::1]:8233":           true,
		"[::1]":                true,
		"":                     false,
		"example.com":          false,
		"localhost.evil.com":   false,
		"notlocalhost":         false,
		"127.0.0.1.nip.io:80":  false,
		"10.0.0.1:8233":        false,
		"0.0.0.0:8233":         false,
		"[::ffff:8.8.8.8]:443": false,
	} {
		require.Equal(t, want, isLocalHost(host), host)
	}
}

func TestURIPath(t *testing.T) {
	t.Parallel()
	got, err := uriPath("/a b/50%/what?/#1/temporal.db")
	require.NoError(t, err)
	require.Equal(t, "/a%20b/50%25/what%3F/%231/temporal.db", got)
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	statements, err := schemaStatements()
	require.NoError(t, err)
	require.Greater(t, len(statements), 20)
	require.Positive(t, fingerprint(statements))
	require.NotEqual(t, fingerprint(statements), fingerprint(statements[1:]))
}

func TestConfigureNamespace(t *testing.T) {
	t.Parallel()
	const keyword = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	detail := &persistencespb.NamespaceDetail{Config: &persistencespb.NamespaceConfig{
		CustomSearchAttributeAliases: map[string]string{"Keyword01": "Old"},
	}}
	require.NoError(t, configureNamespace(detail, Config{SearchAttributes: map[string]enumspb.IndexedValueType{"B": keyword, "A": keyword, "Old": keyword}}))
	require.Equal(t, map[string]string{"Keyword01": "Old", "Keyword02": "A", "Keyword03": "B"}, detail.Config.CustomSearchAttributeAliases)

	many := make(map[string]enumspb.IndexedValueType)
	for i := range 8 {
		many["X"+strconv.Itoa(i)] = keyword
	}
	require.ErrorContains(t, configureNamespace(detail, Config{SearchAttributes: many}), "search attribute X7: no room for another Keyword")
}

func TestTakePorts(t *testing.T) {
	t.Parallel()
	p, err := takePorts(t.Context(), 0)
	require.NoError(t, err)
	distinct := map[int]bool{p.frontend: true, p.history: true, p.matching: true, p.worker: true}
	require.Len(t, distinct, 4)
	require.NotContains(t, distinct, 0)
}

// A port that is taken between its choice and the server's use of it ends as
// an error that startTemporal retries, not as the end of the process.
func TestBuildServerPortTaken(t *testing.T) {
	t.Parallel()
	taken, err := listen(t.Context(), 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	p, err := takePorts(t.Context(), 0)
	require.NoError(t, err)
	p.matching = taken.Addr().(*net.TCPAddr).Port

	cfg := Config{}.withDefaults()
	log := newServerLog(cfg.Logger, cfg.LogLevel)
	server, err := buildServer(serverOptions(cfg, newMemoryStore(), p, log), log)
	require.Nil(t, server)
	require.True(t, isAddrInUse(err), "%v", err)
	require.ErrorContains(t, err, "Failed to start gRPC listener")
}

func TestTagLogger(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := newServerLog(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})), slog.LevelWarn)
	logger := newTagLogger(log).With(tag.String("service", "history"))

	logger.Info("chatter")
	newTagLogger(log).SLog().Info("chatter")
	newTagLogger(log).Warn(noHTTPWarning)
	require.Empty(t, out.String())

	logger.Warn("slow", tag.Int("attempt", 3), tag.Error(errors.New("busy")))
	require.Contains(t, out.String(), "level=WARN msg=slow attempt=3 error=busy service=history")
	require.True(t, newTagLogger(log).SLog().Enabled(context.Background(), slog.LevelWarn))

	require.PanicsWithValue(t, "broken", func() { logger.Panic("broken") })

	log.stopping.Store(true)
	out.Reset()
	logger.Error("late")
	require.Empty(t, out.String(), "nothing is logged once Stop has begun")
}

func TestTagLoggerFatal(t *testing.T) {
	t.Parallel()
	log := newServerLog(slog.New(slog.DiscardHandler), slog.LevelWarn)
	logger := newTagLogger(log)

	// fatal must end the goroutine, so that the server's code does not go on.
	fatal := func(msg string, cause error) (returned bool) {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			logger.Fatal(msg, tag.Error(cause))
			returned = true
		}()
		<-ended
		return returned
	}
	require.False(t, fatal("lost the listener", syscall.EPIPE))
	require.False(t, fatal("and another", syscall.EPIPE), "only the first is kept")
	server := &Server{log: log}
	err := <-server.Failed()
	require.EqualError(t, err, "lost the listener: broken pipe")
	require.ErrorIs(t, err, syscall.EPIPE)

	log.stopping.Store(true)
	require.False(t, fatal("while stopping", syscall.EPIPE))
	require.Empty(t, server.Failed())
}
