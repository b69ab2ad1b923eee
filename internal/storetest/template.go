package storetest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // registers the driver

	"github.com/postrider/postrider/internal/store/migrations"
	"github.com/postrider/postrider/internal/testdb"
)

// PostgresURL returns the postgres:// URL of an empty database with the newest schema. It goes when the test ends.
func PostgresURL(t testing.TB) string {
	t.Helper()
	template, err := postgresTemplate()
	require.NoError(t, err, "make the template of the test's database")
	return testdb.PostgresFrom(t, template)
}

// SQLiteURL returns the sqlite:// URL of an empty database with the newest schema. It goes when the test ends.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	content, err := sqliteTemplate()
	require.NoError(t, err, "make the template of the test's database")
	url := testdb.SQLite(t)
	require.NoError(t, os.WriteFile(strings.TrimPrefix(url, "sqlite://"), content, 0o600))
	return url
}

// postgresTemplate returns the name of a migrated database on the tests' server.
var postgresTemplate = sync.OnceValues(func() (string, error) {
	version, err := schemaHash("postgres")
	if err != nil {
		return "", err
	}
	name := "postrider_template_" + version
	return name, testdb.PostgresTemplate(name, func(url string) error { return migrate("postgres", "pgx", url) })
})

// sqliteTemplate returns the content of a migrated database file.
var sqliteTemplate = sync.OnceValues(func() (content []byte, err error) {
	folder, err := os.MkdirTemp("", "postrider-template-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	file := filepath.Join(folder, "postrider.db")
	if err := migrate("sqlite", "sqlite", "file:"+file); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

func migrate(dialect, driver, source string) error {
	db, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	_, err = migrations.Up(context.Background(), db, dialect)
	return errors.Join(err, db.Close())
}

// schemaHash tells one state of a folder of migrations from another.
func schemaHash(dialect string) (string, error) {
	hash := sha256.New()
	err := fs.WalkDir(migrations.Files, dialect, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(migrations.Files, path)
		_, _ = fmt.Fprintf(hash, "%s %d\n", path, len(content)) // a hash takes everything
		_, _ = hash.Write(content)
		return err
	})
	return hex.EncodeToString(hash.Sum(nil)[:8]), err
}
