// Package installation starts an installation to be measured, with real processes, or connects to one that runs.
package installation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"github.com/postrider/postrider/internal/bench/measuring"
)

// Installation is the installation that is measured.
type Installation struct {
	// APIs are the addresses of its APIs.
	APIs     []string
	AdminKey string
	// Parts are its processes, as far as they are on this machine and known.
	Parts []measuring.Process
	// DatabaseURL is Postrider's own database; empty when it is SQLite or not known.
	DatabaseURL string
	// Temporal is nil when it is not known.
	Temporal client.Client
	SQL      *measuring.SQLCounter
	// Idle is how many processors each part keeps busy while nothing is published; nil until MeasureIdle.
	Idle map[string]float64

	closers []func() error
}

// onClose registers what Close does, last things first.
func (t *Installation) onClose(f func() error) { t.closers = append(t.closers, f) }

// Close stops what was started, last things first.
func (t *Installation) Close() error {
	var err error
	for i := len(t.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, t.closers[i]())
	}
	t.closers = nil
	return err
}

// connect opens what the measurements need besides the API.
func (t *Installation) connect(ctx context.Context, temporal *client.Options) error {
	if t.DatabaseURL != "" {
		counter, err := measuring.NewSQLCounter(ctx, t.DatabaseURL)
		if err != nil {
			return err
		}
		t.SQL = counter
		t.onClose(func() error { return counter.Close(context.WithoutCancel(ctx)) })
	}
	if temporal == nil {
		return nil
	}
	temporal.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	connection, err := client.DialContext(ctx, *temporal)
	if err != nil {
		return fmt.Errorf("connect to Temporal at %s: %w", temporal.HostPort, err)
	}
	t.Temporal = connection
	t.onClose(func() error { connection.Close(); return nil })
	return nil
}

// Running is how to reach an installation that runs already.
type Running struct {
	// APIs are the addresses of its APIs, AdminKey an administrator's key.
	APIs     []string
	AdminKey string
	// DatabaseURL and TemporalAddress are empty, and Processes lacks what is not known. Processes are PIDs by name.
	DatabaseURL     string
	TemporalAddress string
	Processes       map[string]int
}

// Connect connects to an installation that runs already.
func Connect(ctx context.Context, running Running) (*Installation, error) {
	t := &Installation{APIs: running.APIs, AdminKey: running.AdminKey, DatabaseURL: running.DatabaseURL}
	for name, pid := range running.Processes {
		t.Parts = append(t.Parts, measuring.Process{Name: name, PID: pid})
	}
	sortParts(t.Parts)
	var temporal *client.Options
	if running.TemporalAddress != "" {
		options, err := envconfig.LoadDefaultClientOptions()
		if err != nil {
			return nil, fmt.Errorf("temporal connection: %w", err)
		}
		options.HostPort = running.TemporalAddress
		temporal = &options
	}
	if err := t.connect(ctx, temporal); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// MeasureIdle measures what the parts use when there is nothing to do.
func (t *Installation) MeasureIdle(ctx context.Context) (err error) {
	t.Idle, err = measuring.Idle(ctx, t.Parts)
	return err
}

// AwaitQuiet waits until the installation is as idle as MeasureIdle found it.
func (t *Installation) AwaitQuiet(ctx context.Context) error {
	return measuring.AwaitQuiet(ctx, t.Parts, t.Idle)
}

func sortParts(parts []measuring.Process) {
	slices.SortFunc(parts, func(a, b measuring.Process) int { return cmp.Compare(a.Name, b.Name) })
}
