package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"github.com/postrider/postrider/worker"
)

// temporalOptions reads TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_* and the
// profile file, as every Temporal tool does.
func temporalOptions() (client.Options, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return options, fmt.Errorf("temporal connection: %w", err)
	}
	if options.HostPort == "" {
		options.HostPort = client.DefaultHostPort
	}
	if options.Namespace == "" {
		options.Namespace = client.DefaultNamespace
	}
	return options, nil
}

// temporalLogger passes on what the SDK says of our faults; the rest is for debugging.
func temporalLogger(logger *slog.Logger) log.Logger {
	return log.NewStructuredLogger(slog.New(atLeast{Handler: logger.Handler(), level: slog.LevelWarn}))
}

// connect makes a client for Temporal, which connects when it is first used. Temporal may be away: until it is there,
// events are accepted, and the sweep starts their deliveries.
func (p *process) connect(context.Context) (func() error, error) {
	p.eager, p.identity = &worker.EagerStarts{}, identity()
	options := p.options
	options.Logger = temporalLogger(p.logger)
	options.Identity = p.identity
	options.MetricsHandler = p.metrics.temporal
	options.Interceptors = append(options.Interceptors, p.eager)
	// Histories hold no payloads: to compress some hundred bytes costs both sides more than it saves the network.
	options.ConnectionOptions.GrpcCompression = &client.GrpcCompressionNone{}
	var err error
	if p.temporal, err = client.NewLazyClient(options); err != nil {
		return nil, fmt.Errorf("temporal connection: %w", err)
	}
	return cannotFail(p.temporal.Close), nil
}

func (p *process) awaitTemporal(ctx context.Context) error {
	return p.untilItWorks(ctx, "Temporal", func(ctx context.Context) error {
		_, err := p.temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
		return err
	})
}

// prepareTemporal makes what the workflows need in the namespace.
func (p *process) prepareTemporal(ctx context.Context) error {
	return p.untilItWorks(ctx, "Temporal's namespace", func(ctx context.Context) error {
		return worker.Prepare(ctx, p.temporal, p.options.Namespace, p.logger)
	})
}

// untilItWorks tries something until it succeeds or the context ends. It logs the first failure only.
func (p *process) untilItWorks(ctx context.Context, what string, try func(context.Context) error) error {
	const tryTimeout, pause = 15 * time.Second, time.Second
	for failures := 0; ; failures++ {
		err := func() error {
			ctx, cancel := context.WithTimeout(ctx, tryTimeout)
			defer cancel()
			return try(ctx)
		}()
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if failures == 0 {
			p.logger.Warn("waiting for "+what, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
