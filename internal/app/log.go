package app

import (
	"context"
	"log/slog"
	"strings"
)

// atLeast drops records below a level, for libraries that say more than their users want to read. With the
// whole log at debug it drops nothing.
type atLeast struct {
	slog.Handler
	level slog.Level
}

// Enabled is false for what is dropped.
func (h atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	if h.Handler.Enabled(ctx, slog.LevelDebug) {
		return true
	}
	return level >= h.level && h.Handler.Enabled(ctx, level)
}

// WithAttrs keeps dropping.
func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{Handler: h.Handler.WithAttrs(attrs), level: h.level}
}

// WithGroup keeps dropping.
func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{Handler: h.Handler.WithGroup(name), level: h.level}
}

// slowTask begins what Temporal's SDK warns of when a workflow task takes long. A first attempt is made within one, so
// that every receiver that hangs would be such a line; how long attempts take is in the log and the metrics anyway.
const slowTask = "[TMPRL1104]"

// Handle makes what receivers can bring about a matter of debugging.
func (h atLeast) Handle(ctx context.Context, record slog.Record) error {
	if strings.HasPrefix(record.Message, slowTask) {
		if !h.Handler.Enabled(ctx, slog.LevelDebug) {
			return nil
		}
		record.Level = slog.LevelDebug
	}
	return h.Handler.Handle(ctx, record)
}
