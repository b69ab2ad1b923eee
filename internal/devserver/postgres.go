package devserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/tools/common/schema"
	temporalsql "go.temporal.io/server/tools/sql"
)

const (
	// visibilitySuffix makes the second database's name from the first one's.
	visibilitySuffix = "_visibility"
	// maintenanceDatabase is where one connects to create the others.
	maintenanceDatabase = "postgres"
	// maxIdentifier is how many bytes PostgreSQL keeps of a name.
	maxIdentifier = 63
	// maxConnections bounds each of the server's pools: every one of its four
	// services has one for each database.
	maxConnections = 20
	// lockKey is the advisory lock that keeps a database to one server.
	lockKey = 0x706f7374726964
	// lockPatience is how long a server waits for one that has just been
	// killed to be noticed by PostgreSQL.
	lockPatience = 5 * time.Second
	// releaseTimeout bounds the end of the lock's connection.
	releaseTimeout = 5 * time.Second
)

// SQLSTATE codes of PostgreSQL.
const (
	codeDuplicateDatabase = "42P04"
	codeUniqueViolation   = "23505" // of two that create a database at once
	codeInvalidCatalog    = "3D000" // no such database
	codeLockNotAvailable  = "55P03"
)

// openPostgresStore finds Temporal's two databases or makes them, brings their
// schemas up to date and locks them for this server.
func openPostgresStore(ctx context.Context, databaseURL string) (_ *store, _ lock, err error) {
	main, err := parsePostgresURL(databaseURL)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrDatabase, err)
	}
	name := strings.TrimPrefix(main.Path, "/")
	visibility := *main
	visibility.Path = "/" + name + visibilitySuffix
	for _, database := range []*url.URL{main, &visibility} {
		if err := createDatabase(ctx, *database); err != nil {
			return nil, nil, fmt.Errorf("%w: %s: %w", ErrDatabase, strings.TrimPrefix(database.Path, "/"), err)
		}
	}
	held, err := lockDatabase(ctx, main.String())
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrDatabase, name, err)
	}
	defer func() {
		if err != nil {
			_ = held.release()
		}
	}()
	s := &store{main: postgresConfig(main), visibility: postgresConfig(&visibility)}
	for folder, database := range map[string]*config.SQL{
		"postgresql/v12/temporal": &s.main, "postgresql/v12/visibility": &s.visibility,
	} {
		if err := updateSchema(database, folder); err != nil {
			return nil, nil, fmt.Errorf("%w: schema of %s: %w", ErrDatabase, database.DatabaseName, err)
		}
	}
	return s, held, nil
}

// parsePostgresURL checks what Temporal needs of the URL. Its errors do not
// repeat it: it may hold a password.
func parsePostgresURL(databaseURL string) (*url.URL, error) {
	parsed, err := url.Parse(databaseURL)
	if err != nil || (parsed.Scheme != "postgres" && parsed.Scheme != "postgresql") {
		return nil, errors.New("its URL must be postgres://user:password@host:5432/database")
	}
	name := strings.TrimPrefix(parsed.Path, "/")
	switch {
	case name == "" || strings.ContainsAny(name, `"/%?#\`):
		return nil, errors.New("its URL must end with the name of a database, such as …:5432/temporal")
	case len(name)+len(visibilitySuffix) > maxIdentifier:
		return nil, fmt.Errorf("the name of the database may have %d bytes, so that there is room for %s",
			maxIdentifier-len(visibilitySuffix), visibilitySuffix)
	}
	return parsed, nil
}

// postgresConfig is the URL in the parts from which Temporal builds one again.
func postgresConfig(database *url.URL) config.SQL {
	attributes := map[string]string{"sslmode": "prefer"}
	for name, values := range database.Query() {
		attributes[name] = values[0]
	}
	password, _ := database.User.Password()
	return config.SQL{
		PluginName:        postgresql.PluginNamePGX,
		User:              url.User(database.User.Username()).String(), // it is not escaped there
		Password:          password,
		ConnectAddr:       database.Host,
		DatabaseName:      strings.TrimPrefix(database.Path, "/"),
		ConnectAttributes: attributes,
		MaxConns:          maxConnections,
		MaxIdleConns:      maxConnections,
	}
}

// createDatabase creates a database that does not exist.
func createDatabase(ctx context.Context, database url.URL) error {
	conn, err := connect(ctx, database.String())
	if err == nil {
		return conn.Close(ctx)
	}
	if codeOf(err) != codeInvalidCatalog {
		return err
	}
	name := pgx.Identifier{strings.TrimPrefix(database.Path, "/")}.Sanitize()
	database.Path = "/" + maintenanceDatabase
	if conn, err = connect(ctx, database.String()); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name)
	if code := codeOf(err); code == codeDuplicateDatabase || code == codeUniqueViolation {
		err = nil
	}
	return errors.Join(err, conn.Close(ctx))
}

// updateSchema applies what is missing of the versions of Temporal's schema.
// Each is recorded when it is complete, and one that a killed process left half
// done is applied again, which leaves alone what is there.
func updateSchema(database *config.SQL, folder string) error {
	logger := log.NewNoopLogger()
	conn, err := temporalsql.NewConnection(database, logger)
	if err != nil {
		return err
	}
	defer conn.Close()
	const none = "0.0"
	if err := schema.NewSetupSchemaTask(conn, &schema.SetupConfig{InitialVersion: none}, logger).Run(); err != nil {
		return err
	}
	return schema.NewUpdateSchemaTask(conn, &schema.UpdateConfig{SchemaName: folder}, logger).Run()
}

// databaseLock is an advisory lock. It ends with its connection.
type databaseLock struct{ conn *pgx.Conn }

// lockDatabase keeps a database to one server: each of two would take all
// workflows for its own.
func lockDatabase(ctx context.Context, databaseURL string) (lock, error) {
	conn, err := connect(ctx, databaseURL)
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, fmt.Sprintf("SET lock_timeout = %d", lockPatience.Milliseconds()))
	if err == nil {
		_, err = conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(lockKey))
	}
	if codeOf(err) == codeLockNotAvailable {
		err = errors.New("another server uses it")
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return &databaseLock{conn: conn}, nil
}

func (l *databaseLock) release() error {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	// The connection may have broken off long ago, with PostgreSQL itself.
	_ = l.conn.Close(ctx)
	return nil
}

// connect hides the URL, which holds a password, from the driver's errors, and
// makes one line of those that say that nobody answers.
func connect(ctx context.Context, databaseURL string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, databaseURL)
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return nil, errors.New("its postgres:// URL cannot be parsed")
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return nil, network
	}
	return conn, err
}

// codeOf is an error's SQLSTATE code; empty when PostgreSQL did not answer.
func codeOf(err error) string {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return answer.Code
	}
	return ""
}
