// Package start starts workflows, at once or in the background. What it starts is stored already: while Temporal is
// away it keeps trying, and what it has not started when its process dies, a sweep starts later.
package start

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"
)

// bulkStarts is how many workflows are started at once for an activity.
const bulkStarts = 16

// ErrTemporalUnavailable says that Temporal did not answer.
var ErrTemporalUnavailable = errors.New("Temporal is not available") //nolint:staticcheck // a name

// Starter starts workflows. Close it to wait for the starts under way.
type Starter struct {
	temporal   client.Client
	background *background
	inbound    *inbound
	held       held
}

// New returns a Starter with an empty queue.
func New(temporal client.Client, logger *slog.Logger) *Starter {
	return &Starter{temporal: temporal, background: newBackground(logger), inbound: newInbound(logger)}
}

// Close waits until every workflow in the queues is started or left to a sweep. What comes later is left to a sweep.
func (s *Starter) Close() {
	var both sync.WaitGroup
	both.Go(s.inbound.close)
	both.Go(s.background.close)
	both.Wait()
}

// Unavailable marks errors that come from Temporal as ErrTemporalUnavailable. It returns nil for nil.
func Unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrTemporalUnavailable, err)
}

// Each does something for all of many things, some at once, and returns the first error.
func Each[T any](ctx context.Context, things []T, do func(context.Context, T) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(bulkStarts)
	for _, thing := range things {
		group.Go(func() error { return do(ctx, thing) })
	}
	return group.Wait()
}
