package app

import (
	"context"
	"log" //nolint:depguard // what libraries write to it is filtered here
	"log/slog"
	"os"
	"strings"
	"unicode"
)

// Logging are the flags of the log, which goes to the standard error.
type Logging struct {
	LogLevel  logLevel `env:"POSTRIDER_LOG_LEVEL" default:"info" placeholder:"LEVEL" help:"Least level that is logged: debug, info, warn or error. Default: ${default}."`
	LogFormat string   `env:"POSTRIDER_LOG_FORMAT" default:"${log_format}" enum:"text,json" placeholder:"FORMAT" help:"Format of the log: text or json. Default: ${default}."`
}

// Logger makes the process's logger and makes it slog's default.
func (l Logging) Logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.Level(l.LogLevel)}
	var handler slog.Handler = slog.NewTextHandler(os.Stderr, options)
	if l.LogFormat == "json" {
		handler = slog.NewJSONHandler(os.Stderr, options)
	}
	logger := slog.New(handler)
	slog.SetDefault(logger)
	takeStandardLog(logger) // after SetDefault, which takes it too, unfiltered
	return logger
}

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

// standardLog takes what libraries write to the standard logger. They quote what strangers sent: net/http
// writes the beginning of an answer that nobody waits for. What they quote, and what follows, is dropped.
type standardLog struct {
	logger *slog.Logger
	level  slog.Level
}

// Write logs one line.
func (w standardLog) Write(line []byte) (int, error) {
	w.logger.Log(context.Background(), w.level, "a library says", "text", withoutQuotes(string(line)))
	return len(line), nil
}

// filtered is a logger for a library that wants one.
func filtered(logger *slog.Logger, level slog.Level) *log.Logger {
	return log.New(standardLog{logger, level}, "", 0)
}

// takeStandardLog makes the process's log of the standard logger's.
func takeStandardLog(logger *slog.Logger) {
	log.SetFlags(0)
	log.SetPrefix("")
	log.SetOutput(standardLog{logger, slog.LevelInfo})
}

const maxLibraryText = 200

// withoutQuotes is the beginning of a text, up to what it quotes.
func withoutQuotes(text string) string {
	cut := strings.IndexFunc(text, func(r rune) bool {
		return strings.ContainsRune("\"'`", r) || unicode.IsControl(r) || r > unicode.MaxASCII
	})
	if cut < 0 {
		cut = len(text)
	}
	short := text[:min(cut, maxLibraryText)]
	if len(short) < len(strings.TrimSpace(text)) {
		short += "…"
	}
	return strings.TrimSpace(short)
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
