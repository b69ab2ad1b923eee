package gormstore

import (
	"fmt"

	"gorm.io/gorm"
)

// Times are Unix milliseconds, which every driver reads as it wrote them.
const (
	// CREATE TABLE IF NOT EXISTS fails when two processes start at once.
	postgresLock = `SELECT pg_advisory_xact_lock(hashtext('postrider_receiver_events'))`

	postgresTable = `
CREATE TABLE IF NOT EXISTS postrider_receiver_events (
	endpoint   text COLLATE "C" NOT NULL,
	event_id   text COLLATE "C" NOT NULL,
	token      text    NOT NULL,
	done       boolean NOT NULL,
	expires_at bigint  NOT NULL,
	PRIMARY KEY (endpoint, event_id)
)`

	sqliteTable = `
CREATE TABLE IF NOT EXISTS postrider_receiver_events (
	endpoint   text    NOT NULL,
	event_id   text    NOT NULL,
	token      text    NOT NULL,
	done       boolean NOT NULL,
	expires_at integer NOT NULL,
	PRIMARY KEY (endpoint, event_id)
) WITHOUT ROWID`

	expiryIndex = `
CREATE INDEX IF NOT EXISTS postrider_receiver_events_expiry ON postrider_receiver_events (expires_at)`

	// The rows are locked before they go, so that one that is claimed meanwhile
	// stays, and processes that purge at once do not wait for each other.
	postgresPurge = `
DELETE FROM postrider_receiver_events WHERE (endpoint, event_id) IN (
	SELECT endpoint, event_id FROM postrider_receiver_events WHERE expires_at <= ?
	ORDER BY expires_at LIMIT ? FOR UPDATE SKIP LOCKED
) AND expires_at <= ?`

	sqlitePurge = `
DELETE FROM postrider_receiver_events WHERE (endpoint, event_id) IN (
	SELECT endpoint, event_id FROM postrider_receiver_events WHERE expires_at <= ?
	ORDER BY expires_at LIMIT ?
) AND expires_at <= ?`
)

// dialect is what differs between the databases.
type dialect struct {
	migrate []string
	purge   string
}

func dialectOf(db *gorm.DB) (dialect, error) {
	switch name := db.Name(); name {
	case "postgres":
		return dialect{migrate: []string{postgresLock, postgresTable, expiryIndex}, purge: postgresPurge}, nil
	case "sqlite":
		return dialect{migrate: []string{sqliteTable, expiryIndex}, purge: sqlitePurge}, nil
	default:
		return dialect{}, fmt.Errorf("%w: %s", ErrUnsupported, name)
	}
}

// Migrate makes the table postrider_receiver_events and its index unless they are
// there. It changes nothing else, and several processes may call it at once. The
// error can be [ErrUnsupported].
func Migrate(db *gorm.DB) error {
	d, err := dialectOf(db)
	if err == nil {
		err = db.Transaction(func(tx *gorm.DB) error {
			for _, statement := range d.migrate {
				if err := tx.Exec(statement).Error; err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("gormstore: migrate: %w", err)
	}
	return nil
}
