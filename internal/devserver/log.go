package devserver

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
	"go.uber.org/zap/zapcore"
)

// noHTTPWarning is logged at every start, because the server's HTTP API is off.
const noHTTPWarning = "HTTP API port has not been set. Nexus HTTP endpoints will not be available. " +
	"To enable Nexus, follow these instructions: https://github.com/temporalio/temporal/blob/main/docs/architecture/nexus.md#enabling-nexus."

// fatalError is what the server would have ended the process for.
type fatalError struct {
	msg   string
	cause error // nil when the server gave none
}

func (e *fatalError) Error() string {
	if e.cause == nil {
		return e.msg
	}
	return fmt.Sprintf("%s: %v", e.msg, e.cause)
}

func (e *fatalError) Unwrap() error { return e.cause }

// serverLog is shared by all loggers of one server.
type serverLog struct {
	logger *slog.Logger
	level  slog.Leveler
	// building is set while the server is being built, in the goroutine that
	// called Start.
	building atomic.Bool
	// stopping is set once Stop begins: services that end one after the other
	// complain about each other, which tells the user nothing.
	stopping atomic.Bool
	// failed takes the first fatal error of a built server.
	failed chan error
}

func newServerLog(logger *slog.Logger, level slog.Leveler) *serverLog {
	return &serverLog{logger: logger, level: level, failed: make(chan error, 1)}
}

func (l *serverLog) enabled(level slog.Level) bool {
	return level >= l.level.Level() && !l.stopping.Load()
}

// fatal must not return to the server: it relies on its logger to end the
// process. While the server is being built this unwinds to buildServer;
// afterwards it ends the goroutine that gave up, and the owner learns of it
// from Server.Failed.
func (l *serverLog) fatal(err *fatalError) {
	if l.building.Load() {
		panic(err)
	}
	if !l.stopping.Load() {
		select {
		case l.failed <- err:
		default:
		}
	}
	runtime.Goexit()
}

// tagLogger is the server's log interface over slog.
type tagLogger struct {
	log   *serverLog
	attrs []slog.Attr
}

var (
	_ log.Logger      = (*tagLogger)(nil)
	_ log.WithLogger  = (*tagLogger)(nil)
	_ log.SLogWrapper = (*tagLogger)(nil)
)

func newTagLogger(log *serverLog) *tagLogger { return &tagLogger{log: log} }

func (l *tagLogger) Debug(msg string, tags ...tag.Tag) { l.write(slog.LevelDebug, msg, tags) }
func (l *tagLogger) Info(msg string, tags ...tag.Tag)  { l.write(slog.LevelInfo, msg, tags) }
func (l *tagLogger) Warn(msg string, tags ...tag.Tag)  { l.write(slog.LevelWarn, msg, tags) }
func (l *tagLogger) Error(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

// DPanic marks a bug in the server: it panics in Temporal's own development
// builds and logs everywhere else.
func (l *tagLogger) DPanic(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

func (l *tagLogger) Panic(msg string, tags ...tag.Tag) {
	l.write(slog.LevelError, msg, tags)
	panic(msg)
}

func (l *tagLogger) Fatal(msg string, tags ...tag.Tag) {
	l.write(slog.LevelError, msg, tags)
	l.log.fatal(&fatalError{msg: msg, cause: firstError(tags)})
}

// With implements log.WithLogger.
func (l *tagLogger) With(tags ...tag.Tag) log.Logger {
	return &tagLogger{log: l.log, attrs: append(l.attrs[:len(l.attrs):len(l.attrs)], attrs(tags)...)}
}

// SLog implements log.SLogWrapper, by which the server's own SDK workers log.
func (l *tagLogger) SLog() *slog.Logger {
	return slog.New(&levelHandler{Handler: l.log.logger.Handler().WithAttrs(l.attrs), log: l.log})
}

func (l *tagLogger) write(level slog.Level, msg string, tags []tag.Tag) {
	if !l.log.enabled(level) || msg == noHTTPWarning {
		return
	}
	l.log.logger.LogAttrs(context.Background(), level, msg, append(attrs(tags), l.attrs...)...)
}

// levelHandler applies serverLog's level to records that come by slog.
type levelHandler struct {
	slog.Handler
	log *serverLog
}

func (h *levelHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.log.enabled(level) && h.Handler.Enabled(ctx, level)
}

func (h *levelHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &levelHandler{Handler: h.Handler.WithAttrs(attrs), log: h.log}
}

func (h *levelHandler) WithGroup(name string) slog.Handler {
	return &levelHandler{Handler: h.Handler.WithGroup(name), log: h.log}
}

func attrs(tags []tag.Tag) []slog.Attr {
	attrs := make([]slog.Attr, 0, len(tags))
	for _, t := range tags {
		attrs = append(attrs, slog.Any(t.Key(), t.Value()))
	}
	return attrs
}

// firstError finds the error among tags, as it was passed and not as text.
func firstError(tags []tag.Tag) error {
	for _, t := range tags {
		zap, ok := t.(tag.ZapTag)
		if !ok || zap.Field().Type != zapcore.ErrorType {
			continue
		}
		if err, ok := zap.Field().Interface.(error); ok {
			return err
		}
	}
	return nil
}
