package measuring

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/testdb"
)

func TestSQLCounter(t *testing.T) {
	t.Parallel()
	url := testdb.Postgres(t)
	counter, err := NewSQLCounter(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, counter.Close(context.WithoutCancel(t.Context()))) })
	before, err := counter.Read(t.Context())
	require.NoError(t, err)

	const transactions = 10
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	for range transactions {
		_, err := conn.Exec(t.Context(), "SELECT 1")
		require.NoError(t, err)
	}
	require.NoError(t, conn.Close(t.Context())) // which makes its counts complete

	require.Eventually(t, func() bool {
		after, err := counter.Read(t.Context())
		require.NoError(t, err)
		return after.transactions-before.transactions >= transactions
	}, time.Minute, 50*time.Millisecond)
}

func TestSQLCounterHidesPasswords(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"mysql://u:hunter2@db/x", "postgres://u:hunter2@127.0.0.1:1/x", "postgres://u:hunter2@%zz"} {
		_, err := NewSQLCounter(t.Context(), url)
		require.Error(t, err)
		require.False(t, strings.Contains(err.Error(), "hunter2"), url)
	}
}
