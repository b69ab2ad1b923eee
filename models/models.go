// Package models holds what Postrider remembers: owners, API keys, webhooks, events, deliveries and their
// attempts. Each entity stands in one file beside the store methods that read and write it. The same code
// runs on PostgreSQL and on SQLite.
//
// Times are in UTC and kept to the microsecond, the finest that PostgreSQL keeps.
package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrNotFound says that there is no such row, or that the asking owner may not see it.
	ErrNotFound = errors.New("not found")
	// ErrIdempotencyConflict says that an idempotency key was used before with another event.
	ErrIdempotencyConflict = errors.New("idempotency key used before with another event")
	// ErrFinished says that a delivery has ended and cannot be cancelled any more.
	ErrFinished = errors.New("delivery has ended")
	// ErrKeyExpired says that an API key was valid once and has ended.
	ErrKeyExpired = errors.New("key has expired")
	// ErrOwnerSuspended says that an owner is suspended: it gets nothing, and its keys do nothing.
	ErrOwnerSuspended = errors.New("the owner is suspended")
	// ErrLastAdminKey says that no administrator could use the API any more without this key.
	ErrLastAdminKey = errors.New("last administrator's key")
)

// DefaultOwnerID owns what an administrator makes without naming an owner. The first migration makes it.
const DefaultOwnerID = "own_00000000000000000000000000"

// Scope limits a store call to what one owner may see. Its zero value sees everything.
type Scope struct{ OwnerID string }

// visible limits a query to what the scope sees.
func visible(scope Scope, q *gorm.DB) *gorm.DB {
	if scope.OwnerID == "" {
		return q
	}
	return q.Where("owner_id = ?", scope.OwnerID)
}

// Store reads and writes every entity. It is safe for concurrent use.
type Store struct {
	db      *gorm.DB
	keyring *Keyring
	now     func() time.Time
	health  HealthPolicy
	lease   time.Duration
	// mostDeliveries is Config.MostDeliveries, or more than there can be.
	mostDeliveries int
	// dispatchSQL is made once: it names every column of five tables.
	dispatchSQL string
	// publishing and recording join what comes at the same time; publishingWide takes events with many deliveries,
	// one by one. They are nil on SQLite, which has one writer anyway.
	publishing, publishingWide *batcher[Event, publishOutcome]
	recording                  *batcher[Outcome, bool]
}

// Config is what a Store needs beyond its database.
type Config struct {
	// Keyring encrypts webhook secrets at rest. Required by every call that reads or writes one.
	Keyring *Keyring
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Health says when webhooks count as failing; DefaultHealthPolicy when nil.
	Health *HealthPolicy
	// Lease is for how long what is published is left to the process that published it, before a sweep takes it
	// for forgotten; zero where workflows make the first attempts.
	Lease time.Duration
	// MostDeliveries is how many deliveries an event may have for Publish to return them: more are put on their way
	// by somebody else, and their webhooks' settings are not carried here. Any number when it is zero.
	MostDeliveries int
}

// NewStore wraps an open database whose schema is up to date.
func NewStore(db *gorm.DB, cfg Config) *Store {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	health := DefaultHealthPolicy()
	if cfg.Health != nil {
		health = *cfg.Health
	}
	s := &Store{db: db, keyring: cfg.Keyring, now: cfg.Now, health: health, lease: cfg.Lease, dispatchSQL: dispatchSQL(db)}
	if s.mostDeliveries = cfg.MostDeliveries; s.mostDeliveries == 0 {
		s.mostDeliveries = anyDeliveries
	}
	if db.Name() == "postgres" {
		s.publishing = &batcher[Event, publishOutcome]{run: s.publishBatch, size: func(e Event) int { return len(e.Data) }}
		s.publishingWide = &batcher[Event, publishOutcome]{run: s.publishWide, apart: func(e Event) string { return e.OwnerID }}
		s.recording = &batcher[Outcome, bool]{run: s.recordBatch}
	}
	return s
}

// Now is the store's clock, in UTC and to the microsecond.
func (s *Store) Now() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// ErrReadOnly says that the database takes no changes: it is a standby, for one.
var ErrReadOnly = errors.New("the database is read-only")

// Ping returns nil when the database answers and takes changes.
func (s *Store) Ping(ctx context.Context) error {
	statement := "SELECT current_setting('transaction_read_only')"
	if s.db.Name() == "sqlite" {
		statement = "SELECT 'off'"
	}
	var readOnly string
	if err := s.db.WithContext(ctx).Raw(statement).Scan(&readOnly).Error; err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	if readOnly == "on" {
		return ErrReadOnly
	}
	return nil
}

// Close closes the database.
func (s *Store) Close() error {
	sqlDB, err := s.db.DB()
	if err != nil {
		return err
	}
	return sqlDB.Close()
}

// oneRow turns "no row" into ErrNotFound.
func oneRow(err error) error {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return ErrNotFound
	}
	return err
}
