package bench

import (
	"context"
	"os"
	"time"
)

// self is how this process is listed where it is measured itself.
const self = "bench"

const (
	pollInterval = 50 * time.Millisecond
	// idleSample is how long the idle installation is watched.
	idleSample = 3 * time.Second
	// quietSample and quietPatience are for the wait until it is idle again.
	quietSample   = 500 * time.Millisecond
	quietPatience = 20 * time.Second
	// quietCores is how much more than when idle it may use to count as idle.
	quietCores = 0.08
)

// measure lets a load warm everything up, then runs it and fills in what it showed.
func (b *bench) measure(s scenario, l *load, result *Result) (account, error) {
	parts := append([]process{{name: self, pid: os.Getpid(), alone: true}}, b.target.parts...)
	counts, err := b.count(result)
	if err != nil {
		return account{}, err
	}
	b.progress.begin(s.name+": warming up", l.ledger)
	s.drive(b.ctx, l, b.command.WarmUp)
	if err := b.settle(s, l); err != nil {
		return account{}, err
	}
	if published, _, _ := l.ledger.progress(); published > 0 {
		if err := l.problems.fatal(published); err != nil {
			return account{}, err
		}
	}
	used, highest := processorTime(parts), watchMemory(parts)
	l.measuring()
	began := l.ledger.measure()
	b.progress.begin(s.name, l.ledger)
	s.drive(b.ctx, l, max(b.command.Duration, s.atLeast))
	stopped := l.ledger.now()
	l.ended()
	err = b.settle(s, l)
	memory := highest()
	if err != nil {
		return account{}, err
	}
	accounted := l.ledger.reconcile(s.counts)
	result.openLoop = s.perSecond > 0
	result.account(accounted, began, stopped)
	result.use(used, processorTime(parts), memory, accounted.arrived)
	result.Problem = l.problems.first()
	if counts != nil {
		if result.SQL, err = b.target.sql.each(b.ctx, *counts, accounted.expected-accounted.lost); err != nil {
			return accounted, err
		}
	}
	if b.target.temporal != nil {
		result.Temporal, err = describeSample(b.ctx, b.target.temporal, accounted.ids)
	}
	return accounted, err
}

// count begins to count SQL, also that of the warm-up: its counts are complete only after a wait. It counts
// nothing where Postrider is not what is measured.
func (b *bench) count(result *Result) (*sqlCounts, error) {
	if b.target.sql == nil || result.benchWorks {
		return nil, nil //nolint:nilnil // there is nothing to count
	}
	counts, err := b.target.sql.read(b.ctx)
	return &counts, err
}

// settle waits until everything has arrived and the installation has nothing left to do.
func (b *bench) settle(s scenario, l *load) error {
	defer b.progress.end()
	lateness := s.lateness
	if lateness == 0 {
		lateness = usualLateness
	}
	if err := l.drain(b.ctx, lateness); err != nil {
		return err
	}
	return b.awaitQuiet(b.ctx)
}

// awaitQuiet waits until the installation is as idle as it was: Temporal goes on for a moment after the last
// delivery has arrived. One that is busy by itself is not waited for.
func (b *bench) awaitQuiet(ctx context.Context) error {
	deadline := time.Now().Add(quietPatience)
	for len(b.target.parts) > 0 && time.Now().Before(deadline) {
		busy, err := cores(ctx, b.target.parts, quietSample)
		if err != nil {
			return err
		}
		if sum(busy) <= sum(b.target.idle)+quietCores {
			return nil
		}
	}
	return nil
}

// idle waits until the start is over and measures what is used then.
func (b *bench) idle() (map[string]float64, error) {
	if len(b.target.parts) == 0 {
		return nil, nil
	}
	b.progress.step("measuring what it uses when idle")
	const tries = 5
	var last map[string]float64
	for range tries {
		busy, err := cores(b.ctx, b.target.parts, idleSample)
		if err != nil {
			return nil, err
		}
		if last != nil && sum(busy) >= sum(last)-quietCores/2 {
			break
		}
		last = busy
	}
	return last, nil
}

// cores is how many processors each part keeps busy during a time.
func cores(ctx context.Context, parts []process, during time.Duration) (map[string]float64, error) {
	before, began := processorTime(parts), time.Now()
	if err := pause(ctx, during); err != nil {
		return nil, err
	}
	busy := map[string]float64{}
	for name, used := range processorTime(parts) {
		busy[name] = (used - before[name]).Seconds() / time.Since(began).Seconds()
	}
	return busy, nil
}

func sum(values map[string]float64) float64 {
	var total float64
	for _, value := range values {
		total += value
	}
	return total
}

// pause waits for a time.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
