package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/store/migrations"
)

// Database are the flags of what needs the database.
type Database struct {
	DatabaseURL            string `name:"database-url" env:"POSTRIDER_DATABASE_URL" secret:"" placeholder:"URL" help:"Database: postgres://… or sqlite://<file>.${database_default}"`
	DatabaseMaxConnections int    `env:"POSTRIDER_DATABASE_MAX_CONNECTIONS" default:"30" placeholder:"N" help:"Connections of this process to PostgreSQL at most. Default: ${default}."`
}

func (d Database) faults() []error {
	if d.DatabaseURL == "" {
		return []error{errors.New("--database-url ($POSTRIDER_DATABASE_URL) is missing, such as postgres://user:password@host:5432/postrider")}
	}
	if d.DatabaseMaxConnections < 2 {
		return []error{errors.New("--database-max-connections must be at least 2")}
	}
	return nil
}

// errOldSchema tells an operator what to do before the program can run.
var errOldSchema = errors.New("the database's schema is older than this program: run `postrider migrate` first")

func (d Database) open() (*gorm.DB, *sql.DB, error) {
	db, err := store.Open(d.DatabaseURL, d.DatabaseMaxConnections)
	if err != nil {
		return nil, nil, err
	}
	pool, err := db.DB()
	return db, pool, err
}

func (d Database) dialect() string {
	if strings.HasPrefix(d.DatabaseURL, "sqlite:") {
		return "sqlite"
	}
	return "postgres"
}

// store opens the database for use. It must have the schema of this program already.
func (d Database) store(ctx context.Context, cfg store.Config) (*store.Store, error) {
	db, pool, err := d.open()
	if err != nil {
		return nil, err
	}
	old, err := migrations.Pending(ctx, pool, d.dialect())
	if err == nil && old {
		err = errOldSchema
	}
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return store.New(db, cfg), nil
}

// migrate brings the schema up to date.
func (d Database) migrate(ctx context.Context, logger *slog.Logger) (err error) {
	_, pool, err := d.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	result, err := migrations.Up(ctx, pool, d.dialect())
	if err != nil {
		return err
	}
	logger.InfoContext(ctx, "database schema is up to date", "version", result.Version, "applied", result.Applied)
	return nil
}

// errNoKeyToSeal tells an operator what to do about what an older version stored.
var errNoKeyToSeal = errors.New("an older version has stored headers of webhooks or verify tokens of sources in clear: " +
	"give --encryption-key ($POSTRIDER_ENCRYPTION_KEY), the one that the other processes have, to seal them")

// seal seals what older versions stored in clear. An encryption key is needed only when there is any.
func (d Database) seal(ctx context.Context, encryption Encryption, logger *slog.Logger) error {
	var keyring *keyring.Keyring
	if len(encryption.EncryptionKey) > 0 {
		var err error
		if keyring, err = encryption.keyring(); err != nil {
			return err
		}
	}
	return d.withStore(ctx, keyring, func(s *store.Store) error {
		sealed, err := s.SealClear(ctx)
		if errors.Is(err, store.ErrNoKeyring) {
			return errNoKeyToSeal
		}
		if sealed > 0 {
			logger.InfoContext(ctx, "what was stored in clear is sealed", "rows", sealed)
		}
		return err
	})
}

// Migrate is the command that brings the database's schema up to date.
type Migrate struct {
	Database
	Encryption
	Logging
}

// Run migrates, and seals what older versions stored in clear.
func (m *Migrate) Run(ctx context.Context) error {
	faults := m.Database.faults()
	if len(m.EncryptionKey) > 0 {
		faults = append(faults, m.Encryption.faults()...)
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	if err := m.migrate(ctx, m.Logger()); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := m.seal(ctx, m.Encryption, m.Logger()); err != nil {
		return fmt.Errorf("the schema is up to date, but: %w", err)
	}
	return nil
}
