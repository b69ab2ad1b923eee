package app

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

// A receiver that hangs must not be able to fill the log; what is wrong with Temporal is told as before.
func TestTemporalLoggerLeavesOutWhatReceiversDo(t *testing.T) {
	t.Parallel()
	for level, want := range map[slog.Level]string{
		slog.LevelInfo:  "level=WARN msg=\"Failed to poll for task.\"\n",
		slog.LevelDebug: "level=DEBUG msg=\"[TMPRL1104] x:1:1 Workflow task duration exceeded 5 seconds.\"\nlevel=WARN msg=\"Failed to poll for task.\"\n",
	} {
		var text bytes.Buffer
		logger := temporalLogger(slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, attr slog.Attr) slog.Attr {
			if attr.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return attr
		}})))
		logger.Warn("[TMPRL1104] x:1:1 Workflow task duration exceeded 5 seconds.")
		logger.Warn("Failed to poll for task.")
		require.Equal(t, want, text.String())
	}
}
