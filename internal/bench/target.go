package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
)

// target is the installation that is measured.
type target struct {
	// apis are the addresses of its APIs.
	apis     []string
	adminKey string
	// parts are its processes, as far as they are on this machine and known.
	parts []process
	// databaseURL is Postrider's own database; empty when it is SQLite or not known.
	databaseURL string
	// temporal is nil when it is not known.
	temporal client.Client
	sql      *sqlCounter
	// idle is what its processes use per second of time while nothing is published.
	idle map[string]float64

	closers []func() error
}

// onClose has something done when the target is closed, last things first.
func (t *target) onClose(f func() error) { t.closers = append(t.closers, f) }

func (t *target) close() error {
	var err error
	for i := len(t.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, t.closers[i]())
	}
	t.closers = nil
	return err
}

// connect opens what the measurements need besides the API.
func (t *target) connect(ctx context.Context, temporal *client.Options) error {
	if t.databaseURL != "" {
		counter, err := newSQLCounter(ctx, t.databaseURL)
		if err != nil {
			return err
		}
		t.sql = counter
		t.onClose(func() error { return counter.close(context.WithoutCancel(ctx)) })
	}
	if temporal == nil {
		return nil
	}
	temporal.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	connection, err := client.DialContext(ctx, *temporal)
	if err != nil {
		return fmt.Errorf("connect to Temporal at %s: %w", temporal.HostPort, err)
	}
	t.temporal = connection
	t.onClose(func() error { connection.Close(); return nil })
	return nil
}

// runningTarget is an installation that runs already.
func (c *Command) runningTarget(ctx context.Context) (*target, error) {
	t := &target{apis: c.URL, adminKey: c.AdminKey, databaseURL: c.DatabaseURL}
	for name, pid := range c.Process {
		t.parts = append(t.parts, process{name: name, pid: pid})
	}
	sortParts(t.parts)
	var temporal *client.Options
	if c.TemporalAddress != "" {
		options, err := envconfig.LoadDefaultClientOptions()
		if err != nil {
			return nil, fmt.Errorf("temporal connection: %w", err)
		}
		options.HostPort = c.TemporalAddress
		temporal = &options
	}
	if err := t.connect(ctx, temporal); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}
