// Package store keeps what Postrider speaks of (package models) in PostgreSQL or SQLite: every SQL statement is here,
// and the migrations. What is written and read of one entity stands in one file, and the same code runs on both
// databases.
//
// Times are in UTC and kept to the microsecond, the finest that PostgreSQL keeps.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/rules"
	"github.com/postrider/postrider/models"
)

// visible limits a query to what the scope sees.
func visible(scope models.Scope, q *gorm.DB) *gorm.DB {
	if scope.OwnerID == "" {
		return q
	}
	return q.Where("owner_id = ?", scope.OwnerID)
}

// Store reads and writes every entity. It is safe for concurrent use.
type Store struct {
	db      *gorm.DB
	keyring *keyring.Keyring
	now     func() time.Time
	health  models.HealthPolicy
	lease   time.Duration
	// mostDeliveries is Config.MostDeliveries, or more than there can be.
	mostDeliveries int
	// mostSearched is the constant, but in tests.
	mostSearched int
	// rules asks webhooks' filters.
	rules *rules.Engine
	// jobSQL is made once: it names every column of five tables.
	jobSQL string
	// publishing and recording join what comes at the same time; publishingWide takes events with many deliveries,
	// one by one. They are nil on SQLite, which has one writer anyway.
	publishing, publishingWide *batcher[models.Event, publishOutcome]
	recording                  *batcher[models.Outcome, bool]
}

// Config is what a Store needs beyond its database.
type Config struct {
	// Keyring encrypts webhook secrets at rest. Required by every call that reads or writes one.
	Keyring *keyring.Keyring
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Health says when webhooks count as failing; DefaultHealthPolicy when nil.
	Health *models.HealthPolicy
	// Rules asks webhooks' filters; an engine of the store's own when nil.
	Rules *rules.Engine
	// Lease is how long the sweep leaves deliveries to the process that published them, which makes their first attempts;
	// zero where workflows make them.
	Lease time.Duration
	// MostDeliveries is the largest number of deliveries of an event that Publish returns, with their webhooks' settings.
	// The FanOut workflow starts those of larger events. No limit when it is zero.
	MostDeliveries int
}

// New wraps an open database whose schema is up to date.
func New(db *gorm.DB, cfg Config) *Store {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rules == nil {
		cfg.Rules = rules.New()
	}
	health := models.DefaultHealthPolicy()
	if cfg.Health != nil {
		health = *cfg.Health
	}
	s := &Store{db: db, keyring: cfg.Keyring, now: cfg.Now, health: health, rules: cfg.Rules, lease: cfg.Lease, jobSQL: jobSQL(db), mostSearched: mostSearched}
	if s.mostDeliveries = cfg.MostDeliveries; s.mostDeliveries == 0 {
		s.mostDeliveries = anyDeliveries
	}
	if db.Name() == "postgres" {
		s.publishing = &batcher[models.Event, publishOutcome]{run: s.publishBatch, size: func(e models.Event) int { return len(e.Data) }}
		s.publishingWide = &batcher[models.Event, publishOutcome]{run: s.publishWide, apart: func(e models.Event) string { return e.OwnerID }}
		s.recording = &batcher[models.Outcome, bool]{run: s.recordBatch}
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
		return models.ErrNotFound
	}
	return err
}
