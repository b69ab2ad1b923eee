package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/api"
	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/first"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/notify"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/worker"
)

// stopTimeout bounds a stop: attempts under way may take their 30 seconds.
const stopTimeout = worker.StopTimeout

// Settings are all flags of a process that serves the API, works on deliveries, or both.
type Settings struct {
	Serving
	Limits
	Database
	Keys
	Sending
	Logging
}

// check reports every fault at once.
func (s Settings) check() error {
	var faults []error
	faults = append(faults, s.Serving.faults()...)
	faults = append(faults, s.Limits.faults()...)
	faults = append(faults, s.Database.faults()...)
	faults = append(faults, s.Keys.faults()...)
	faults = append(faults, s.Sending.faults()...)
	return errors.Join(faults...)
}

// role says which parts a process runs.
type role struct{ api, worker bool }

// process is the running whole.
type process struct {
	settings  Settings
	role      role
	logger    *slog.Logger
	store     *store.Store
	deferred  *store.DeferredWrites
	egress    *egress.Client
	temporal  client.Client
	namespace string
	// identity is by what Temporal knows this process.
	identity   string
	starter    *start.Starter
	first      *first.Attempts
	dispatcher *dispatch.Dispatcher
	eager      *worker.EagerStarts
	worker     *worker.Worker
	metrics    *metrics
	server     *http.Server
	listener   net.Listener
	// metricsServer has /metrics alone, on metricsListener; both are nil where --listen has it.
	metricsServer   *http.Server
	metricsListener net.Listener
	// working says that the worker polls.
	working atomic.Bool
	// failed gets what ends the process from inside.
	failed chan error
}

// run serves until the context ends, then stops gracefully. ready, when given, is called once everything
// works.
func (s Settings) run(ctx context.Context, role role, temporal client.Options, logger *slog.Logger, ready func()) (err error) {
	p := &process{settings: s, role: role, logger: logger, namespace: temporal.Namespace, failed: make(chan error, 4)}
	if err := p.assemble(ctx, temporal); err != nil {
		return errors.Join(err, p.close())
	}
	stopDeferredWrites := p.startDeferredWrites()
	p.serve()
	connected := make(chan struct{})
	connecting, stopConnecting := context.WithCancel(ctx)
	go func() {
		defer close(connected)
		p.connect(connecting, ready)
	}()
	select {
	case <-ctx.Done():
		logger.Info("stopping: attempts under way are finished first")
	case err = <-p.failed:
		logger.Error("stopping", "error", err)
	}
	stopConnecting()
	<-connected
	err = errors.Join(err, p.stop())
	stopDeferredWrites() // after the last request
	return errors.Join(err, p.close())
}

// assemble makes every part; none of them runs yet, but the API's port is taken.
func (p *process) assemble(ctx context.Context, options client.Options) error {
	keyring, err := p.settings.keyring()
	if err != nil {
		return err
	}
	if p.listener, err = listen(ctx, p.settings.Listen, "--listen"); err != nil {
		return err
	}
	if p.store, err = p.settings.store(ctx, p.settings.storeConfig(p.role, keyring)); err != nil {
		return err
	}
	p.deferred = store.NewDeferredWrites(p.store, p.logger)
	if p.metrics, err = newMetrics(); err != nil {
		return err
	}
	options.Logger = temporalLogger(p.logger)
	options.Identity = identity()
	p.identity = options.Identity
	options.MetricsHandler = p.metrics.temporal
	p.eager = &worker.EagerStarts{}
	options.Interceptors = append(options.Interceptors, p.eager)
	// Histories hold no payloads: to compress some hundred bytes costs both sides more than it saves the network.
	options.ConnectionOptions.GrpcCompression = &client.GrpcCompressionNone{}
	if p.temporal, err = client.NewLazyClient(options); err != nil {
		return fmt.Errorf("temporal connection: %w", err)
	}
	if p.egress, err = p.settings.egressClient(); err != nil {
		return err
	}
	if err := p.assembleWork(); err != nil {
		return err
	}
	p.server = newServer(p.handler(), p.logger)
	if p.settings.MetricsListen == "" {
		return nil
	}
	if p.metricsListener, err = listen(ctx, p.settings.MetricsListen, "--metrics-listen"); err != nil {
		return err
	}
	p.metricsServer = newServer(api.NewHealth(api.Config{Metrics: p.metrics.handler, Logger: p.logger}), p.logger)
	return nil
}

