package devserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// driverName is the database/sql driver that Temporal's SQLite plugin uses.
	driverName = "sqlite"
	fileName   = "temporal.db"
	lockName   = "temporal.lock"
)

// store is where the server keeps everything: its state, and the lists of
// workflows that can be searched. In SQLite both are one database.
type store struct {
	main, visibility config.SQL
}

// lock keeps data to one server.
type lock interface{ release() error }

func newMemoryStore() *store {
	return sqliteStore(config.SQL{
		PluginName: sqliteplugin.PluginName,
		// The plugin shares one connection pool between all users of a name,
		// for as long as the process lives.
		DatabaseName:      "devserver-" + uuid.NewString(),
		ConnectAttributes: map[string]string{"mode": "memory", "cache": "shared"},
	})
}

func sqliteStore(database config.SQL) *store { return &store{main: database, visibility: database} }

// openFileStore finds temporal.db in dir, or makes it with Temporal's schema.
func openFileStore(ctx context.Context, dir string) (*store, error) {
	name, err := uriPath(filepath.Join(dir, fileName))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDataDir, err)
	}
	s := sqliteStore(config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: name,
		ConnectAttributes: map[string]string{
			"mode":         "rwc",
			"journal_mode": "wal",
			// Commits survive the end of the process. After a power failure
			// the last of them may be missing; the file stays consistent.
			"synchronous":  "normal",
			"busy_timeout": "10000",
		},
	})
	if err := s.setupSchema(ctx); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDataDir, filepath.Join(dir, fileName), err)
	}
	return s, nil
}

// setupSchema creates the tables of an empty database, and refuses one whose
// tables are not those of this version of the server, since Temporal has no
// migrations for SQLite. The fingerprint of the schema is kept in SQLite's
// user_version. Tables and fingerprint appear in one transaction: a process
// that is killed in between leaves an empty database.
func (s *store) setupSchema(ctx context.Context) (err error) {
	statements, err := schemaStatements()
	if err != nil {
		return err
	}
	want := fingerprint(statements)

	db, err := sql.Open(driverName, "file:"+s.main.DatabaseName+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()

	var have int32
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	switch have {
	case want:
		return nil
	case 0:
	default:
		return errors.New("the database was made for another version of the Temporal server: use a new directory")
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("create schema: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", want)); err != nil {
		return err
	}
	return tx.Commit()
}

// schemaStatements asks Temporal for its schema by letting it set up a
// database that only writes down what it is told.
func schemaStatements() ([]string, error) {
	var recorder statementRecorder
	if err := sqliteschema.SetupSchemaOnDB(&recorder); err != nil {
		return nil, fmt.Errorf("read temporal schema: %w", err)
	}
	return recorder.statements, nil
}

// statementRecorder is an AdminDB of which SetupSchemaOnDB uses only Exec.
type statementRecorder struct {
	sqlplugin.AdminDB
	statements []string
}

func (r *statementRecorder) Exec(statement string, _ ...any) error {
	r.statements = append(r.statements, statement)
	return nil
}

// fingerprint is a positive number, as user_version is 0 in a new database.
func fingerprint(statements []string) int32 {
	sum := crc32.ChecksumIEEE([]byte(strings.Join(statements, ";\n")))
	return int32(sum&0x7fffffff | 1)
}

// uriPath is path as it stands in a SQLite "file:" URI, where some characters
// have a meaning (https://www.sqlite.org/uri.html).
func uriPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a Windows drive
	}
	return (&url.URL{Path: path}).EscapedPath(), nil
}

// dirLock keeps a data directory to one server. It is a write lock on an empty
// SQLite file, which every platform has and which ends with the process.
type dirLock struct {
	db   *sql.DB
	conn *sql.Conn
}

// lockDataDir creates dir when needed and takes its lock.
func lockDataDir(ctx context.Context, dir string) (_ lock, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDataDir, err)
	}
	path := filepath.Join(dir, lockName)
	name, err := uriPath(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDataDir, err)
	}
	db, err := sql.Open(driverName, "file:"+name+"?_pragma=busy_timeout(0)")
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDataDir, path, err)
	}
	held := &dirLock{db: db}
	defer func() {
		if err != nil {
			_ = held.release()
		}
	}()
	if held.conn, err = db.Conn(ctx); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDataDir, path, err)
	}
	if _, err = held.conn.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		if isBusy(err) {
			return nil, fmt.Errorf("%w: another server uses %s", ErrDataDir, dir)
		}
		return nil, fmt.Errorf("%w: %s: %w", ErrDataDir, path, err)
	}
	return held, nil
}

// isBusy reports whether another connection holds the lock.
func isBusy(err error) bool {
	var sqliteErr *sqlite.Error
	// The low byte is the primary code of an extended one.
	return errors.As(err, &sqliteErr) && sqliteErr.Code()&0xff == sqlite3.SQLITE_BUSY
}

func (l *dirLock) release() error {
	var err error
	if l.conn != nil {
		err = l.conn.Close()
	}
	return errors.Join(err, l.db.Close())
}
