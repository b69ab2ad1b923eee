package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"

	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/console"
	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/first"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/rules"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/worker"
)

// stopTimeout bounds a stop: attempts under way may take their time.
const stopTimeout = timing.WorkerStop

// role says what a process does.
type role struct{ api, worker bool }

// process is a process that serves the API, works on deliveries, or both. Each of its parts sets the fields that later
// parts use.
type process struct {
	settings Settings
	role     role
	logger   *slog.Logger
	// options say how to reach Temporal; identity is by what it knows this process.
	options  client.Options
	identity string
	// ready, unless nil, is called once everything works.
	ready func()

	listener        net.Listener
	metrics         *metrics
	rules           *rules.Engine
	metricsListener net.Listener // nil where --listen has /metrics
	store           *store.Store
	deferred        *store.DeferredWrites
	keyring         *keyring.Keyring
	service         *service.Service
	console         *console.Console // nil unless this process serves the API
	eager           *worker.EagerStarts
	temporal        client.Client
	egress          *egress.Client
	starter         *start.Starter
	maker           *attempt.Maker
	first           *first.Attempts // nil unless this process makes first attempts without workflows
	dispatcher      *dispatch.Dispatcher
	worker          *worker.Worker // nil unless this process works on deliveries

	// working says that the worker polls.
	working atomic.Bool

	// receiver is a receiver for trying things out, which receiverURL leads to; nil for none.
	receiver    *receiver
	receiverURL string

	// failed gets what ends the process from inside.
	failed chan error
}

func newProcess(role role, logger *slog.Logger) *process {
	return &process{role: role, logger: logger, rules: rules.New(), failed: make(chan error, 4)}
}

// fail ends the process.
func (p *process) fail(err error) { p.failed <- err }

// parts are what the process runs, in the order in which they start. They stop in reverse: requests, starts of workflows
// and attempts under way are finished first, and metrics are served until the end.
func (p *process) parts() []part {
	return []part{
		{"address", p.takeAddress},
		step("metrics", p.makeMetrics),
		{"metrics listener", p.serveMetrics},
		{"database", p.openStore},
		{"deferred writes", p.startDeferredWrites},
		{"Temporal client", p.connect},
		{"outbound requests", p.openEgress},
		together("deliveries", p.intake(), []part{inBackground("work", p.fail, p.work()...)}),
	}
}

// intake is what takes events.
func (p *process) intake() []part {
	return []part{
		{"starts of workflows", p.startStarter},
		step("attempts", p.makeMaker),
		{"first attempts", p.startFirstAttempts},
		step("dispatcher", p.makeDispatcher),
		step("worker", p.makeWorker),
		{"API", p.serve},
	}
}

// work is what needs Temporal, and waits for it as long as it takes. Meanwhile events are accepted: the sweep starts
// their deliveries.
func (p *process) work() []part {
	ready := step("readiness", p.sayReady)
	if !p.role.worker {
		return []part{step("Temporal", p.awaitTemporal), ready}
	}
	return []part{
		step("Temporal", p.awaitTemporal),
		step("schedules and search attributes", p.prepareTemporal),
		{"worker", p.startWorker},
		step("first sweep", p.sweepNow),
		{"sweep", p.keepSweep},
		ready,
	}
}

// run runs parts until the context ends or one of them fails, then stops them.
func (p *process) run(ctx context.Context, parts []part) error {
	stop, err := startAll(ctx, parts)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		p.logger.Info("stopping: attempts under way are finished first")
	case err = <-p.failed:
		p.logger.Error("stopping", "error", err)
	}
	if stopErr := stop(); stopErr != nil {
		return errors.Join(err, stopErr)
	}
	p.logger.Info("stopped")
	return err
}
