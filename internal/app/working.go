package app

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/notify"
	"github.com/postrider/postrider/worker"
)

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

// makeWorker makes the worker, where this process is to have one.
func (p *process) makeWorker(context.Context) error {
	if !p.role.worker {
		return nil
	}
	implementation, err := p.newActivities()
	if err != nil {
		return err
	}
	p.worker = worker.New(p.temporal, p.eager, implementation, func(err error) { p.fail(fmt.Errorf("worker: %w", err)) })
	return nil
}

func (p *process) newActivities() (*activities.Activities, error) {
	s := p.settings
	link := s.workflowURL(p.options.Namespace)
	implementation := &activities.Activities{
		Store:            p.store,
		Starter:          p.starter,
		Canceller:        p.dispatcher,
		Slack:            notify.NewSlack(p.egress),
		Attempts:         p.maker,
		DisableAfter:     s.DisableAfter,
		Retention:        s.Retention,
		InboundRetention: s.InboundRetention,
		Links:            activities.Links{API: s.publicURL(), Workflow: func(id string) string { return link(id, "") }},
		Now:              time.Now,
	}
	if s.SMTPURL == "" {
		return implementation, nil
	}
	var err error
	implementation.Email, err = notify.NewEmail(notify.EmailConfig{URL: s.SMTPURL, From: s.SMTPFrom})
	return implementation, err
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

// startWorker works on deliveries. Its stop waits for attempts under way, and for Temporal to let go of the worker; not
// for a Temporal that hangs.
func (p *process) startWorker(context.Context) (func() error, error) {
	if err := p.worker.Start(); err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	p.working.Store(true)
	return cannotFail(func() {
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			p.worker.Stop()
		}()
		select {
		case <-stopped:
		case <-time.After(stopTimeout):
			p.logger.Warn("stopping before Temporal knows: it does not answer")
		}
	}), nil
}

// sweep starts what the process before this one left behind.
func (p *process) sweep(ctx context.Context) error {
	return p.untilItWorks(ctx, "sweep", func(ctx context.Context) error { return worker.SweepNow(ctx, p.temporal) })
}

func (p *process) sayReady(context.Context) error {
	p.logger.Info("ready")
	if p.ready != nil {
		p.ready()
	}
	return nil
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
