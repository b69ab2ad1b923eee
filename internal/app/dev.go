package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/alecthomas/kong"
	"go.temporal.io/sdk/client"
)

// dev is the command line of postrider-dev.
type dev struct {
	Run      Dev              `cmd:"" default:"withargs" help:"Run everything in this process (the default)."`
	Temporal DevTemporalOnly  `cmd:"" help:"Run the embedded Temporal server and its Web UI only."`
	Send     Send             `cmd:"" help:"Publish an event."`
	Import   Import           `cmd:"" help:"Carry endpoints of another system over, with their secrets."`
	Listen   Listen           `cmd:"" help:"Run a local receiver that prints what it gets."`
	Version  kong.VersionFlag `help:"Print the version."`
}

// Dev runs everything in one process.
type Dev struct {
	DevFlags
	Receiver string `env:"POSTRIDER_RECEIVER" default:"127.0.0.1:9000" placeholder:"HOST:PORT" help:"Address of a receiver that prints what it gets; off for none. Default: ${default}."`
	Settings
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

// Run runs everything until the context ends.
func (d *Dev) Run(ctx context.Context, start StartDevTemporal, out io.Writer) error {
	p := newProcess(role{api: true, worker: true}, d.Logger())
	p.ready = func() { d.welcome(d.consoleURL(ctx, p.service), out) }
	return p.run(ctx, append(d.parts(p, start, out), p.parts()...))
}

// parts are what runs before the process, and makes its configuration.
func (d *Dev) parts(p *process, start StartDevTemporal, out io.Writer) []part {
	var temporal DevTemporal
	return []part{
		step("address", d.tryAddress),
		{"receiver", func(ctx context.Context) (func() error, error) { return d.startReceiver(ctx, p, out) }},
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

// startReceiver runs the receiver that prints what it gets, unless it is off.
func (d *Dev) startReceiver(ctx context.Context, p *process, out io.Writer) (stop func() error, err error) {
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
	p.receiver = receiver
	p.receiverURL = "http://" + listener.Addr().String() + "/hook"
	return server.Close, nil
}
