package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/postrider/postrider/internal/bench/installation"
	"github.com/postrider/postrider/internal/bench/load"
	"github.com/postrider/postrider/internal/bench/report"
)

// bench is one run of the program. It may start several installations.
type bench struct {
	ctx      context.Context
	command  *Command
	progress *progress
	receiver *load.Receiver
	programs string
	target   *installation.Installation
	api      *apiClient
}

// run measures everything and writes the reports.
func (c *Command) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	wanted, err := c.chosen()
	if err := errors.Join(c.check(), err); err != nil {
		return err
	}
	b := &bench{ctx: ctx, command: c, progress: newProgress(stderr)}
	if b.receiver, err = load.StartReceiver(c.ReceiverListen, c.ReceiverURL); err != nil {
		return fmt.Errorf("--receiver-listen: %w", err)
	}
	defer func() { err = errors.Join(err, b.receiver.Close()) }()
	if c.Start || c.Embedded {
		programs, remove, err := installation.FindPrograms(ctx, c.Programs, b.progress.step)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, remove()) }()
		b.programs = programs
	}
	measured := c.newReport()
	results := make([][]report.Result, len(wanted))
	for n := 0; n < c.Runs && err == nil; n++ {
		if c.Runs > 1 {
			b.progress.say(fmt.Sprintf("run %d of %d", n+1, c.Runs))
		}
		err = b.runOnce(wanted, results, measured)
	}
	for _, runs := range results {
		if len(runs) > 0 {
			measured.Scenarios = append(measured.Scenarios, report.Combine(runs))
		}
	}
	measured.Compare()
	if len(measured.Scenarios) > 0 {
		err = errors.Join(err, c.write(measured, stdout)) // what was measured before an error counts
	}
	return err
}

// runOnce measures every scenario once, on one installation except for scenarios that need a new one.
func (b *bench) runOnce(wanted []scenario, results [][]report.Result, measured *report.Report) (err error) {
	defer func() { err = errors.Join(err, b.close()) }()
	for i, s := range wanted {
		if b.target == nil || s.fresh {
			if err := errors.Join(b.close(), b.open()); err != nil {
				return err
			}
			measured.SetIdle(b.target.Idle)
		}
		result, err := s.run(b, s)
		b.progress.end()
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		b.progress.say(result.Summary())
		results[i] = append(results[i], result)
	}
	return nil
}

// open starts or connects to the installation and measures what it uses when idle.
func (b *bench) open() error {
	target, err := b.startTarget()
	if err != nil {
		return err
	}
	b.target = target
	b.api = newAPIClient(target.APIs[0], target.AdminKey)
	if len(target.Parts) == 0 {
		return nil
	}
	b.progress.step("measuring what it uses when idle")
	return target.MeasureIdle(b.ctx)
}

func (b *bench) startTarget() (*installation.Installation, error) {
	c := b.command
	options := installation.Options{
		Programs: b.programs, Serves: c.Serves, Settings: c.Setting, TemporalSettings: c.TemporalSetting,
		PostgresSettings: c.PostgresSetting, VisibilitySQL: c.VisibilitySQL,
	}
	switch {
	case c.Start:
		b.progress.step("starting PostgreSQL, Temporal and Postrider")
		return installation.StartProduction(b.ctx, options)
	case c.Embedded:
		b.progress.step("starting postrider-dev")
		return installation.StartEmbedded(b.ctx, options)
	default:
		return installation.Connect(b.ctx, installation.Running{
			APIs: c.URL, AdminKey: c.AdminKey, DatabaseURL: c.DatabaseURL,
			TemporalAddress: c.TemporalAddress, Processes: c.Process,
		})
	}
}

func (b *bench) close() error {
	if b.target == nil {
		return nil
	}
	b.api.Close()
	err := b.target.Close()
	b.target = nil
	return err
}

func (c *Command) newReport() *report.Report {
	return &report.Report{
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

// write writes the report in every form that is asked for.
func (c *Command) write(r *report.Report, stdout io.Writer) error {
	err := r.WriteTable(stdout)
	if c.Output != "" {
		err = errors.Join(err, r.WriteJSON(c.Output))
	}
	if c.HTML != "" {
		err = errors.Join(err, r.WriteHTML(c.HTML))
	}
	return err
}
