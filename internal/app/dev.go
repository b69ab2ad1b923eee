package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/models"
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

// dev is the command line of postrider-dev.
type dev struct {
	Run      Dev              `cmd:"" default:"withargs" help:"Run everything in this process (the default)."`
	Temporal DevTemporalOnly  `cmd:"" help:"Run the embedded Temporal server and its Web UI only."`
	Send     Send             `cmd:"" help:"Publish an event."`
	Listen   Listen           `cmd:"" help:"Run a local receiver that prints what it gets."`
	Version  kong.VersionFlag `help:"Print the version."`
}

// DevFlags are the flags of the embedded Temporal server.
type DevFlags struct {
	DataDir        string `env:"POSTRIDER_DATA_DIR" default:".postrider" placeholder:"DIR" help:"Where everything is kept. Default: ${default}."`
	TemporalPort   int    `env:"POSTRIDER_TEMPORAL_PORT" default:"7233" placeholder:"PORT" help:"The port of the embedded Temporal server; 0 for any free one. Default: ${default}."`
	TemporalUIPort int    `name:"temporal-ui-port" env:"POSTRIDER_TEMPORAL_UI_PORT" default:"8233" placeholder:"PORT" help:"The port of its Web UI; 0 for any free one. Default: ${default}."`
}

// Dev runs everything in one process.
type Dev struct {
	DevFlags
	Receiver string `env:"POSTRIDER_RECEIVER" default:"127.0.0.1:9000" placeholder:"HOST:PORT" help:"Where a receiver listens that prints what it gets; off for none. Default: ${default}."`
	Settings
}

// DevTemporalOnly runs the embedded Temporal server alone.
type DevTemporalOnly struct {
	DevFlags
	TemporalDatabaseURL   string `name:"temporal-database-url" env:"POSTRIDER_TEMPORAL_DATABASE_URL" placeholder:"URL" help:"Keep Temporal's state in PostgreSQL, postgres://…/<name>, and in <name>_visibility beside it; both are created when missing. Default: SQLite in --data-dir."`
	TemporalHistoryShards int    `env:"POSTRIDER_TEMPORAL_HISTORY_SHARDS" default:"4" placeholder:"N" help:"In how many parts a new PostgreSQL database divides its workflows; it keeps that number. Default: ${default}."`
	Logging
}

// PostriderDev runs the command line of postrider-dev and returns the exit code.
func PostriderDev(args []string, start StartDevTemporal) int {
	return execute(&dev{}, args, kong.Name("postrider-dev"),
		kong.Description("Postrider with an embedded Temporal server, its Web UI and SQLite: nothing to install."),
		kong.Bind(start),
		kong.Vars{
			"version": "postrider-dev " + Version, "allow_targets": "127.0.0.0/8,::1/128", "allow_targets_default": "127.0.0.0/8,::1/128", "log_format": "text",
			"database_default":       " Default: sqlite://<data-dir>/postrider.db.",
			"admin_key_default":      " Default: made once and kept in <data-dir>/admin.key.",
			"encryption_key_default": " Default: made once and kept in <data-dir>/encryption.key.",
			"temporal_ui_default":    " Default: the embedded one.",
		})
}

