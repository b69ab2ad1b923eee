package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postrider/postrider/internal/bench/load"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

const (
	// seedType is the type of the events that fill the database.
	seedType = "bench-seed.order.created"
	// seedSpan is the time over which they are spread: less than the retention.
	seedSpan = 20 * 24 * time.Hour
	// seedBatch is how many are written at once.
	seedBatch = 20_000
	// One in failedShare was given up, none of them to the first webhook.
	failedShare = 100
)

// seed names things in the middle of a filled database.
type seed struct {
	// webhook has failures, healthy has none.
	webhook, healthy, event, delivery string
	middle                            time.Time
}

// seed fills Postrider's database up to a number of deliveries, each with an event and an attempt of the past
// weeks.
func (b *bench) seed(deliveries int) (seed, error) {
	conn, err := pgx.Connect(b.ctx, b.target.DatabaseURL)
	if err != nil {
		return seed{}, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(b.ctx)) }()
	var present int
	if err := conn.QueryRow(b.ctx, "SELECT count(*) FROM deliveries").Scan(&present); err != nil {
		return seed{}, err
	}
	webhooks, err := b.seedWebhooks()
	if err != nil {
		return seed{}, err
	}
	missing := max(1, deliveries-present)
	f := &filler{
		webhooks: webhooks, begin: time.Now().Add(-seedSpan), step: seedSpan / time.Duration(missing), half: missing / 2,
		data: []byte(load.Data(0, strings.Repeat("x", b.command.Payload))),
	}
	for done := 0; done < missing; done += seedBatch {
		if err := f.write(b.ctx, conn, done, min(done+seedBatch, missing)); err != nil {
			return seed{}, err
		}
		if done > 0 && done%(10*seedBatch) == 0 {
			b.progress.say(fmt.Sprintf("%d of %d deliveries", done, missing))
		}
	}
	// Autovacuum would do this in the course of such weeks.
	if _, err := conn.Exec(b.ctx, "VACUUM ANALYZE events, deliveries, attempts"); err != nil {
		return seed{}, err
	}
	return f.middle, nil
}

// seedWebhooks makes the webhooks that past deliveries were for.
func (b *bench) seedWebhooks() ([]string, error) {
	ids := make([]string, growthWebhooks)
	for i := range ids {
		body := map[string]any{"url": b.receiver.Path("seed", i), "events": []string{seedType}, "description": "filled by postrider-bench"}
		var webhook struct{ ID string }
		if err := b.api.Call(b.ctx, http.MethodPost, "/api/webhooks", body, &webhook); err != nil {
			return nil, err
		}
		ids[i] = webhook.ID
	}
	return ids, nil
}

// filler makes rows of the past.
type filler struct {
	webhooks []string
	begin    time.Time
	step     time.Duration
	data     []byte
	// middle is filled in at the row number half.
	half   int
	middle seed
}

// write writes the n-th deliveries from first to before last, with their events and attempts.
func (f *filler) write(ctx context.Context, conn *pgx.Conn, first, last int) error {
	n := last - first
	events, deliveries, attempts := make([][]any, n), make([][]any, n), make([][]any, n)
	for i := range n {
		at := f.begin.Add(time.Duration(first+i) * f.step).UTC()
		event, delivery := typeid.New(typeid.KindEvent, at), typeid.New(typeid.KindDelivery, at)
		k := (first + i) % len(f.webhooks)
		status, code, problem, delivered := models.StatusDelivered, 200, "", &at
		class := models.ErrorClass("")
		if k > 0 && (first+i)/len(f.webhooks)%failedShare == k {
			status, code, problem, delivered = models.StatusPermanentlyFailed, 500, "the receiver answered 500 Internal Server Error", nil
			class = models.ErrorHTTPStatus
		}
		events[i] = []any{event, "", seedType, f.data, 1, at}
		deliveries[i] = []any{delivery, event, f.webhooks[k], models.DefaultOwnerID, seedType, "127.0.0.1", status, 1, delivered, code, problem, false, "past", at}
		attempts[i] = []any{typeid.New(typeid.KindAttempt, at), delivery, 1, models.TriggerSchedule, code, class, problem, 3, "127.0.0.1:443", at,
			models.LogKey(f.webhooks[k]), models.LogKey(models.DefaultOwnerID), gaveUp(status)}
		if first+i == f.half {
			f.middle = seed{webhook: f.webhooks[1], healthy: f.webhooks[0], event: event, delivery: delivery, middle: at}
		}
	}
	return errors.Join(
		copyRows(ctx, conn, "events", []string{"id", "owner_id", "event", "data", "deliveries", "created_at"}, events),
		copyRows(ctx, conn, "deliveries", []string{"id", "event_id", "webhook_id", "owner_id", "event", "host", "status",
			"attempt_count", "delivered_at", "last_status_code", "last_error", "test", "run_id", "created_at"}, deliveries),
		copyRows(ctx, conn, "attempts", []string{"id", "delivery_id", "number", "trigger", "status_code", "error_class",
			"error", "duration_ms", "remote_addr", "started_at", "webhook_key", "owner_key", "gave_up"}, attempts),
	)
}

// gaveUp is what an attempt says that ended a delivery with a status.
func gaveUp(status models.Status) *bool {
	if status != models.StatusPermanentlyFailed {
		return nil
	}
	yes := true
	return &yes
}

func copyRows(ctx context.Context, conn *pgx.Conn, table string, columns []string, rows [][]any) error {
	if _, err := conn.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows)); err != nil {
		return fmt.Errorf("fill %s: %w", table, err)
	}
	return nil
}
