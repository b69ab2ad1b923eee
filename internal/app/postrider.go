package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/postrider/postrider/models"
)

// postrider is the command line of the production binary.
type postrider struct {
	Serve   Serve            `cmd:"" help:"Run the API and the worker in one process."`
	API     API              `cmd:"" name:"api" help:"Run the API only."`
	Worker  Worker           `cmd:"" help:"Run the worker only."`
	Migrate Migrate          `cmd:"" help:"Bring the database's schema up to date."`
	Keys    KeyCommands      `cmd:"" help:"Make, list and revoke API keys."`
	Send    Send             `cmd:"" help:"Publish an event."`
	Import  Import           `cmd:"" help:"Carry endpoints of another system over, with their secrets."`
	Listen  Listen           `cmd:"" help:"Run a local receiver that prints what it gets."`
	Version kong.VersionFlag `help:"Print the version."`
}

// Serve runs everything in one process.
type Serve struct{ Settings }

// API runs the API only.
type API struct{ Settings }

// Worker runs the worker only.
type Worker struct{ Settings }

// Run serves until the context ends.
func (s *Serve) Run(ctx context.Context) error {
	return s.start(ctx, role{api: true, worker: true})
}

// Run serves until the context ends.
func (a *API) Run(ctx context.Context) error { return a.start(ctx, role{api: true}) }

// Run works until the context ends.
func (w *Worker) Run(ctx context.Context) error { return w.start(ctx, role{worker: true}) }

func (s Settings) start(ctx context.Context, role role) error {
	if err := s.check(); err != nil {
		return err
	}
	options, err := temporalOptions()
	if err != nil {
		return err
	}
	p := newProcess(role, s.Logger())
	p.settings, p.options = s, options
	if role.api && s.AdminKey == "" {
		p.logger.Info("no --admin-key: use keys made with `postrider keys create --admin`")
	}
	return p.run(ctx, p.parts())
}

// Postrider runs the production command line and returns the exit code.
func Postrider(args []string) int {
	return execute(&postrider{}, args, kong.Name("postrider"),
		kong.Description("Delivers webhooks and does not lose them."),
		productionVars())
}

// productionVars are the defaults in which production differs from dev.
func productionVars() kong.Vars {
	return kong.Vars{
		"version": "postrider " + Version, "allow_targets": "", "allow_targets_default": "none", "log_format": "json",
		"database_default": " Required.", "admin_key_default": "", "temporal_ui_default": "",
		"encryption_key_default": " Required.",
	}
}

// execute parses a command line and runs its command until SIGTERM or SIGINT.
func execute(commands any, args []string, options ...kong.Option) int {
	takeStandardLog(slog.New(slog.NewTextHandler(os.Stderr, nil))) // until a command makes its logger
	return executeTo(os.Stdout, os.Stderr, commands, args, options...)
}

func executeTo(stdout, stderr io.Writer, commands any, args []string, options ...kong.Option) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	exit := -1
	options = append(options, kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.BindTo(stdout, (*io.Writer)(nil)))
	parser, err := newParser(commands, options...)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 {
		return exit // --help and --version
	}
	if err == nil {
		err = parsed.Run()
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: %s\n", parser.Model.Name, err)
		return 1
	}
	return 0
}

func newParser(commands any, options ...kong.Option) (*kong.Kong, error) {
	return kong.New(commands, append(options, kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"retry_schedule": models.DefaultRetrySchedule().String()},
		kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(duration)))...)
}

// duration reads a flag as everything else that is a duration.
func duration(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("duration", &text); err != nil {
		return err
	}
	read, err := models.ParseDuration(text)
	if err != nil {
		return err
	}
	target.SetInt(int64(read))
	return nil
}