// maxHeaderBytes bounds a request's head, with the URL: who sends more gets 431.
const maxHeaderBytes = 32 << 10

// newServer returns a server that waits for nobody for ever. How long a body and an answer may take, the API decides
// for each request; these are the ends for what it does not know of.
func newServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          filtered(logger, slog.LevelDebug),
	}
}

// assembleWork makes what starts workflows, makes attempts and works on what was started, each from what was made
// before it.
func (p *process) assembleWork() error {
	p.starter = start.New(p.temporal, p.logger)
	maker := p.attempts()
	cfg := dispatch.Config{Store: p.store, Starter: p.starter, Temporal: p.temporal, Logger: p.logger}
	if p.role.worker {
		cfg.Expect = maker.Expect
	}
	if p.role.api && p.settings.directly() {
		p.first = first.New(maker, p.store, p.starter, p.logger)
		cfg.FirstAttempts = p.first
	}
	p.dispatcher = dispatch.New(cfg)
	if !p.role.worker {
		return nil
	}
	implementation, err := p.activities(maker)
	if err != nil {
		return err
	}
	p.worker = worker.New(p.temporal, p.eager, implementation, func(err error) {
		p.failed <- fmt.Errorf("worker: %w", err)
	})
	return nil
}

func (p *process) activities(maker *attempt.Maker) (*activities.Activities, error) {
	s := p.settings
	link := s.workflowURL(p.namespace)
	implementation := &activities.Activities{
		Store:            p.store,
		Starter:          p.starter,
		Canceller:        p.dispatcher,
		Slack:            notify.NewSlack(p.egress),
		Attempts:         maker,
		DisableAfter:     s.DisableAfter,
		Retention:        s.Retention,
		InboundRetention: s.InboundRetention,
		Links:            activities.Links{API: s.publicURL(), Workflow: func(id string) string { return link(id, "") }},
		Now:              time.Now,
	}
	if s.SMTPURL == "" {
		return implementation, nil
	}
	var err error
	implementation.Email, err = notify.NewEmail(notify.EmailConfig{URL: s.SMTPURL, From: s.SMTPFrom})
	return implementation, err
}

func (p *process) attempts() *attempt.Maker {
	return &attempt.Maker{
		Store:       p.store,
		Sender:      p.egress,
		Starter:     p.starter,
		Lanes:       attempt.NewLanes(p.settings.WebhookConcurrency),
		Schedule:    p.settings.RetrySchedule,
		RetryJitter: p.settings.RetryJitter,
		UserAgent:   "Postrider/" + Version,
		Attempted:   p.metrics.attempted,
		Now:         time.Now,
		Logger:      p.logger,
	}
}

func (p *process) handler() http.Handler {
	cfg := api.Config{
		Version: Version, Checks: p.checks(), Logger: p.logger,
		WorkflowURL: p.settings.workflowURL(p.namespace), PublicURL: p.settings.publicURL(),
	}
	if p.settings.MetricsListen == "" {
		cfg.Metrics = p.metrics.handler
	}
	if !p.role.api {
		return api.NewHealth(cfg)
	}
	cfg.Service = service.New(service.Config{
		Store: p.deferred, Dispatcher: p.dispatcher, Targets: NewTargets(p.egress), AdminKey: p.settings.AdminKey,
		KeyUsed: p.deferred.KeyUsed, Audited: p.metrics.audited, Quotas: p.settings.quotas(), Logger: p.logger,
	})
	cfg.MaxInboundBody = int64(p.settings.MaxInboundBody)
	cfg.RateLimit, cfg.RateBurst, cfg.TrustedProxies = p.settings.RateLimit, p.settings.RateBurst, p.settings.TrustedProxies
	return api.New(cfg)
}

