package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// slowStatement is the time from which a statement is worth a line in the log.
const slowStatement = time.Second

// gormLogger sends gorm's messages to slog. Statements are logged with their placeholders and never with
// their values, which hold payloads and secrets.
type gormLogger struct{}

func (g gormLogger) LogMode(logger.LogLevel) logger.Interface { return g }

func (gormLogger) Info(ctx context.Context, message string, args ...any) {
	slog.DebugContext(ctx, fmt.Sprintf(message, args...))
}

func (gormLogger) Warn(ctx context.Context, message string, args ...any) {
	slog.WarnContext(ctx, fmt.Sprintf(message, args...))
}

// Error messages are also returned to the caller, who knows whether they matter.
func (gormLogger) Error(ctx context.Context, message string, args ...any) {
	slog.DebugContext(ctx, fmt.Sprintf(message, args...))
}

func (gormLogger) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), err error) {
	took := time.Since(begin)
	if took < slowStatement && (err == nil || errors.Is(err, gorm.ErrRecordNotFound)) {
		return
	}
	sql, rows := statement()
	slog.DebugContext(ctx, "statement", "sql", sql, "rows", rows, "took", took, "error", err)
}

// ParamsFilter keeps values out of the statements given to Trace.
func (gormLogger) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) {
	return sql, nil
}
