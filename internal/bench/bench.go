package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// bench is one program run. What it measures may be started anew in between.
type bench struct {
	ctx      context.Context
	command  *Command
	progress *progress
	receiver *receiver
	programs string
	target   *target
	api      *apiClient
}

// run measures everything and writes the reports.
func (c *Command) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	wanted, err := c.chosen()
	if err := errors.Join(c.check(), err); err != nil {
		return err
	}
	b := &bench{ctx: ctx, command: c, progress: newProgress(stderr)}
	if b.receiver, err = startReceiver(c.ReceiverListen, c.ReceiverURL); err != nil {
		return fmt.Errorf("--receiver-listen: %w", err)
	}
	defer func() { err = errors.Join(err, b.receiver.close()) }()
	if c.Start || c.Embedded {
		programs, remove, err := findPrograms(ctx, c.Programs, b.progress)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, remove()) }()
		b.programs = programs
	}
	report := c.newReport()
	results := make([][]Result, len(wanted))
	for n := 0; n < c.Runs && err == nil; n++ {
		if c.Runs > 1 {
			b.progress.say(fmt.Sprintf("run %d of %d", n+1, c.Runs))
		}
		err = b.runOnce(wanted, results, report)
	}
	for _, runs := range results {
		if len(runs) > 0 {
			report.Scenarios = append(report.Scenarios, combine(runs))
		}
	}
	report.compare()
	if len(report.Scenarios) > 0 {
		err = errors.Join(err, c.write(report, stdout)) // what was measured before an error counts
	}
	return err
}

// runOnce measures every scenario once, on one installation but for those that want their own.
func (b *bench) runOnce(wanted []scenario, results [][]Result, report *Report) (err error) {
	defer func() { err = errors.Join(err, b.close()) }()
	for i, s := range wanted {
		if b.target == nil || s.fresh {
			if err := errors.Join(b.close(), b.open()); err != nil {
				return err
			}
			report.setIdle(b.target.idle)
		}
		result, err := s.run(b, s)
		b.progress.end()
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		b.progress.say(result.summary())
		results[i] = append(results[i], result)
	}
	return nil
}

// open starts or connects to the installation, and learns what it uses when it has nothing to do.
func (b *bench) open() (err error) {
	switch {
	case b.command.Start:
		b.progress.step("starting PostgreSQL, Temporal and Postrider")
		b.target, err = b.command.startProduction(b.ctx, b.programs)
	case b.command.Embedded:
		b.progress.step("starting postrider-dev")
		b.target, err = b.command.startEmbedded(b.ctx, b.programs)
	default:
		b.target, err = b.command.runningTarget(b.ctx)
	}
	if err != nil {
		b.target = nil // it has closed itself
		return err
	}
	b.api = newAPIClient(b.target.apis[0], b.target.adminKey)
	b.target.idle, err = b.idle()
	return err
}

func (b *bench) close() error {
	if b.target == nil {
		return nil
	}
	b.api.http.CloseIdleConnections()
	err := b.target.close()
	b.target = nil
	return err
}

// summary is a line about a result.
func (r *Result) summary() string {
	return fmt.Sprintf("%s: %s delivered/s, p50 %s ms, p99 %s ms, %s ms of CPU per delivery, %d lost, %d duplicated",
		r.Name, figure(r.DeliveredPerS), ms(r.LatencyMS.P50), ms(r.LatencyMS.P99), figure(r.CPU.Total), r.Lost, r.Duplicated)
}

func (c *Command) newReport() *Report {
	return &Report{
		StartedAt: time.Now().UTC(), Installation: c.installation(), Machine: machine(),
		Settings:  slices.Concat([]string{}, c.Setting, c.TemporalSetting, c.PostgresSetting, visibility(c.VisibilitySQL)),
		DurationS: c.Duration.Seconds(), PayloadBytes: c.Payload, Runs: c.Runs,
	}
}

func (c *Command) installation() string {
	switch {
	case c.Embedded:
		return "postrider-dev, everything in one process on SQLite"
	case c.Start && c.Serves > 1:
		return fmt.Sprintf("%d postrider serve, Temporal and PostgreSQL in processes of their own", c.Serves)
	case c.Start:
		return "postrider serve, Temporal and PostgreSQL in processes of their own"
	default:
		return "an installation that was running"
	}
}

func visibility(file string) []string {
	if file == "" {
		return nil
	}
	return []string{"visibility SQL: " + file}
}

// machine describes the processors.
func machine() string {
	text := fmt.Sprintf("%d processors, %s, %s/%s", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	content, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return text
	}
	for line := range strings.Lines(string(content)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value) + ", " + text
		}
	}
	return text
}

// write writes the report in every form that is asked for.
func (c *Command) write(report *Report, stdout io.Writer) error {
	err := report.writeTable(stdout)
	if c.Output != "" {
		err = errors.Join(err, report.writeJSON(c.Output))
	}
	if c.HTML != "" {
		err = errors.Join(err, report.writeHTML(c.HTML))
	}
	return err
}
