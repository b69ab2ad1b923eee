package app

import (
	"context"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.temporal.io/sdk/client"
	temporalotel "go.temporal.io/sdk/contrib/opentelemetry"

	"github.com/postrider/postrider/internal/attempt"
)

// metrics are what /metrics shows: Postrider's own and those of Temporal's SDK.
type metrics struct {
	handler  http.Handler
	temporal client.MetricsHandler
	attempts metric.Int64Counter
	acts     metric.Int64Counter
	duration metric.Float64Histogram
}

func newMetrics() (*metrics, error) {
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo(), exporter.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	meter := provider.Meter("postrider")
	m := &metrics{
		handler:  promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}),
		temporal: temporalotel.NewMetricsHandler(temporalotel.MetricsHandlerOptions{Meter: provider.Meter("temporal-sdk-go")}),
	}
	if m.attempts, err = meter.Int64Counter("postrider_attempts", metric.WithDescription("Attempts by outcome.")); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	if m.acts, err = meter.Int64Counter("postrider_audit", metric.WithDescription("What was changed through the API, by action.")); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	m.duration, err = meter.Float64Histogram("postrider_attempt_duration", metric.WithUnit("s"),
		metric.WithDescription("How long receivers took to answer."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30))
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return m, nil
}

// attempted counts one attempt.
func (m *metrics) attempted(ctx context.Context, result attempt.Result) {
	outcome := "success"
	if result.ErrorClass != "" {
		outcome = string(result.ErrorClass)
	}
	labels := metric.WithAttributes(attribute.String("outcome", outcome), attribute.String("trigger", string(result.Trigger)))
	m.attempts.Add(ctx, 1, labels)
	m.duration.Record(ctx, float64(result.DurationMS)/1000, metric.WithAttributes(attribute.String("outcome", outcome)))
}

// audited counts one entry of the trail.
func (m *metrics) audited(ctx context.Context, action string) {
	m.acts.Add(ctx, 1, metric.WithAttributes(attribute.String("action", action)))
}
