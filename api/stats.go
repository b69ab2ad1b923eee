package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// StatsPoint is what happened in an interval.
type StatsPoint struct {
	From              time.Time `json:"from" doc:"When the interval begins: on the hour, or at midnight UTC."`
	Published         int64     `json:"published" doc:"Events; of a webhook, those that went to it."`
	Delivered         int64     `json:"delivered" doc:"Deliveries that reached their receiver for the first time."`
	Failed            int64     `json:"failed" doc:"Attempts that failed."`
	PermanentlyFailed int64     `json:"permanently_failed" doc:"Deliveries that were given up."`
	Attempts          int64     `json:"attempts" doc:"Attempts that began."`
	SuccessRate       *float64  `json:"success_rate" doc:"The share of attempts that succeeded, from 0 to 1; null without any."`
	Latency           Quantiles `json:"latency_ms" doc:"From publishing to the receiver's answer, of what was delivered."`
	Duration          Quantiles `json:"duration_ms" doc:"Of each attempt."`
}

// Quantiles are times in milliseconds, within 5 %; null without any.
type Quantiles struct {
	P50 *int64 `json:"p50"`
	P95 *int64 `json:"p95"`
	P99 *int64 `json:"p99"`
}

// Stats are all intervals asked for, in their order.
type Stats struct {
	Data []StatsPoint `json:"data"`
}

type statsInput struct {
	From      Time     `query:"from" doc:"The first interval; a day before to by hours, thirty days by days, when left out."`
	To        Time     `query:"to" doc:"Where the last interval ends; now when left out."`
	Interval  string   `query:"interval" enum:"hour,day" default:"hour"`
	WebhookID []string `query:"webhook_id" maxItems:"20"`
	Event     []string `query:"event" maxItems:"20" doc:"Only events of these types."`
	OwnerID   []string `query:"owner_id" maxItems:"20" doc:"Only these owners'."`
}

func (s *server) registerStats(api huma.API) {
	register(s, api, operation{
		ID: "get-stats", Method: http.MethodGet, Path: "/stats", Tag: "Statistics",
		Summary: "Count what happened", Status: http.StatusOK,
	}, s.getStats)
}

func (s *server) getStats(ctx context.Context, who service.Caller, in *statsInput) (*Output[Stats], error) {
	points, err := s.Service.Statistics(ctx, who, models.StatisticsFilter{
		WebhookIDs: in.WebhookID, OwnerIDs: in.OwnerID, Events: in.Event, From: in.From.Time, To: in.To.Time,
	}, in.Interval)
	return &Output[Stats]{Stats{Data: objectsOf(points, pointObject)}}, err
}

func pointObject(p service.Point) StatsPoint {
	object := StatsPoint{
		From: p.From, Published: p.Published, Delivered: p.Delivered, Failed: p.Failed, PermanentlyFailed: p.GivenUp,
		Attempts: p.Attempts, Latency: quantilesOf(p.Latency), Duration: quantilesOf(p.Duration),
	}
	if p.Attempts > 0 {
		rate := float64(p.Attempts-p.Failed) / float64(p.Attempts)
		object.SuccessRate = &rate
	}
	return object
}

func quantilesOf(h models.Histogram) (q Quantiles) {
	for share, to := range map[float64]**int64{0.5: &q.P50, 0.95: &q.P95, 0.99: &q.P99} {
		if ms, some := h.Quantile(share); some {
			*to = &ms
		}
	}
	return q
}
