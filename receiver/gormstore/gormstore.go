// Package gormstore keeps the events of package receiver in an SQL database, so
// that several processes share them and a restart forgets none.
//
//	if err := gormstore.Migrate(db); err != nil { ... }
//	store, err := gormstore.New(db)
//	...
//	hooks, err := receiver.New(receiver.Options{Provider: receiver.Stripe, Secrets: secrets, Store: store})
//
// It runs on PostgreSQL and on SQLite 3.24 or newer, with any driver of gorm for
// them. On SQLite, set a busy_timeout, so that a writer waits for its turn. On
// PostgreSQL, the isolation level must be the default, read committed.
package gormstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/receiver"
)

// ErrUnsupported says that the database is neither PostgreSQL nor SQLite.
var ErrUnsupported = errors.New("unsupported database")

const (
	// maxTries bounds how often Claim tries again when an event was released just
	// as it looked who has it.
	maxTries = 3
	// Every purgeEvery-th completed event takes the time to delete up to
	// purgeLimit expired ones: more than come in, and no timer is needed.
	purgeEvery = 100
	purgeLimit = 500
)

// Store implements [receiver.Store]. It is safe for concurrent use. Events that
// have expired are deleted along the way; [Store.Purge] deletes them at once.
type Store struct {
	db        *gorm.DB
	purge     string
	completed atomic.Uint64
}

var _ receiver.Store = (*Store)(nil)

// New returns a store on a database that [Migrate] has prepared. The error is
// [ErrUnsupported].
func New(db *gorm.DB) (*Store, error) {
	d, err := dialectOf(db)
	if err != nil {
		return nil, fmt.Errorf("gormstore: new: %w", err)
	}
	return &Store{db: db, purge: d.purge}, nil
}

// A row is an event that is claimed or done. It counts until it expires, and an
// expired one can be claimed as if it were not there, in the same statement that
// makes a new one: the database lets one of several such statements win.
const (
	claimStatement = `
INSERT INTO postrider_receiver_events (endpoint, event_id, body_hash, token, done, expires_at)
VALUES (?, ?, ?, ?, FALSE, ?)
ON CONFLICT (endpoint, event_id, body_hash) DO UPDATE
SET token = excluded.token, done = FALSE, expires_at = excluded.expires_at
WHERE postrider_receiver_events.expires_at <= ?`

	lookStatement = `
SELECT done, expires_at FROM postrider_receiver_events WHERE endpoint = ? AND event_id = ? AND body_hash = ?`

	// The row without a hash, if there is one, comes first.
	othersStatement = `
SELECT body_hash, done, expires_at FROM postrider_receiver_events
WHERE endpoint = ? AND event_id = ? AND body_hash <> ? AND expires_at > ? ORDER BY body_hash LIMIT 1`

	completeStatement = `
INSERT INTO postrider_receiver_events (endpoint, event_id, body_hash, token, done, expires_at)
VALUES (?, ?, ?, ?, TRUE, ?)
ON CONFLICT (endpoint, event_id, body_hash) DO UPDATE
SET token = excluded.token, done = TRUE, expires_at = excluded.expires_at`

	releaseStatement = `
DELETE FROM postrider_receiver_events
WHERE endpoint = ? AND event_id = ? AND body_hash = ? AND token = ? AND NOT done`
)

// Claim implements [receiver.Store].
func (s *Store) Claim(ctx context.Context, claim receiver.Claim) (receiver.State, error) {
	db, now := s.db.WithContext(ctx), claim.Now.UnixMilli()
	for range maxTries {
		result := db.Exec(claimStatement, claim.Endpoint, claim.EventID, claim.BodyHash, claim.Token, claim.Until.UnixMilli(), now)
		if result.Error != nil {
			return receiver.State{}, fmt.Errorf("gormstore: claim: %w", result.Error)
		}
		if result.RowsAffected == 1 {
			return s.claimed(ctx, claim)
		}
		var found []row
		if err := db.Raw(lookStatement, claim.Endpoint, claim.EventID, claim.BodyHash).Scan(&found).Error; err != nil {
			return receiver.State{}, fmt.Errorf("gormstore: claim: %w", err)
		}
		if len(found) == 0 {
			continue
		}
		return found[0].state(), nil
	}
	// Others claim and release it time and again.
	return receiver.State{Status: receiver.StatusInProgress, Until: claim.Now}, nil
}

// claimed looks for other events with the ID of one that is claimed by now, so that
// of two claims at once the later sees the other.
func (s *Store) claimed(ctx context.Context, claim receiver.Claim) (receiver.State, error) {
	var others []row
	err := s.db.WithContext(ctx).
		Raw(othersStatement, claim.Endpoint, claim.EventID, claim.BodyHash, claim.Now.UnixMilli()).Scan(&others).Error
	if err == nil && (len(others) == 0 || others[0].BodyHash != "") {
		return receiver.State{Status: receiver.StatusClaimed, Until: claim.Until, Conflict: len(others) > 0}, nil
	}
	// It is not known what the ID stands for, or that was recorded without a hash and counts for
	// every body.
	if err := errors.Join(err, s.Release(ctx, claim)); err != nil {
		return receiver.State{}, fmt.Errorf("gormstore: claim: %w", err)
	}
	return others[0].state(), nil
}

// row is what is known of an event.
type row struct {
	BodyHash  string
	Done      bool
	ExpiresAt int64
}

func (r row) state() receiver.State {
	state := receiver.State{Status: receiver.StatusInProgress, Until: time.UnixMilli(r.ExpiresAt)}
	if r.Done {
		state.Status = receiver.StatusDone
	}
	return state
}

// Complete implements [receiver.Store].
func (s *Store) Complete(ctx context.Context, claim receiver.Claim, until time.Time) error {
	err := s.db.WithContext(ctx).
		Exec(completeStatement, claim.Endpoint, claim.EventID, claim.BodyHash, claim.Token, until.UnixMilli()).Error
	if err != nil {
		return fmt.Errorf("gormstore: complete: %w", err)
	}
	if s.completed.Add(1)%purgeEvery == 1 {
		if _, err := s.Purge(ctx, claim.Now, purgeLimit); err != nil {
			// The event is complete; the next purge makes up for this one.
			slog.WarnContext(ctx, "expired webhooks not deleted", "error", err)
		}
	}
	return nil
}

// Release implements [receiver.Store].
func (s *Store) Release(ctx context.Context, claim receiver.Claim) error {
	err := s.db.WithContext(ctx).
		Exec(releaseStatement, claim.Endpoint, claim.EventID, claim.BodyHash, claim.Token).Error
	if err != nil {
		return fmt.Errorf("gormstore: release: %w", err)
	}
	return nil
}

// Purge deletes at most limit events that have expired by now, and returns how
// many it deleted.
func (s *Store) Purge(ctx context.Context, now time.Time, limit int) (int64, error) {
	expired := now.UnixMilli()
	result := s.db.WithContext(ctx).Exec(s.purge, expired, limit, expired)
	if result.Error != nil {
		return 0, fmt.Errorf("gormstore: purge: %w", result.Error)
	}
	return result.RowsAffected, nil
}
