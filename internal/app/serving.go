package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/postrider/postrider/api"
	"github.com/postrider/postrider/console"
	"github.com/postrider/postrider/internal/service"
)

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

// takeAddress listens on the API's address. That is tried first, because everything else takes longer to find out.
func (p *process) takeAddress(ctx context.Context) (func() error, error) {
	var err error
	p.listener, err = listen(ctx, p.settings.Listen, "--listen")
	if err != nil {
		return nil, err
	}
	return cannotFail(func() { _ = p.listener.Close() }), nil // the server has closed it already, if it was started
}

func (p *process) makeMetrics(context.Context) (err error) {
	p.metrics, err = newMetrics()
	return err
}

// serveMetrics serves /metrics alone, on an address of its own where one is given. Its stop is among the last: a process
// is watched while it stops.
func (p *process) serveMetrics(ctx context.Context) (stop func() error, err error) {
	if p.settings.MetricsListen == "" {
		return stop, nil
	}
	if p.metricsListener, err = listen(ctx, p.settings.MetricsListen, "--metrics-listen"); err != nil {
		return nil, err
	}
	p.logger.Info("listening for metrics", "address", p.metricsListener.Addr().String())
	server := newServer(api.NewHealth(api.Config{Metrics: p.metrics.handler, Logger: p.logger}), p.logger)
	go p.serveOn(p.metricsListener, server)
	return server.Close, nil
}

// serve answers requests. Its stop ends the intake and waits for the requests under way.
func (p *process) serve(context.Context) (func() error, error) {
	server := newServer(p.handler(), p.logger)
	if p.console != nil {
		server.RegisterOnShutdown(p.console.Close)
	}
	p.logger.Info("listening", "address", p.listener.Addr().String())
	go p.serveOn(p.listener, server)
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		err := server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return server.Close()
		}
		return err
	}, nil
}

func (p *process) serveOn(listener net.Listener, server *http.Server) {
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		p.fail(fmt.Errorf("serve: %w", err))
	}
}

func (p *process) handler() http.Handler {
	cfg := api.Config{
		Version: Version, Checks: p.checks(), Logger: p.logger,
		WorkflowURL: p.settings.workflowURL(p.options.Namespace), PublicURL: p.settings.publicURL(),
	}
	if p.settings.MetricsListen == "" {
		cfg.Metrics = p.metrics.handler
	}
	if !p.role.api {
		return api.NewHealth(cfg)
	}
	p.service = service.New(service.Config{
		Store: p.deferred, Dispatcher: p.dispatcher, Rules: p.rules, Targets: NewTargets(p.egress), AdminKey: p.settings.AdminKey,
		KeyUsed: p.deferred.KeyUsed, Audited: p.metrics.audited, ValidateEvents: p.settings.ValidateEvents, Quotas: p.settings.quotas(), Logger: p.logger,
	})
	cfg.Service = p.service
	cfg.ShowEventTypes = p.settings.EventTypesPage
	cfg.MaxInboundBody = int64(p.settings.MaxInboundBody)
	cfg.RateLimit, cfg.RateBurst, cfg.TrustedProxies = p.settings.RateLimit, p.settings.RateBurst, prefixes(p.settings.TrustedProxies)
	return p.withConsole(api.New(cfg), cfg)
}

// withConsole adds the console's pages to the API.
func (p *process) withConsole(rest http.Handler, cfg api.Config) http.Handler {
	shown := console.Config{
		Service: p.service, API: rest, Keyring: p.keyring, PublicURL: cfg.PublicURL, Version: Version, WorkflowURL: cfg.WorkflowURL,
		ClientAddress: func(r *http.Request) string { return api.ClientAddress(r, cfg.TrustedProxies) }, Logger: p.logger,
		System: p.system(), Brand: p.settings.brand(), FrameAncestors: p.settings.PortalFrameAncestors,
	}
	if p.receiver != nil {
		shown.Receiver, shown.ReceiverURL = p.receiver, p.receiverURL
	}
	p.console = console.New(shown)
	mux := http.NewServeMux()
	mux.Handle("/", rest)
	mux.Handle(console.Base+"/", p.console)
	mux.Handle(console.PortalBase+"/", p.console)
	return mux
}
