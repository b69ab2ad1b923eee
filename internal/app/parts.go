package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// part is one thing that a process runs. Start returns once the parts behind it may rely on it, with what stops it; that
// is nil for a part that has nothing to stop. A start that fails leaves nothing behind.
type part struct {
	name  string
	start func(ctx context.Context) (stop func() error, err error)
}

// step is a part that has nothing to stop.
func step(name string, do func(ctx context.Context) error) part {
	return part{name, func(ctx context.Context) (func() error, error) { return nil, do(ctx) }}
}

// cannotFail is a stop without an error.
func cannotFail(stop func()) func() error {
	return func() error {
		stop()
		return nil
	}
}

// startAll starts parts in order and returns what stops them in reverse. When one fails, those before it are stopped
// and its error is returned.
func startAll(ctx context.Context, parts []part) (stop func() error, err error) {
	var stops []func() error
	stop = func() error {
		var err error
		for _, stop := range slices.Backward(stops) {
			err = errors.Join(err, stop())
		}
		return err
	}
	for _, part := range parts {
		stopPart, err := part.start(ctx)
		if err != nil {
			return nil, errors.Join(err, stop())
		}
		if stopPart != nil {
			stops = append(stops, func() error {
				if err := stopPart(); err != nil {
					return fmt.Errorf("stop %s: %w", part.name, err)
				}
				return nil
			})
		}
	}
	return stop, nil
}

// together makes one part of several lists. They are started one after the other and stopped at the same time: each may
// need the whole time that a process has for its end.
func together(name string, lists ...[]part) part {
	return part{name, func(ctx context.Context) (func() error, error) {
		var stops []func() error
		stopAll := func() error {
			errs := make([]error, len(stops))
			var all sync.WaitGroup
			for i, stop := range stops {
				all.Go(func() { errs[i] = stop() })
			}
			all.Wait()
			return errors.Join(errs...)
		}
		for _, list := range lists {
			stop, err := startAll(ctx, list)
			if err != nil {
				return nil, errors.Join(err, stopAll())
			}
			stops = append(stops, stop)
		}
		return stopAll, nil
	}}
}

// inBackground makes one part of a list whose parts may have to wait for something outside of the process. It counts as
// started at once. When it is stopped, so are those of its parts that have been started. An error of a start, unless it
// comes of the stop, is given to failed.
func inBackground(name string, failed func(error), list ...part) part {
	return part{name, func(context.Context) (func() error, error) {
		ctx, cancel := context.WithCancel(context.Background())
		stop := func() error { return nil }
		started := make(chan struct{})
		go func() {
			defer close(started)
			stopList, err := startAll(ctx, list)
			switch {
			case err == nil:
				stop = stopList
			case ctx.Err() == nil:
				failed(err)
			}
		}()
		return func() error {
			cancel()
			<-started
			return stop()
		}, nil
	}}
}
