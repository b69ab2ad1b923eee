package bench

import (
	"os"

	"github.com/postrider/postrider/internal/bench/load"
	"github.com/postrider/postrider/internal/bench/measuring"
	"github.com/postrider/postrider/internal/bench/report"
)

// measure runs a load after its warm-up and fills in the figures.
func (b *bench) measure(s scenario, l *load.Load, result *report.Result) (load.Account, error) {
	parts := append([]measuring.Process{{Name: report.Self, PID: os.Getpid(), Alone: true}}, b.target.Parts...)
	counts, err := b.count(result)
	if err != nil {
		return load.Account{}, err
	}
	b.progress.begin(s.name+": warming up", l.Ledger)
	s.drive(b.ctx, l, b.command.WarmUp)
	if err := b.settle(s, l); err != nil {
		return load.Account{}, err
	}
	if published, _, _ := l.Ledger.Progress(); published > 0 {
		if err := l.Problems.Fatal(published); err != nil {
			return load.Account{}, err
		}
	}
	used, highest := measuring.ProcessorTime(parts), measuring.WatchMemory(parts)
	l.Measuring()
	began := l.Ledger.Measure()
	b.progress.begin(s.name, l.Ledger)
	s.drive(b.ctx, l, max(b.command.Duration, s.atLeast))
	stopped := l.Ledger.Now()
	l.Ended()
	err = b.settle(s, l)
	memory := highest()
	if err != nil {
		return load.Account{}, err
	}
	accounted := l.Ledger.Reconcile(s.counts)
	result.OpenLoop = s.perSecond > 0
	result.Account(accounted, began, stopped)
	result.Use(used, measuring.ProcessorTime(parts), memory, accounted.Arrived)
	result.Problem = l.Problems.First()
	if counts != nil {
		if result.SQL, err = b.target.SQL.Each(b.ctx, *counts, accounted.Expected-accounted.Lost); err != nil {
			return accounted, err
		}
	}
	if b.target.Temporal != nil {
		result.Temporal, err = measuring.DescribeSample(b.ctx, b.target.Temporal, accounted.IDs)
	}
	return accounted, err
}

// count begins to count SQL, also that of the warm-up: its counts are complete only after a wait. It counts
// nothing where Postrider is not what is measured.
func (b *bench) count(result *report.Result) (*measuring.SQLCounts, error) {
	if b.target.SQL == nil || result.BenchWorks {
		return nil, nil //nolint:nilnil // there is nothing to count
	}
	counts, err := b.target.SQL.Read(b.ctx)
	return &counts, err
}

// settle waits until everything has arrived and the installation is idle.
func (b *bench) settle(s scenario, l *load.Load) error {
	defer b.progress.end()
	lateness := s.lateness
	if lateness == 0 {
		lateness = usualLateness
	}
	if err := l.Drain(b.ctx, lateness); err != nil {
		return err
	}
	return b.target.AwaitQuiet(b.ctx)
}
