package app

import (
	"bytes"
	"log"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What net/http and others write to the standard logger quotes strangers; their words do not get into the log.
func TestLibrariesSayNothingForeign(t *testing.T) {
	t.Parallel()
	for format, args := range map[string][]any{
		"Unsolicited response received on idle HTTP channel starting with %q; err=%v": {"HTTP/1.1 500 secret\r\nAuthorization: secret", "secret"},
		"http: proxy error: parse '%s'":                                               {"secret"},
		"superfluous call by `%s`":                                                    {"secret"},
		"two lines\n%s":                                                               {"secret"},
		"escape \x1b[31m%s":                                                           {"secret"},
		"other script é%s":                                                            {"secret"},
		strings.Repeat("long ", 40) + "%s":                                            {"secret"},
	} {
		var logged bytes.Buffer
		filtered(slog.New(slog.NewTextHandler(&logged, nil)), slog.LevelInfo).Printf(format, args...)
		require.NotContains(t, logged.String(), "secret")
		require.Contains(t, logged.String(), strings.Fields(format)[0])
		require.Equal(t, 1, strings.Count(logged.String(), "\n"))
	}
	require.Equal(t, "all of it", withoutQuotes("all of it\n"))
}

// Every program's log passes through it.
func TestLoggerTakesTheStandardLog(t *testing.T) { //nolint:paralleltest // the standard logger is the process's
	output, flags, before := log.Writer(), log.Flags(), slog.Default()
	t.Cleanup(func() {
		slog.SetDefault(before)
		log.SetOutput(output)
		log.SetFlags(flags)
	})
	Logging{LogFormat: "json"}.Logger()
	require.IsType(t, standardLog{}, log.Writer())
}
