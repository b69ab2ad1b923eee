package app

import (
	"context"
	"time"

	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/first"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/store"
)

// openStore opens the database, which must have the schema of this program.
func (p *process) openStore(ctx context.Context) (func() error, error) {
	var err error
	if p.keyring, err = p.settings.keyring(); err != nil {
		return nil, err
	}
	cfg := p.settings.storeConfig(p.role, p.keyring)
	cfg.Rules = p.rules
	if p.store, err = p.settings.store(ctx, cfg); err != nil {
		return nil, err
	}
	return p.store.Close, nil
}

// startDeferredWrites writes behind the requests that ask for it. Its stop writes what is left.
func (p *process) startDeferredWrites(context.Context) (func() error, error) {
	p.deferred = store.NewDeferredWrites(p.store, p.logger)
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.deferred.Run(ctx)
	}()
	return cannotFail(func() {
		end()
		<-ended
	}), nil
}

// openEgress makes the only way out of the process.
func (p *process) openEgress(context.Context) (func() error, error) {
	var err error
	if p.egress, err = p.settings.egressClient(); err != nil {
		return nil, err
	}
	return cannotFail(p.egress.Close), nil
}

// startStarter takes starts of workflows. Its stop waits until they are made or left to the sweep.
func (p *process) startStarter(context.Context) (func() error, error) {
	p.starter = start.New(p.temporal, p.logger)
	return cannotFail(p.starter.Close), nil
}

// startFirstAttempts makes first attempts without workflows, where this process is to. Its stop waits for those under
// way.
func (p *process) startFirstAttempts(context.Context) (stop func() error, err error) {
	if !p.role.api || !p.settings.makesFirstAttempts() {
		return stop, nil
	}
	p.first = first.New(p.maker, p.store, p.starter, p.logger)
	return cannotFail(p.first.Close), nil
}

func (p *process) makeDispatcher(context.Context) error {
	cfg := dispatch.Config{
		Store: p.store, Starter: p.starter, Temporal: p.temporal, FirstAttempts: p.first, Logger: p.logger,
	}
	if p.role.worker {
		cfg.Expect, cfg.Forget = p.maker.Expect, p.maker.Forget
	}
	p.dispatcher = dispatch.New(cfg)
	return nil
}

func (p *process) makeMaker(context.Context) error {
	p.maker = &attempt.Maker{
		Store:       p.store,
		Sender:      p.egress,
		Rules:       p.rules,
		Starter:     p.starter,
		Lanes:       attempt.NewLanes(p.settings.WebhookConcurrency),
		Schedule:    p.settings.RetrySchedule,
		RetryJitter: p.settings.RetryJitter,
		Timeout:     p.settings.AttemptTimeout,
		Source:      p.settings.publicURL(),
		UserAgent:   "Postrider/" + Version,
		Attempted:   p.metrics.attempted,
		Now:         time.Now,
		Logger:      p.logger,
	}
	return nil
}
