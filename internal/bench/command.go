package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// Command is the command line of postrider-bench.
type Command struct {
	Scenarios []string `arg:"" optional:"" help:"What to measure, as groups such as throughput or parts such as throughput-c16. Default: everything. They are: ${scenarios}."`

	Start           bool           `group:"Installation" help:"Start an installation for the purpose: PostgreSQL, Temporal and postrider serve, each in processes of their own."`
	Embedded        bool           `group:"Installation" help:"Start postrider-dev: everything in one process, on SQLite."`
	URL             []string       `name:"url" group:"Installation" placeholder:"URL" help:"Measure an installation that runs: the address of its API, or of several that share the load."`
	AdminKey        string         `env:"POSTRIDER_ADMIN_KEY" group:"Installation" placeholder:"KEY" help:"An administrator's key of the installation at --url."`
	DatabaseURL     string         `name:"database-url" env:"POSTRIDER_DATABASE_URL" group:"Installation" placeholder:"URL" help:"Its database, so that transactions and statements can be counted."`
	TemporalAddress string         `env:"TEMPORAL_ADDRESS" group:"Installation" placeholder:"HOST:PORT" help:"Its Temporal server, for histories and the floor. TEMPORAL_NAMESPACE, TEMPORAL_API_KEY and TEMPORAL_TLS_* are heeded."`
	Process         map[string]int `group:"Installation" placeholder:"NAME=PID" help:"Its processes on this machine, whose processor time and memory are to be measured, each with its descendants."`
	ReceiverListen  string         `group:"Installation" default:"127.0.0.1:0" placeholder:"HOST:PORT" help:"Where the receiver listens. Default: ${default}, any free port."`
	ReceiverURL     string         `name:"receiver-url" group:"Installation" placeholder:"URL" help:"How the installation reaches the receiver. Default: where it listens."`

	Serves          int      `group:"What --start starts" default:"1" help:"How many postrider serve. Default: ${default}."`
	Programs        string   `group:"What --start starts" placeholder:"DIR" help:"The folder of postrider and postrider-dev. Default: that of this program; within a checkout they are built when they are not there."`
	Setting         []string `group:"What --start starts" sep:"none" placeholder:"NAME=VALUE" help:"An environment variable for postrider, such as POSTRIDER_WEBHOOK_CONCURRENCY=50; can be repeated."`
	TemporalSetting []string `group:"What --start starts" sep:"none" placeholder:"NAME=VALUE" help:"One for Temporal, such as GOGC=400 or POSTRIDER_TEMPORAL_HISTORY_SHARDS=8."`
	PostgresSetting []string `group:"What --start starts" sep:"none" placeholder:"NAME=VALUE" help:"A line of postgresql.conf, such as synchronous_commit=off."`
	VisibilitySQL   string   `name:"visibility-sql" group:"What --start starts" placeholder:"FILE" help:"SQL that is run in Temporal's visibility database before the load."`

	Duration time.Duration `group:"Load" default:"20s" help:"How long each scenario publishes. Default: ${default}."`
	WarmUp   time.Duration `group:"Load" default:"3s" help:"How long it publishes before that, unmeasured. Default: ${default}."`
	Runs     int           `group:"Load" default:"1" help:"How many times everything is measured; the report has medians and ranges. Default: ${default}."`
	Payload  int           `group:"Load" default:"1024" help:"The size of an event's data in bytes. Default: ${default}."`

	Output string `group:"Report" placeholder:"FILE" help:"Write the report as JSON."`
	HTML   string `name:"html" group:"Report" placeholder:"FILE" help:"Write it as a page with plots."`
}

// Main runs postrider-bench and returns the exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	var command Command
	exit := -1
	parser, err := kong.New(&command, kong.Name("postrider-bench"), kong.Writers(stdout, stderr), kong.UsageOnError(),
		kong.Description("Measures Postrider: publishes events, receives the deliveries, compares the two and reports rates, times and costs."),
		kong.Exit(func(code int) { exit = code }), kong.Vars{"scenarios": strings.Join(groups(scenarios()), ", ")})
	if err == nil {
		_, err = parser.Parse(args)
	}
	if exit >= 0 {
		return exit // --help
	}
	if err == nil {
		err = command.run(ctx, stdout, stderr)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "postrider-bench: %s\n", err)
		return 1
	}
	return 0
}

// check reports every fault at once.
func (c *Command) check() error {
	var faults []error
	modes := 0
	for _, chosen := range []bool{c.Start, c.Embedded, len(c.URL) > 0} {
		if chosen {
			modes++
		}
	}
	if modes != 1 {
		faults = append(faults, errors.New("say what to measure: one of --start, --embedded and --url"))
	}
	if len(c.URL) > 0 && c.AdminKey == "" {
		faults = append(faults, errors.New("--url needs --admin-key ($POSTRIDER_ADMIN_KEY)"))
	}
	for i, url := range c.URL {
		c.URL[i] = strings.TrimSuffix(url, "/")
	}
	if c.Duration < time.Second {
		faults = append(faults, errors.New("--duration must be at least 1s"))
	}
	if c.WarmUp < 0 {
		faults = append(faults, errors.New("--warm-up must not be negative"))
	}
	for name, value := range map[string]int{"--runs": c.Runs, "--serves": c.Serves, "--payload": c.Payload} {
		if value < 1 {
			faults = append(faults, fmt.Errorf("%s must be at least 1, not %d", name, value))
		}
	}
	const mostPayload = 900 << 10 // an event may have 1 MiB
	if c.Payload > mostPayload {
		faults = append(faults, fmt.Errorf("--payload must be at most %d bytes", mostPayload))
	}
	for _, settings := range [][]string{c.Setting, c.TemporalSetting, c.PostgresSetting} {
		for _, setting := range settings {
			if name, _, found := strings.Cut(setting, "="); !found || name == "" {
				faults = append(faults, fmt.Errorf("a setting must be NAME=VALUE, not %q", setting))
			}
		}
	}
	if c.VisibilitySQL != "" {
		if _, err := os.Stat(c.VisibilitySQL); err != nil {
			faults = append(faults, fmt.Errorf("--visibility-sql: %w", err))
		}
	}
	return errors.Join(faults...)
}
