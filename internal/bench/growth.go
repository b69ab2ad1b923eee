package bench

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/postrider/postrider/internal/bench/load"
	"github.com/postrider/postrider/internal/bench/report"
)

const (
	// growthWebhooks share the deliveries that fill the database.
	growthWebhooks = 10
	// listCalls is how many times each list is asked for.
	listCalls = 40
)

// growth measures a load, and each call that lists things, on a database that holds many deliveries already. The first
// such scenario runs on a new installation; the next ones add to its database.
func growth(size string, deliveries int) scenario {
	return scenario{
		name: "growth-" + size, group: "growth", needs: needsStart, fresh: deliveries == smallestGrowth,
		help:     fmt.Sprintf("30 events a second, and lists, with %d deliveries in the database", deliveries),
		webhooks: 1, perSecond: 30, reply: load.AtOnce,
		run: func(b *bench, s scenario) (report.Result, error) { return b.grow(s, deliveries) },
	}
}

const smallestGrowth = 1_000

// grow runs a growth scenario.
func (b *bench) grow(s scenario, deliveries int) (report.Result, error) {
	b.progress.step(fmt.Sprintf("%s: filling the database up to %d deliveries", s.name, deliveries))
	seed, err := b.seed(deliveries)
	if err != nil {
		return report.Result{}, fmt.Errorf("fill the database: %w", err)
	}
	if err := b.target.AwaitQuiet(b.ctx); err != nil {
		return report.Result{}, err
	}
	result, err := b.publish(s)
	if err != nil {
		return result, err
	}
	b.progress.step(s.name + ": listing")
	result.CallsMS, err = b.timeLists(seed)
	return result, err
}

// timeLists times each call that lists or shows things, one after the other.
func (b *bench) timeLists(seed seed) (map[string]report.Quantiles, error) {
	query := func(path string, pairs ...string) string {
		values := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		return path + "?" + values.Encode()
	}
	since, until := seed.middle.Format(time.RFC3339), seed.middle.Add(time.Hour).Format(time.RFC3339)
	deepEvents, err := b.cursor(query("/api/events", "until", until))
	if err != nil {
		return nil, err
	}
	deepDeliveries, err := b.cursor(query("/api/deliveries", "until", until))
	if err != nil {
		return nil, err
	}
	const events, deliveries = "/api/events", "/api/deliveries"
	calls := []struct{ name, path string }{
		{"events", events},
		{"events of a type", query(events, "event", seedType)},
		{"events of an hour", query(events, "since", since, "until", until)},
		{"events, a page in the middle", query(events, "cursor", deepEvents)},
		{"one event", events + "/" + seed.event},
		{"deliveries", deliveries},
		{"deliveries delivered", query(deliveries, "status", "delivered")},
		{"deliveries permanently failed", query(deliveries, "status", "permanently_failed")},
		{"deliveries pending", query(deliveries, "status", "pending")},
		{"deliveries of a webhook", query(deliveries, "webhook_id", seed.webhook)},
		{"permanently failed of a webhook", query(deliveries, "webhook_id", seed.webhook, "status", "permanently_failed")},
		{"permanently failed of a healthy webhook", query(deliveries, "webhook_id", seed.healthy, "status", "permanently_failed")},
		{"deliveries of a type", query(deliveries, "event", seedType)},
		{"deliveries of an event", query(deliveries, "event_id", seed.event)},
		{"deliveries of an hour", query(deliveries, "since", since, "until", until)},
		{"deliveries, a page in the middle", query(deliveries, "cursor", deepDeliveries)},
		{"one delivery", deliveries + "/" + seed.delivery},
		{"webhooks", "/api/webhooks"},
		{"owners", "/api/owners"},
		{"sources", "/api/sources"},
		{"inbound events", "/api/inbound-events"},
	}
	times := map[string]report.Quantiles{}
	for _, call := range calls {
		took := make([]time.Duration, listCalls)
		for i := range took {
			began := time.Now()
			if err := b.api.Call(b.ctx, http.MethodGet, call.path, nil, nil); err != nil {
				return nil, err
			}
			took[i] = time.Since(began)
		}
		times[call.name] = report.QuantilesOf(took)
	}
	return times, nil
}

// cursor is where the second page of a list begins.
func (b *bench) cursor(path string) (string, error) {
	var page struct {
		NextCursor *string `json:"next_cursor"`
	}
	if err := b.api.Call(b.ctx, http.MethodGet, path, nil, &page); err != nil {
		return "", err
	}
	return *cmp.Or(page.NextCursor, new(string)), nil
}
