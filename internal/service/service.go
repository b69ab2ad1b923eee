// Package service holds what a call does, whoever makes it: checks, ownership, limits, defaults and the audit trail.
// It knows no HTTP: package api, the console and the command line call the same functions. One file holds each
// resource, with what that needs of the store.
package service

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/ratelimit"
	"github.com/postrider/postrider/internal/rules"
	"github.com/postrider/postrider/models"
)

// Store is what the service needs of the database.
type Store interface {
	webhookStore
	eventStore
	deliveryStore
	attemptStore
	statisticsStore
	overviewStore
	recoveryStore
	ownerStore
	ownerNameStore
	ownerPutStore
	keyStore
	sourceStore
	inboundStore
	receiveStore
	auditStore
	eventTypeStore
	quotaStore
	onceStore
	sessionStore
	changeStore
}

// Dispatcher puts events on their way and steers their deliveries.
type Dispatcher interface {
	webhookDispatcher
	eventDispatcher
	deliveryDispatcher
	recoveryDispatcher
	ownerDispatcher
	inboundDispatcher
	receiveDispatcher
}

// Config is what a service is made of.
type Config struct {
	Store      Store
	Dispatcher Dispatcher
	// Rules check filters and transformations; an engine of the service's own when nil.
	Rules *rules.Engine
	// Targets judges the URLs and mail addresses that are given.
	Targets Targets
	// AdminKey is an administrator's key that is not in the database; empty for none.
	AdminKey string
	// KeyUsed is called for each use of a key of the database, and must not wait; nil for nothing.
	KeyUsed func(id string)
	// Audited is called for each entry of the audit trail, for metrics; nil for nothing.
	Audited func(ctx context.Context, action string)
	// ValidateEvents refuses events whose data do not fit the catalogue's schema of their type.
	ValidateEvents bool
	// Quotas limit what owners have.
	Quotas Quotas
	// Now is the clock of rate limits, of signed timestamps and of times that are checked; time.Now when nil.
	Now    func() time.Time
	Logger *slog.Logger
}

// Service does what callers ask for.
type Service struct {
	store        Store
	dispatcher   Dispatcher
	rules        *rules.Engine
	targets      Targets
	adminKeyHash []byte
	keyUsed      func(id string)
	audited      func(ctx context.Context, action string)
	quotas       Quotas
	// schemas are nil unless events are validated.
	schemas *schemas
	// perOwner limits published events; nil for no limit. sums has a storedSum for each owner.
	perOwner *ratelimit.Limiter
	sums     sync.Map
	now      func() time.Time
	logger   *slog.Logger
}

// New returns a service.
func New(cfg Config) *Service {
	s := &Service{
		store: cfg.Store, dispatcher: cfg.Dispatcher, rules: cfg.Rules, targets: cfg.Targets, keyUsed: cfg.KeyUsed, audited: cfg.Audited,
		quotas: cfg.Quotas, now: cfg.Now, logger: cfg.Logger,
	}
	if s.rules == nil {
		s.rules = rules.New()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if cfg.ValidateEvents {
		s.schemas = newSchemas(s.store, s.now)
	}
	if cfg.AdminKey != "" {
		s.adminKeyHash = models.HashAPIKey(cfg.AdminKey)
	}
	if cfg.Quotas.EventsPerSecond > 0 {
		s.perOwner = ratelimit.New(cfg.Quotas.EventsPerSecond, 0, s.now)
	}
	return s
}
