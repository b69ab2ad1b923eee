// Package devserver runs a complete Temporal server and its Web UI inside the
// calling process, so that postrider-dev needs nothing to be installed.
//
// All four Temporal services share one process, talk to each other over
// loopback ports and keep their state in one SQLite file, in WAL mode, or in
// PostgreSQL. On either, a process that is killed loses nothing that the server
// had acknowledged, and the next Start on the same data goes on where it
// stopped, pending timers included.
//
// The package is meant for development, demonstrations and tests. Everything
// listens on 127.0.0.1 only, and there is no authentication.
package devserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/temporal"
)

const (
	// DefaultNamespace is the namespace that Start creates when Config names none.
	DefaultNamespace = "default"
	// DefaultHistoryShards is in how many parts a new PostgreSQL database's
	// workflows are divided when Config says nothing.
	DefaultHistoryShards = 4
	// DefaultRetention is how long closed workflows stay visible when Config says nothing.
	DefaultRetention = 7 * 24 * time.Hour
	// NoUI as Config.UIPort leaves the Web UI out.
	NoUI = -1
)

var (
	// ErrPortInUse says that another process listens on a port that was asked for.
	ErrPortInUse = errors.New("already in use")
	// ErrDataDir says that the data directory cannot be created, written or
	// locked, or holds a database that this version cannot read.
	ErrDataDir = errors.New("cannot use the data directory")
	// ErrDatabase says that PostgreSQL does not answer, refuses, or that
	// another server uses the database.
	ErrDatabase = errors.New("cannot use Temporal's database")
)

// Config describes an embedded server. Its zero value runs in memory, on free
// ports, with the Web UI.
type Config struct {
	// DataDir is the directory of temporal.db. It is created when missing.
	// Empty keeps everything in memory.
	DataDir string
	// DatabaseURL keeps everything in PostgreSQL instead, in two databases: the
	// one that the postgres:// URL names, and the same with "_visibility" behind
	// its name for the lists of workflows. What is missing is created, and an
	// older schema brought up to date. DataDir is not used then.
	DatabaseURL string
	// HistoryShards is in how many parts a new PostgreSQL database's workflows
	// are divided; each part writes one after the other. A database keeps the
	// number that it was made with. Zero is DefaultHistoryShards.
	HistoryShards int
	// Port is the gRPC port on 127.0.0.1; 0 takes any free one.
	Port int
	// UIPort is the Web UI's port on 127.0.0.1; 0 takes any free one, NoUI none.
	UIPort int
	// Namespace is created when missing. Empty is DefaultNamespace.
	Namespace string
	// Retention is how long closed workflows are kept. Zero is
	// DefaultRetention. A data directory made with another value is changed.
	Retention time.Duration
	// SearchAttributes are registered in the namespace by name, whether it is
	// created now or exists already. They can be used as soon as Start returns.
	SearchAttributes map[string]enumspb.IndexedValueType
	// DynamicConfig overrides Temporal's dynamic configuration by key, for
	// example "frontend.WorkflowTimeSkippingEnabled": true.
	DynamicConfig map[string]any
	// Logger receives what the server and the Web UI log; nil discards it.
	Logger *slog.Logger
	// LogLevel is the lowest level that reaches Logger, nil means
	// slog.LevelWarn: below that, the server writes several lines per second.
	LogLevel slog.Leveler
}

// Server is a running Temporal server with its Web UI.
type Server struct {
	address  string
	temporal temporal.Server
	ui       *webUI // nil without UI
	log      *serverLog
	lock     lock // nil in memory

	stopOnce sync.Once
	stopErr  error
}

