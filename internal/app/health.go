package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/postrider/postrider/api"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/worker"
)

// identity tells this process from all others, for Temporal and for people who read a history.
func identity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("postrider-%s@%s:%d", Version, host, os.Getpid())
}

// checks are what /readyz reports: whether events can be stored, and whether they are delivered.
func (p *process) checks() []api.Check {
	checks := []api.Check{
		{Name: "database", Run: p.checkDatabase},
		{Name: "temporal", Run: func(ctx context.Context) error {
			if worker.CheckTemporal(ctx, p.temporal, p.options.Namespace) != nil {
				return errors.New("does not answer")
			}
			return nil
		}},
		{Name: "sweep", Run: func(ctx context.Context) error {
			return worker.CheckSweep(ctx, p.temporal, p.options.Namespace, time.Now())
		}},
	}
	if p.role.worker {
		checks = append(checks, api.Check{Name: "worker", Run: func(ctx context.Context) error {
			if !p.working.Load() {
				return errors.New("waits for Temporal")
			}
			return worker.CheckPolling(ctx, p.temporal, p.identity, time.Now())
		}})
	}
	return checks
}

func (p *process) checkDatabase(ctx context.Context) error {
	err := p.store.Ping(ctx)
	switch {
	case errors.Is(err, store.ErrReadOnly):
		return errors.New("is read-only")
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("does not answer in time, or has no free connection")
	case err != nil:
		return errors.New("does not answer")
	}
	return nil
}