// config is how the Temporal server runs in the data directory.
func (d DevFlags) config(logger *slog.Logger) DevTemporalConfig {
	return DevTemporalConfig{
		DataDir: d.DataDir, Port: d.TemporalPort, UIPort: d.TemporalUIPort,
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

// Run runs everything until the context ends.
func (d *Dev) Run(ctx context.Context, start StartDevTemporal, out io.Writer) error {
	p := newProcess(role{api: true, worker: true}, d.Logger())
	p.ready = func() { d.welcome(out) }
	return p.run(ctx, append(d.parts(p, start, out), p.parts()...))
}

// parts are what runs before the process, and makes its configuration.
func (d *Dev) parts(p *process, start StartDevTemporal, out io.Writer) []part {
	var temporal DevTemporal
	return []part{
		step("address", d.tryAddress),
		{"receiver", func(ctx context.Context) (func() error, error) { return d.startReceiver(ctx, out) }},
		{"Temporal", func(ctx context.Context) (_ func() error, err error) {
			if temporal, err = d.startTemporal(ctx, start, p.logger); err != nil {
				return nil, err
			}
			return d.watch(temporal, p.fail), nil
		}},
		step("configuration", func(context.Context) error {
			if err := d.fillIn(temporal); err != nil {
				return err
			}
			p.settings = d.Settings
			p.options = client.Options{HostPort: temporal.Address(), Namespace: client.DefaultNamespace}
			return d.check()
		}),
		step("schema", func(ctx context.Context) error {
			if err := d.migrate(ctx, slog.New(slog.DiscardHandler)); err != nil {
				return err
			}
			return d.seal(ctx, d.Encryption, p.logger)
		}),
	}
}

// tryAddress finds out early whether the API's port is free: everything else takes longer.
func (d *Dev) tryAddress(ctx context.Context) error {
	probe, err := listen(ctx, d.Listen, "--listen")
	if err != nil {
		return err
	}
	return probe.Close()
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

// startReceiver runs the receiver that prints what it gets, unless it is off.
func (d *Dev) startReceiver(ctx context.Context, out io.Writer) (stop func() error, err error) {
	if d.Receiver == "off" {
		return stop, nil
	}
	receiver, err := newReceiver(Listen{Status: http.StatusOK}, out)
	if err != nil {
		return nil, err
	}
	listener, err := listen(ctx, d.Receiver, "--receiver")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: receiver, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: maxHeaderBytes}
	go func() { _ = server.Serve(listener) }()
	return server.Close, nil
}

// fillIn makes what was not configured, once, and keeps it in the data directory.
func (d *Dev) fillIn(temporal DevTemporal) error {
	if d.DatabaseURL == "" {
		file := filepath.Join(d.DataDir, "postrider.db")
		if err := private(file); err != nil {
			return err
		}
		d.DatabaseURL = "sqlite://" + file
	}
	if d.TemporalUIURL == "" {
		d.TemporalUIURL = temporal.UIURL()
	}
	if d.AdminKey == "" {
		key, err := kept(filepath.Join(d.DataDir, "admin.key"), models.NewAPIKeyToken)
		if err != nil {
			return err
		}
		d.AdminKey = key
	}
	if len(d.EncryptionKey) == 0 {
		key, err := kept(filepath.Join(d.DataDir, "encryption.key"), keyring.NewKey)
		if err != nil {
			return err
		}
		d.EncryptionKey = []string{key}
	}
	return nil
}

// private makes a file that only its owner may read, or makes one so that is there; SQLite gives the files beside it the
// same mode.
func private(file string) error {
	made, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(made.Chmod(0o600), made.Close())
}

// kept reads a secret from a file, or makes it and writes it there.
func kept(file string, generate func() string) (string, error) {
	content, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(content)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	secret := generate()
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		return "", err
	}
	return secret, nil
}

// welcome prints where everything is and three commands to paste.
func (d *Dev) welcome(out io.Writer) {
	receiver, hook := "http://"+d.Receiver+"   (prints what it gets, below)", "http://"+d.Receiver+"/hook"
	if d.Receiver == "off" {
		receiver, hook = "none   (--receiver off)", "https://<your receiver>"
	}
	url := d.publicURL()
	_, _ = fmt.Fprintf(out, `
Postrider %s

  API              %s   (documentation: %s/docs)
  Temporal Web UI  %s
  Admin key        %s
  Receiver         %s

Try it, in another terminal:

  1. Create a webhook:
     curl %s/api/webhooks -H "Authorization: Bearer %s" \
       -d '{"url": "%s", "events": ["order.*"]}'

  2. Publish an event:
     curl %s/api/events -H "Authorization: Bearer %s" \
       -d '{"event": "order.created", "data": {"id": 42}}'

  3. Look at the delivery; its workflow.url opens in the Temporal Web UI:
     curl %s/api/deliveries -H "Authorization: Bearer %s"

`, Version, url, url, d.TemporalUIURL, d.AdminKey, receiver,
		url, d.AdminKey, hook, url, d.AdminKey, url, d.AdminKey)
}
