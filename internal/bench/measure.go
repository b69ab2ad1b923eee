package bench

import (
	"context"
	"fmt"
	"os"
	"time"
)

// self is how this process is listed where it is measured itself.
const self = "bench"

// measurement is what the installation uses between two moments.
type measurement struct {
	target *target
	parts  []process
	sql    sqlCounts
	used   map[string]time.Duration
	memory func() map[string]int64
}

// parts are the installation's processes and this one.
func (b *bench) parts() []process {
	return append([]process{{name: self, pid: os.Getpid(), alone: true}}, b.target.parts...)
}

// startCounting begins to count SQL, also that of the warm-up: its counts are complete only after a wait.
func (b *bench) startCounting(ctx context.Context, m *measurement) error {
	m.target, m.parts = b.target, b.parts()
	if b.target.sql == nil {
		return nil
	}
	var err error
	m.sql, err = b.target.sql.read(ctx)
	return err
}

// startUsing begins to count processor time and memory.
func (m *measurement) startUsing() {
	m.used = processorTime(m.parts)
	m.memory = watchMemory(m.parts)
}

// stopUsing fills in what each delivery cost.
func (m *measurement) stopUsing(result *Result, delivered int) {
	used := processorTime(m.parts)
	result.MemoryMB = map[string]float64{}
	for name, bytes := range m.memory() {
		result.MemoryMB[name] = float64(bytes) / (1 << 20)
	}
	if delivered == 0 {
		return
	}
	result.CPU.ByProcess = map[string]float64{}
	for name, time := range used {
		each := milliseconds(time-m.used[name]) / float64(delivered)
		if name == self && !result.benchWorks {
			result.CPU.Bench = each
			continue
		}
		result.CPU.ByProcess[name] = each
		result.CPU.Total += each
	}
}

// stopCounting fills in the SQL of each delivery, those of the warm-up among them.
func (m *measurement) stopCounting(ctx context.Context, result *Result, deliveries int) error {
	if m.target.sql == nil || deliveries == 0 {
		return nil
	}
	if err := m.target.sql.flushed(ctx); err != nil {
		return err
	}
	counts, err := m.target.sql.read(ctx)
	if err != nil {
		return err
	}
	result.SQL = &SQL{Transactions: float64(counts.transactions-m.sql.transactions) / float64(deliveries)}
	if m.target.sql.statements {
		statements := float64(counts.statements-m.sql.statements) / float64(deliveries)
		result.SQL.Statements = &statements
	}
	return nil
}

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

// awaitQuiet waits until the installation has nothing left to do: Temporal goes on for a moment after the last
// delivery has arrived.
func (b *bench) awaitQuiet(ctx context.Context) error {
	deadline := time.Now().Add(quietPatience)
	for time.Now().Before(deadline) {
		busy, err := cores(ctx, b.target.parts, quietSample)
		if err != nil {
			return err
		}
		if sum(busy) <= sum(b.target.idle)+quietCores {
			return nil
		}
	}
	return nil // it is busy by itself
}

func sum(values map[string]float64) float64 {
	var total float64
	for _, value := range values {
		total += value
	}
	return total
}

// drain waits until everything has arrived, or nothing more does.
func drain(ctx context.Context, l *ledger, lateness time.Duration) error {
	if lateness == 0 {
		lateness = usualLateness
	}
	_, arrived, missing := l.progress()
	for last := time.Now(); missing > 0 && time.Since(last) < lateness; {
		if err := pause(ctx, pollInterval); err != nil {
			return fmt.Errorf("wait for deliveries: %w", err)
		}
		before := arrived
		if _, arrived, missing = l.progress(); arrived != before {
			last = time.Now()
		}
	}
	return nil
}
