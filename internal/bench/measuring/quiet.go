package measuring

import (
	"context"
	"time"

	"github.com/postrider/postrider/internal/bench/load"
)

const (
	// idleSample is how long the idle installation is watched.
	idleSample = 3 * time.Second
	// quietSample and quietPatience are for the wait until it is idle again.
	quietSample   = 500 * time.Millisecond
	quietPatience = 20 * time.Second
	// quietCores is how many processors more than when idle it may use to count as idle.
	quietCores = 0.08
)

// AwaitQuiet waits until the parts use as little as when they were idle: Temporal works for a moment longer after the last
// delivery has arrived. It does not wait for an installation that stays busy.
func AwaitQuiet(ctx context.Context, parts []Process, idle map[string]float64) error {
	deadline := time.Now().Add(quietPatience)
	for len(parts) > 0 && time.Now().Before(deadline) {
		busy, err := cores(ctx, parts, quietSample)
		if err != nil {
			return err
		}
		if sum(busy) <= sum(idle)+quietCores {
			return nil
		}
	}
	return nil
}

// Idle waits until the parts have started up and measures how many processors each keeps busy then.
func Idle(ctx context.Context, parts []Process) (map[string]float64, error) {
	const tries = 5
	var last map[string]float64
	for range tries {
		busy, err := cores(ctx, parts, idleSample)
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
func cores(ctx context.Context, parts []Process, during time.Duration) (map[string]float64, error) {
	before, began := ProcessorTime(parts), time.Now()
	if err := load.Pause(ctx, during); err != nil {
		return nil, err
	}
	busy := map[string]float64{}
	for name, used := range ProcessorTime(parts) {
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
