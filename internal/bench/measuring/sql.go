package measuring

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postrider/postrider/internal/bench/load"
	"github.com/postrider/postrider/internal/bench/report"
)

// flushTime is how long PostgreSQL's idle connections may delay their counts of transactions.
const flushTime = 10500 * time.Millisecond

// SQLCounter reads how many transactions and statements Postrider's own database has seen.
type SQLCounter struct {
	conn     *pgx.Conn
	database string
	// statements says that pg_stat_statements is available.
	statements bool
}

// SQLCounts are sums since the server started. BEGIN, COMMIT and ROLLBACK are not among the statements.
type SQLCounts struct{ transactions, statements int64 }

const countTransactions = `SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1`

const countStatements = `SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements
JOIN pg_database ON pg_database.oid = dbid
WHERE datname = $1 AND query !~* '^\s*(begin|start transaction|commit|rollback|savepoint|release)'`

// NewSQLCounter connects to the server of a postgres:// database, if possible to its database "postgres", so that its own
// queries do not count as Postrider's.
func NewSQLCounter(ctx context.Context, databaseURL string) (*SQLCounter, error) {
	parsed, err := url.Parse(databaseURL)
	if err != nil || !strings.HasPrefix(parsed.Scheme, "postgres") {
		// The value may hold a password, and so may the parser's error.
		return nil, fmt.Errorf("the database's URL is not postgres://user:password@host:5432/database")
	}
	c := &SQLCounter{database: strings.TrimPrefix(parsed.Path, "/")}
	other := *parsed
	other.Path = "/postgres"
	if c.conn, err = pgx.Connect(ctx, other.String()); err != nil {
		if c.conn, err = pgx.Connect(ctx, databaseURL); err != nil {
			return nil, fmt.Errorf("connect to Postrider's database: %w", err)
		}
	}
	var n int64
	c.statements = c.conn.QueryRow(ctx, countStatements, c.database).Scan(&n) == nil
	return c, nil
}

func (c *SQLCounter) Read(ctx context.Context) (SQLCounts, error) {
	var counts SQLCounts
	if err := c.conn.QueryRow(ctx, countTransactions, c.database).Scan(&counts.transactions); err != nil {
		return counts, fmt.Errorf("count transactions: %w", err)
	}
	if !c.statements {
		return counts, nil
	}
	if err := c.conn.QueryRow(ctx, countStatements, c.database).Scan(&counts.statements); err != nil {
		return counts, fmt.Errorf("count statements: %w", err)
	}
	return counts, nil
}

// Flushed waits until the counts of transactions are complete.
func (c *SQLCounter) Flushed(ctx context.Context) error { return load.Pause(ctx, flushTime) }

// Each is what one of some deliveries cost since before.
func (c *SQLCounter) Each(ctx context.Context, before SQLCounts, deliveries int) (*report.SQL, error) {
	if err := c.Flushed(ctx); err != nil {
		return nil, err
	}
	counts, err := c.Read(ctx)
	if err != nil || deliveries == 0 {
		return nil, err
	}
	sql := &report.SQL{Transactions: float64(counts.transactions-before.transactions) / float64(deliveries)}
	if c.statements {
		statements := float64(counts.statements-before.statements) / float64(deliveries)
		sql.Statements = &statements
	}
	return sql, nil
}

// Close ends the connection.
func (c *SQLCounter) Close(ctx context.Context) error { return c.conn.Close(ctx) }
