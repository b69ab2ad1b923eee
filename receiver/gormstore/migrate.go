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
	body_hash  text COLLATE "C" NOT NULL DEFAULT '',
	token      text    NOT NULL,
	done       boolean NOT NULL,
	expires_at bigint  NOT NULL,
	PRIMARY KEY (endpoint, event_id, body_hash)
)`

	// Tables of before have no hashes: what they hold counts for every body.
	postgresHash = `
ALTER TABLE postrider_receiver_events
	ADD COLUMN body_hash text COLLATE "C" NOT NULL DEFAULT '',
	DROP CONSTRAINT postrider_receiver_events_pkey,
	ADD PRIMARY KEY (endpoint, event_id, body_hash)`

	postgresHasHash = `
SELECT count(*) FROM pg_attribute
WHERE attrelid = 'postrider_receiver_events'::regclass AND attname = 'body_hash' AND NOT attisdropped`

	sqliteTable = `
CREATE TABLE IF NOT EXISTS postrider_receiver_events (
	endpoint   text    NOT NULL,
	event_id   text    NOT NULL,
	body_hash  text    NOT NULL DEFAULT '',
	token      text    NOT NULL,
	done       boolean NOT NULL,
	expires_at integer NOT NULL,
	PRIMARY KEY (endpoint, event_id, body_hash)
) WITHOUT ROWID`

	sqliteHasHash = `
SELECT count(*) FROM pragma_table_info('postrider_receiver_events') WHERE name = 'body_hash'`

	// A write takes SQLite's lock: whoever waits for it sees what the other did.
	sqliteLock = `DELETE FROM postrider_receiver_events WHERE expires_at < 0`

	expiryIndex = `
CREATE INDEX IF NOT EXISTS postrider_receiver_events_expiry ON postrider_receiver_events (expires_at)`

	// The rows are locked before they go, so that one that is claimed meanwhile
	// stays, and processes that purge at once do not wait for each other.
	postgresPurge = `
DELETE FROM postrider_receiver_events WHERE (endpoint, event_id, body_hash) IN (
	SELECT endpoint, event_id, body_hash FROM postrider_receiver_events WHERE expires_at <= ?
	ORDER BY expires_at LIMIT ? FOR UPDATE SKIP LOCKED
) AND expires_at <= ?`

	sqlitePurge = `
DELETE FROM postrider_receiver_events WHERE (endpoint, event_id, body_hash) IN (
	SELECT endpoint, event_id, body_hash FROM postrider_receiver_events WHERE expires_at <= ?
	ORDER BY expires_at LIMIT ?
) AND expires_at <= ?`
)

// sqliteHash makes the table anew: SQLite cannot change a primary key.
var sqliteHash = []string{
	`ALTER TABLE postrider_receiver_events RENAME TO postrider_receiver_events_old`,
	`DROP INDEX IF EXISTS postrider_receiver_events_expiry`,
	sqliteTable,
	`
INSERT INTO postrider_receiver_events (endpoint, event_id, token, done, expires_at)
SELECT endpoint, event_id, token, done, expires_at FROM postrider_receiver_events_old`,
	`DROP TABLE postrider_receiver_events_old`,
}

// dialect is what differs between the databases.
type dialect struct {
	make []string // makes the table
	// lock is held by one process at a time that changes an existing table. It needs the table.
	lock    string
	hasHash string
	addHash []string
	purge   string
}

func dialectOf(db *gorm.DB) (dialect, error) {
	switch name := db.Name(); name {
	case "postgres":
		return dialect{
			make: []string{postgresLock, postgresTable}, lock: postgresLock,
			hasHash: postgresHasHash, addHash: []string{postgresHash}, purge: postgresPurge,
		}, nil
	case "sqlite":
		return dialect{
			make: []string{sqliteTable}, lock: sqliteLock,
			hasHash: sqliteHasHash, addHash: sqliteHash, purge: sqlitePurge,
		}, nil
	default:
		return dialect{}, fmt.Errorf("%w: %s", ErrUnsupported, name)
	}
}

// Migrate makes the table postrider_receiver_events and its index, and changes a
// table that an earlier version made. It changes nothing else, and several
// processes may call it at once. Processes of an earlier version cannot claim
// events from then on: senders are answered 503 and come again. The error can be
// [ErrUnsupported].
func Migrate(db *gorm.DB) error {
	d, err := dialectOf(db)
	if err == nil {
		err = d.migrate(db)
	}
	if err != nil {
		return fmt.Errorf("gormstore: migrate: %w", err)
	}
	return nil
}

// migrate makes the table and changes it in two transactions: on SQLite, one that
// has read cannot wait for the lock of another.
func (d dialect) migrate(db *gorm.DB) error {
	if err := db.Transaction(func(tx *gorm.DB) error { return execAll(tx, d.make) }); err != nil {
		return err
	}
	return db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec(d.lock).Error; err != nil {
			return err
		}
		var hashes int
		if err := tx.Raw(d.hasHash).Scan(&hashes).Error; err != nil {
			return err
		}
		if hashes == 0 {
			if err := execAll(tx, d.addHash); err != nil {
				return err
			}
		}
		return tx.Exec(expiryIndex).Error
	})
}

func execAll(tx *gorm.DB, statements []string) error {
	for _, statement := range statements {
		if err := tx.Exec(statement).Error; err != nil {
			return err
		}
	}
	return nil
}
