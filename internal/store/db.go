package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
	sqlite3 "modernc.org/sqlite"
	sqlite3codes "modernc.org/sqlite/lib"
)

// maxSQLiteConnections bounds the connections to a SQLite file: it has one writer at a time anyway.
const maxSQLiteConnections = 4

// Open connects to `postgres://…` or to `sqlite://<file>`. maxConnections bounds the PostgreSQL pool.
func Open(databaseURL string, maxConnections int) (*gorm.DB, error) {
	scheme, rest, _ := strings.Cut(databaseURL, "://")
	var dialector gorm.Dialector
	switch scheme {
	case "postgres", "postgresql":
		dialector = postgres.New(postgres.Config{DSN: databaseURL})
	case "sqlite":
		dialector = sqlite.Dialector{DriverName: "sqlite", DSN: sqliteDSN(rest)}
		maxConnections = maxSQLiteConnections
	default:
		return nil, errors.New("the database URL must begin with postgres:// or sqlite://")
	}
	db, err := gorm.Open(dialector, &gorm.Config{
		SkipDefaultTransaction: true,
		// Not on SQLite: there a transaction that holds the write lock can wait for a statement that is being prepared,
		// which waits for a connection, all of which wait for the lock.
		PrepareStmt: scheme != "sqlite",
		// Columns are named: PostgreSQL refuses a prepared SELECT * once a migration has added a column.
		QueryFields:    true,
		NamingStrategy: naming{},
		Logger:         gormLogger{},
	})
	if err != nil {
		return nil, fmt.Errorf("open database: %w", withoutURL(err))
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(maxConnections)
	pool.SetMaxIdleConns(maxConnections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// naming names tables and columns as gorm does, but for the tables that are not called after their entities.
type naming struct{ schema.NamingStrategy }

// TableName returns the table of an entity.
func (n naming) TableName(entity string) string {
	switch entity {
	case "APIKey":
		return "api_keys"
	case "AuditEntry":
		return "audit"
	case "Rejection":
		return "source_rejections"
	case "WebhookHealth":
		return "webhook_health"
	}
	return n.NamingStrategy.TableName(entity)
}

// sqliteDSN asks for what makes SQLite safe and civil: every commit is on disk before it is acknowledged,
// readers do not wait for the writer, and a writer waits for its turn instead of failing. A transaction
// takes the write lock when it begins, so that it cannot fail half way for want of it.
func sqliteDSN(file string) string {
	options := url.Values{
		"_pragma":      {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"},
		"_txlock":      {"immediate"},
		"_time_format": {"sqlite"},
	}
	return "file:" + literal.Replace(file) + "?" + options.Encode()
}

// literal keeps SQLite from taking characters of a path for parts of a URI.
var literal = strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23")

// withoutURL hides connection strings, which hold passwords, from errors of the driver.
func withoutURL(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return errors.New("the postgres:// URL cannot be parsed")
	}
	return err
}

func isUniqueViolation(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	var lite *sqlite3.Error
	return errors.As(err, &lite) &&
		(lite.Code() == sqlite3codes.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3codes.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// unlessDeadlocked does something again that PostgreSQL has undone because two transactions waited for each other: a batch
// locks idempotency keys and queues of ordered webhooks in turns, when it takes several statements, and an attempt its
// delivery, then the webhook that it disables, which a change of the webhook does the other way round.
func unlessDeadlocked(do func() error) (err error) {
	const tries = 3
	for range tries {
		var pg *pgconn.PgError
		if err = do(); !errors.As(err, &pg) || pg.Code != "40P01" {
			return err
		}
	}
	return err
}

// forUpdate locks the rows that a transaction reads. SQLite's transactions hold the only write lock anyway.
func forUpdate(tx *gorm.DB) *gorm.DB {
	if tx.Name() == "postgres" {
		return tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	}
	return tx
}

// columns lists an entity's columns, for statements that gorm does not build: `d.id AS d_id, …`.
func columns(db *gorm.DB, alias string, entity any) string {
	statement := &gorm.Statement{DB: db}
	if err := statement.Parse(entity); err != nil {
		slog.Error("entity cannot be parsed", "entity", fmt.Sprintf("%T", entity), "error", err)
		return alias + ".*"
	}
	names := make([]string, len(statement.Schema.DBNames))
	for i, name := range statement.Schema.DBNames {
		names[i] = fmt.Sprintf("%s.%s AS %s_%s", alias, name, alias, name)
	}
	return strings.Join(names, ", ")
}

// IsUnavailable says that an error means that the database could not be reached or did not answer in time:
// trying again later may help.
func IsUnavailable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// Classes 08, 53 and 57: connection, resources, operator intervention; 25006: a standby.
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "53") ||
			strings.HasPrefix(pg.Code, "57") || pg.Code == "25006"
	}
	var lite *sqlite3.Error
	if errors.As(err, &lite) {
		code := lite.Code() & 0xff
		return code == sqlite3codes.SQLITE_BUSY || code == sqlite3codes.SQLITE_LOCKED || code == sqlite3codes.SQLITE_FULL
	}
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sql.ErrConnDone)
}