// Start runs a server and returns once it answers for the namespace: workflows
// can be started, and found by the configured search attributes. A port that
// is taken is an ErrPortInUse, an unusable data directory an ErrDataDir and an
// unusable database an ErrDatabase; all are found before anything runs. ctx
// bounds only the start; end the server with Stop.
func Start(ctx context.Context, cfg Config) (_ *Server, err error) {
	cfg = cfg.withDefaults()
	s := &Server{log: newServerLog(cfg.Logger, cfg.LogLevel)}
	defer func() {
		if err != nil {
			// The reason of the failed start matters, not what its clean-up says.
			_ = s.Stop()
		}
	}()

	if err := probePort(ctx, cfg.Port); err != nil {
		return nil, portError("port", cfg.Port, "--temporal-port", err)
	}
	if cfg.UIPort != NoUI {
		listener, err := listen(ctx, cfg.UIPort)
		if err != nil {
			return nil, portError("UI port", cfg.UIPort, "--temporal-ui-port", err)
		}
		s.ui = newWebUI(listener, cfg.Logger)
	}

	store, err := s.openStore(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := prepareNamespace(ctx, store, cfg); err != nil {
		return nil, err
	}

	if err := s.startTemporal(ctx, cfg, store); err != nil {
		return nil, err
	}
	if err := s.waitReady(ctx, cfg.Namespace); err != nil {
		return nil, err
	}
	if s.ui != nil {
		if err := s.ui.serve(s.address, cfg.Namespace); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.Namespace == "" {
		c.Namespace = DefaultNamespace
	}
	if c.Retention == 0 {
		c.Retention = DefaultRetention
	}
	if c.HistoryShards == 0 {
		c.HistoryShards = DefaultHistoryShards
	}
	if c.DatabaseURL == "" {
		c.HistoryShards = sqliteHistoryShards
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.LogLevel == nil {
		c.LogLevel = slog.LevelWarn
	}
	return c
}

// openStore finds or makes the data and takes their lock.
func (s *Server) openStore(ctx context.Context, cfg Config) (store *store, err error) {
	switch {
	case cfg.DatabaseURL != "":
		store, s.lock, err = openPostgresStore(ctx, cfg.DatabaseURL)
		return store, err
	case cfg.DataDir != "":
		if s.lock, err = lockDataDir(ctx, cfg.DataDir); err != nil {
			return nil, err
		}
		return openFileStore(ctx, cfg.DataDir)
	default:
		return newMemoryStore(), nil
	}
}

// Address is the host and port of the gRPC frontend, as Temporal clients take it.
func (s *Server) Address() string { return s.address }

// UIURL is the address of the Web UI without a trailing slash, or "" when there is none.
func (s *Server) UIURL() string {
	if s.ui == nil {
		return ""
	}
	return "http://" + s.ui.address()
}

// Failed delivers the error that made the running server unusable, at most
// one. A stand-alone Temporal would exit its process there; the embedded one
// leaves that to its owner.
func (s *Server) Failed() <-chan error { return s.log.failed }

// Stop ends the Web UI and the server and waits for both. Further calls return
// the result of the first.
func (s *Server) Stop() error {
	s.stopOnce.Do(func() {
		s.log.stopping.Store(true)
		var errs []error
		if s.ui != nil {
			errs = append(errs, s.ui.stop())
		}
		if s.temporal != nil {
			errs = append(errs, s.temporal.Stop())
		}
		if s.lock != nil {
			errs = append(errs, s.lock.release())
		}
		if err := errors.Join(errs...); err != nil {
			s.stopErr = fmt.Errorf("stop temporal: %w", err)
		}
	})
	return s.stopErr
}

// startTemporal builds the server and starts its services. The ports of the
// internal services are only known to be free a moment before the server
// opens them, so a collision is answered with other ports.
func (s *Server) startTemporal(ctx context.Context, cfg Config, store *store) error {
	const attempts = 3
	for attempt := 1; ; attempt++ {
		ports, err := takePorts(ctx, cfg.Port)
		if err != nil {
			return portError("port", cfg.Port, "--temporal-port", err)
		}
		s.address = hostPort(ports.frontend)
		server, err := buildServer(serverOptions(cfg, store, ports, s.log), s.log)
		if isAddrInUse(err) && attempt < attempts {
			continue
		}
		if err != nil {
			return fmt.Errorf("build temporal: %w", err)
		}
		s.temporal = server
		break
	}
	if err := s.temporal.Start(); err != nil {
		select {
		case cause := <-s.log.failed:
			err = cause
		default:
		}
		return fmt.Errorf("start temporal: %w", err)
	}
	return nil
}

// buildServer calls temporal.NewServer, which opens the listeners of all
// services and, through its logger, ends the process when one cannot be
// opened. serverLog turns that into a panic, and this into an error.
func buildServer(opts []temporal.ServerOption, log *serverLog) (server temporal.Server, err error) {
	log.building.Store(true)
	defer log.building.Store(false)
	defer func() {
		if r := recover(); r != nil {
			fatal, ok := r.(*fatalError)
			if !ok {
				panic(r)
			}
			server, err = nil, fatal
		}
	}()
	return temporal.NewServer(opts...)
}
