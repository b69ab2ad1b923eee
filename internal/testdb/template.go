package testdb

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// PostgresTemplate makes sure that the server has the database name, which PostgresFrom copies. The first process that
// asks for it on a server makes it: fill gets the URL of an empty database. Others wait and find it made. A name stands
// for one content: the template is left on the server and never filled again.
func PostgresTemplate(name string, fill func(url string) error) error {
	server, err := serverURL()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	// Closing the connection gives the lock back.
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtext($1))", name); err != nil {
		return fmt.Errorf("lock template %s: %w", name, err)
	}
	var made bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&made); err != nil {
		return fmt.Errorf("find template %s: %w", name, err)
	}
	if made {
		return nil
	}
	if err := makeTemplate(ctx, conn, server, name, fill); err != nil {
		return fmt.Errorf("make template %s: %w", name, err)
	}
	return nil
}

// makeTemplate gives the database its name at the end, so that what has the name is complete.
func makeTemplate(ctx context.Context, conn *pgx.Conn, server, name string, fill func(url string) error) error {
	unfinished := name + "_unfinished"
	url, err := withDatabase(server, unfinished)
	if err != nil {
		return err
	}
	begin := []string{
		"DROP DATABASE IF EXISTS " + unfinished + " WITH (FORCE)", // of a process that was killed
		"CREATE DATABASE " + unfinished + " TEMPLATE template0",
	}
	finish := []string{
		// A database to which somebody is connected cannot be copied.
		"ALTER DATABASE " + unfinished + " WITH ALLOW_CONNECTIONS false",
		"ALTER DATABASE " + unfinished + " RENAME TO " + name,
	}
	if err := run(ctx, conn, begin); err != nil {
		return err
	}
	if err := fill(url); err != nil {
		return err
	}
	return run(ctx, conn, finish)
}

func run(ctx context.Context, conn *pgx.Conn, statements []string) error {
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// PostgresFrom is Postgres for a database that begins as a copy of a template.
func PostgresFrom(t testing.TB, template string) string {
	t.Helper()
	server, err := serverURL()
	require.NoError(t, err, "find a PostgreSQL server for the test")

	name := "postrider_test_" + strings.ToLower(rand.Text())
	database, err := withDatabase(server, name)
	require.NoError(t, err)
	require.NoError(t, execute(server, "CREATE DATABASE "+name+" TEMPLATE "+template), "create the test's database")
	t.Cleanup(func() {
		require.NoError(t, execute(server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"), "drop the test's database")
	})
	return database
}
