package bench

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// flushTime is how long PostgreSQL's idle connections keep their counts of transactions to themselves.
const flushTime = 10500 * time.Millisecond

// sqlCounter reads how many transactions and statements Postrider's own database has seen.
type sqlCounter struct {
	conn     *pgx.Conn
	database string
	// statements says that pg_stat_statements is there.
	statements bool
}

// sqlCounts are sums since the server started. BEGIN, COMMIT and ROLLBACK are not among the statements.
type sqlCounts struct{ transactions, statements int64 }

const countTransactions = `SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1`

const countStatements = `SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements
JOIN pg_database ON pg_database.oid = dbid
WHERE datname = $1 AND query !~* '^\s*(begin|start transaction|commit|rollback|savepoint|release)'`

// newSQLCounter connects to the server of a postgres:// database, to its database "postgres" where it can:
// what it asks does not count as Postrider's then.
func newSQLCounter(ctx context.Context, databaseURL string) (*sqlCounter, error) {
	parsed, err := url.Parse(databaseURL)
	if err != nil || !strings.HasPrefix(parsed.Scheme, "postgres") {
		// The value may hold a password, and so may the parser's error.
		return nil, fmt.Errorf("the database's URL is not postgres://user:password@host:5432/database")
	}
	c := &sqlCounter{database: strings.TrimPrefix(parsed.Path, "/")}
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

func (c *sqlCounter) read(ctx context.Context) (sqlCounts, error) {
	var counts sqlCounts
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

// flushed waits until the counts of transactions are complete.
func (c *sqlCounter) flushed(ctx context.Context) error { return pause(ctx, flushTime) }

// each is what one of some deliveries cost since before.
func (c *sqlCounter) each(ctx context.Context, before sqlCounts, deliveries int) (*SQL, error) {
	if err := c.flushed(ctx); err != nil {
		return nil, err
	}
	counts, err := c.read(ctx)
	if err != nil || deliveries == 0 {
		return nil, err
	}
	sql := &SQL{Transactions: float64(counts.transactions-before.transactions) / float64(deliveries)}
	if c.statements {
		statements := float64(counts.statements-before.statements) / float64(deliveries)
		sql.Statements = &statements
	}
	return sql, nil
}

func (c *sqlCounter) close(ctx context.Context) error { return c.conn.Close(ctx) }