// startDeferredWrites makes deferred writes until stop is called, which makes the last.
func (p *process) startDeferredWrites() (stopDeferredWrites func()) {
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.deferred.Run(ctx)
	}()
	return func() {
		end()
		<-ended
	}
}

func (p *process) serve() {
	p.logger.Info("listening", "address", p.listener.Addr().String())
	serve := func(server *http.Server, listener net.Listener) {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.failed <- fmt.Errorf("serve: %w", err)
		}
	}
	go serve(p.server, p.listener)
	if p.metricsServer != nil {
		p.logger.Info("listening for metrics", "address", p.metricsListener.Addr().String())
		go serve(p.metricsServer, p.metricsListener)
	}
}

// connect waits for Temporal as long as it takes, then starts the worker. Meanwhile events are accepted: the
// sweep starts their deliveries.
func (p *process) connect(ctx context.Context, ready func()) {
	if err := p.untilItWorks(ctx, "Temporal", func(ctx context.Context) error {
		if _, err := p.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
			return err
		}
		if !p.role.worker {
			return nil
		}
		return worker.Prepare(ctx, p.temporal, p.namespace, p.logger)
	}); err != nil {
		return
	}
	if p.role.worker {
		if err := p.worker.Start(); err != nil {
			p.failed <- fmt.Errorf("worker: %w", err)
			return
		}
		p.working.Store(true)
		if err := p.untilItWorks(ctx, "sweep", func(ctx context.Context) error {
			return worker.SweepNow(ctx, p.temporal)
		}); err != nil {
			return
		}
	}
	p.logger.Info("ready")
	if ready != nil {
		ready()
	}
}

// untilItWorks tries something until it succeeds or the process stops. It says the first failure only.
func (p *process) untilItWorks(ctx context.Context, what string, try func(context.Context) error) error {
	const tryTimeout, pause = 15 * time.Second, time.Second
	for failures := 0; ; failures++ {
		err := func() error {
			ctx, cancel := context.WithTimeout(ctx, tryTimeout)
			defer cancel()
			return try(ctx)
		}()
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if failures == 0 {
			p.logger.Warn("waiting for "+what, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// stop ends intake and lets what is under way finish: requests, starts of workflows, attempts.
func (p *process) stop() error {
	intakeEnded := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		err := p.server.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, p.server.Close())
		}
		if p.first != nil {
			p.first.Close()
		}
		p.starter.Close()
		intakeEnded <- err
	}()
	p.stopWorker()
	if err := <-intakeEnded; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop: %w", err)
	}
	p.logger.Info("stopped")
	return nil
}

// stopWorker waits for attempts under way, and for Temporal to let go of the worker; not for a Temporal that hangs.
func (p *process) stopWorker() {
	if !p.working.Load() {
		return
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		p.worker.Stop()
	}()
	select {
	case <-stopped:
	case <-time.After(stopTimeout):
		p.logger.Warn("stopping before Temporal knows: it does not answer")
	}
}

// close releases what assemble took.
func (p *process) close() error {
	var err error
	if p.temporal != nil {
		p.temporal.Close()
	}
	if p.egress != nil {
		p.egress.Close()
	}
	if p.store != nil {
		err = p.store.Close()
	}
	if p.metricsServer != nil {
		err = errors.Join(err, p.metricsServer.Close()) // the last to go: it is watched while the process stops
	}
	for _, listener := range []net.Listener{p.listener, p.metricsListener} {
		if listener != nil {
			_ = listener.Close() // closed already unless assembling failed
		}
	}
	return err
}
