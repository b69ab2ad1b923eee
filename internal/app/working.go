package app

import (
	"context"
	"fmt"
	"time"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/notify"
	"github.com/postrider/postrider/worker"
)

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

// sweepNow starts what the process before this one left behind.
func (p *process) sweepNow(ctx context.Context) error {
	return p.untilItWorks(ctx, "sweep", func(ctx context.Context) error { return worker.SweepNow(ctx, p.temporal) })
}

// keepSweep sees to it that the sweep goes on.
func (p *process) keepSweep(context.Context) (func() error, error) {
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		worker.KeepSweep(ctx, p.temporal, p.logger)
	}()
	return cannotFail(func() {
		end()
		<-ended
	}), nil
}

func (p *process) sayReady(context.Context) error {
	p.logger.Info("ready")
	if p.ready != nil {
		p.ready()
	}
	return nil
}
