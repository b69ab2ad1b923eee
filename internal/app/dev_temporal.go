package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/postrider/postrider/internal/contract"
)

// DevTemporal is an embedded Temporal server that runs.
type DevTemporal interface {
	// Address is the host and port of its frontend, UIURL the address of its Web UI.
	Address() string
	UIURL() string
	// Failed gets the error of a server that ended by itself.
	Failed() <-chan error
	Stop() error
}

// DevTemporalConfig says how to run the embedded Temporal server.
type DevTemporalConfig struct {
	DataDir      string
	Port, UIPort int
	// DatabaseURL, unless empty, keeps everything in PostgreSQL instead of DataDir, a new database in
	// HistoryShards parts.
	DatabaseURL      string
	HistoryShards    int
	SearchAttributes map[string]enumspb.IndexedValueType
	Logger           *slog.Logger
}

// StartDevTemporal starts an embedded Temporal server. It is given by the caller so that this package does
// not depend on the server.
type StartDevTemporal func(context.Context, DevTemporalConfig) (DevTemporal, error)

// DevFlags are the flags of the embedded Temporal server.
type DevFlags struct {
	DataDir        string     `env:"POSTRIDER_DATA_DIR" default:".postrider" placeholder:"DIR" help:"Folder that everything is kept in. Default: ${default}."`
	TemporalPort   portNumber `env:"POSTRIDER_TEMPORAL_PORT" default:"7233" placeholder:"PORT" help:"Port of the embedded Temporal server; 0 is any free one. Default: ${default}."`
	TemporalUIPort portNumber `name:"temporal-ui-port" env:"POSTRIDER_TEMPORAL_UI_PORT" default:"8233" placeholder:"PORT" help:"Port of its Web UI; 0 is any free one. Default: ${default}."`
}

// DevTemporalOnly runs the embedded Temporal server alone.
type DevTemporalOnly struct {
	DevFlags
	TemporalDatabaseURL   string `name:"temporal-database-url" env:"POSTRIDER_TEMPORAL_DATABASE_URL" placeholder:"URL" help:"Keep Temporal's state in PostgreSQL, in <name> and <name>_visibility. Default: SQLite in --data-dir."`
	TemporalHistoryShards int    `env:"POSTRIDER_TEMPORAL_HISTORY_SHARDS" default:"4" placeholder:"N" help:"Parts that a new PostgreSQL database divides its workflows into, for good. Default: ${default}."`
	Logging
}

// config is how the Temporal server runs in the data directory.
func (d DevFlags) config(logger *slog.Logger) DevTemporalConfig {
	return DevTemporalConfig{
		DataDir: d.DataDir, Port: int(d.TemporalPort), UIPort: int(d.TemporalUIPort),
		SearchAttributes: contract.SearchAttributes(), Logger: logger,
	}
}

// startTemporal makes the data directory and runs the Temporal server in it.
func (d DevFlags) startTemporal(ctx context.Context, start StartDevTemporal, logger *slog.Logger) (DevTemporal, error) {
	if err := os.MkdirAll(d.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the data directory %s: %w; choose another with --data-dir", d.DataDir, errors.Unwrap(err))
	}
	temporal, err := start(ctx, d.config(logger))
	if err != nil {
		return nil, err
	}
	for _, file := range []string{"temporal.db", "temporal.db-wal", "temporal.db-shm"} {
		if err := os.Chmod(filepath.Join(d.DataDir, file), 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, errors.Join(err, temporal.Stop())
		}
	}
	return temporal, nil
}

// Run runs the server until the context ends.
func (d *DevTemporalOnly) Run(ctx context.Context, start StartDevTemporal, out io.Writer) error {
	temporal, err := d.start(ctx, start, d.Logger())
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "Temporal  %s\nWeb UI    %s\n", temporal.Address(), temporal.UIURL())
	select {
	case <-ctx.Done():
	case err = <-temporal.Failed():
	}
	return errors.Join(err, temporal.Stop())
}

// start runs the server in PostgreSQL or in the data directory.
func (d *DevTemporalOnly) start(ctx context.Context, start StartDevTemporal, logger *slog.Logger) (DevTemporal, error) {
	if d.TemporalDatabaseURL == "" {
		return d.startTemporal(ctx, start, logger)
	}
	const most = 16384
	if d.TemporalHistoryShards < 1 || d.TemporalHistoryShards > most {
		return nil, fmt.Errorf("--temporal-history-shards must be a number from 1 to %d", most)
	}
	cfg := d.config(logger)
	cfg.DatabaseURL, cfg.HistoryShards = d.TemporalDatabaseURL, d.TemporalHistoryShards
	return start(ctx, cfg)
}

// watch gives the error of a server that ends by itself to failed, and returns what stops the server.
func (d *Dev) watch(temporal DevTemporal, failed func(error)) (stop func() error) {
	stopping := make(chan struct{})
	go func() {
		select {
		case err := <-temporal.Failed():
			failed(err)
		case <-stopping:
		}
	}()
	return func() error {
		close(stopping)
		return temporal.Stop()
	}
}
