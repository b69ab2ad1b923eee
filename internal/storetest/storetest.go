// Package storetest opens the store for tests: on each kind of database, with the newest schema and a keyring.
//
// The schema is made once: on PostgreSQL as a template database, which is left on the server for the next test process,
// on SQLite once per process. Each test gets a copy of its own.
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
)

// connections is how many connections to PostgreSQL a test has: enough for what it does at the same time.
const connections = 10

// Each runs the test once per kind of database, "postgres" and "sqlite", as parallel subtests. Each has an empty
// database of its own with the newest schema.
func Each(t *testing.T, test func(t *testing.T, db *gorm.DB)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { test(t, Open(t, url)) })
}

// EachURL is Each for tests that open the database themselves.
func EachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	kinds := []struct {
		name string
		url  func(testing.TB) string
	}{
		{"postgres", PostgresURL},
		{"sqlite", SQLiteURL},
	}
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			test(t, kind.url(t))
		})
	}
}

// EachKind is Each for tests that open several databases: each call of open makes one.
func EachKind(t *testing.T, test func(t *testing.T, open func(testing.TB) *gorm.DB)) {
	t.Helper()
	kinds := map[string]func(testing.TB) *gorm.DB{"postgres": Postgres, "sqlite": SQLite}
	for name, open := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

// EachStore is Each with a store of default settings.
func EachStore(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	Each(t, func(t *testing.T, db *gorm.DB) { test(t, New(t, db, store.Config{})) })
}

// Postgres opens an empty PostgreSQL database with the newest schema, for tests of what only PostgreSQL does.
func Postgres(t testing.TB) *gorm.DB {
	t.Helper()
	return Open(t, PostgresURL(t))
}

// SQLite opens an empty SQLite database with the newest schema, for tests to which the kind of database is all the same.
func SQLite(t testing.TB) *gorm.DB {
	t.Helper()
	return Open(t, SQLiteURL(t))
}

// Open opens a database. It is closed when the test ends.
func Open(t testing.TB, url string) *gorm.DB {
	t.Helper()
	db, err := store.Open(url, connections)
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return db
}

// Database opens a database and brings it to the newest schema, for URLs that are not this package's.
func Database(t testing.TB, url string) *gorm.DB {
	t.Helper()
	db := Open(t, url)
	pool, err := db.DB()
	require.NoError(t, err)
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

// Keyring returns a ring with one key for each number, the first of which seals: stores whose rings have the same numbers
// read what the others have sealed. Without numbers it is always the same ring.
func Keyring(t testing.TB, numbers ...byte) *keyring.Keyring {
	t.Helper()
	if len(numbers) == 0 {
		numbers = []byte{7}
	}
	var keys [][]byte
	for _, number := range numbers {
		keys = append(keys, bytes.Repeat([]byte{number}, keyring.KeyBytes))
	}
	ring, err := keyring.New(keys...)
	require.NoError(t, err)
	return ring
}
