// Package storetest opens the store for tests: on each kind of database, with the newest schema and a keyring.
package storetest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/store/migrations"
	"github.com/postrider/postrider/internal/testdb"
)

// Each runs the test once per kind of database, as parallel subtests, each on a database of its own.
func Each(t *testing.T, test func(t *testing.T, db *gorm.DB)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, url string) { test(t, Database(t, url)) })
}

// Database opens an empty database and brings it to the newest schema. It is closed when the test ends.
func Database(t testing.TB, url string) *gorm.DB {
	t.Helper()
	db, err := store.Open(url, 10)
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	dialect, _, _ := strings.Cut(url, "://")
	_, err = migrations.Up(t.Context(), pool, dialect)
	require.NoError(t, err)
	return db
}

// New returns a store on the database. Where cfg names no keyring, it gets the one of Keyring.
func New(t testing.TB, db *gorm.DB, cfg store.Config) *store.Store {
	t.Helper()
	if cfg.Keyring == nil {
		cfg.Keyring = Keyring(t)
	}
	return store.New(db, cfg)
}

// Keyring always returns a ring with the same key, so that stores can read what others have sealed.
func Keyring(t testing.TB) *keyring.Keyring {
	t.Helper()
	ring, err := keyring.New(bytes.Repeat([]byte{7}, keyring.KeyBytes))
	require.NoError(t, err)
	return ring
}
