// Package migrations holds the database schema as versioned SQL, one folder per database, and applies it.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Files are the migrations, in a folder for each kind of database.
//
//go:embed postgres/*.sql sqlite/*.sql
var Files embed.FS

// Result is what Up did.
type Result struct {
	// Applied names the migrations that Up ran.
	Applied []string
	// Version is the schema's version now.
	Version int64
}

// Up brings the schema of a "postgres" or "sqlite" database to the newest version. On PostgreSQL a lock makes
// processes that start together migrate one after another.
func Up(ctx context.Context, db *sql.DB, dialect string) (Result, error) {
	provider, err := newProvider(db, dialect)
	if err != nil {
		return Result{}, err
	}
	applied, err := provider.Up(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("migrate: %w", err)
	}
	var result Result
	for _, migration := range applied {
		result.Applied = append(result.Applied, migration.Source.Path)
	}
	if result.Version, err = provider.GetDBVersion(ctx); err != nil {
		return Result{}, fmt.Errorf("migrate: %w", err)
	}
	return result, nil
}

// Pending says whether the schema is older than this program.
func Pending(ctx context.Context, db *sql.DB, dialect string) (bool, error) {
	provider, err := newProvider(db, dialect)
	if err != nil {
		return false, err
	}
	pending, err := provider.HasPending(ctx)
	if err != nil {
		return false, fmt.Errorf("read schema version: %w", err)
	}
	return pending, nil
}

func newProvider(db *sql.DB, dialect string) (*goose.Provider, error) {
	folder, err := fs.Sub(Files, dialect)
	if err != nil {
		return nil, err
	}
	if dialect != "postgres" {
		return goose.NewProvider(goose.DialectSQLite3, db, folder)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, folder, goose.WithSessionLocker(locker))
}
