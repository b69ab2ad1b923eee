package testdb_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/testdb"
)

func TestTemplateIsFilledOnceAndCopied(t *testing.T) {
	t.Parallel()
	name := templateName(t)
	var fills atomic.Int32
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			err := testdb.PostgresTemplate(name, func(url string) error {
				fills.Add(1)
				return fill(url)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, fills.Load())

	first, second := connect(t, testdb.PostgresFrom(t, name)), connect(t, testdb.PostgresFrom(t, name))
	execute(t, first, "INSERT INTO parcel VALUES (2)")
	require.Equal(t, 2, count(t, first, "SELECT count(*) FROM parcel"))
	require.Equal(t, 1, count(t, second, "SELECT count(*) FROM parcel"))
}

func TestTemplateThatCouldNotBeFilledIsMadeAnew(t *testing.T) {
	t.Parallel()
	name := templateName(t)
	broken := errors.New("broken")
	require.ErrorIs(t, testdb.PostgresTemplate(name, func(url string) error { return errors.Join(fill(url), broken) }), broken)
	require.NoError(t, testdb.PostgresTemplate(name, fill))
	require.Equal(t, 1, count(t, connect(t, testdb.PostgresFrom(t, name)), "SELECT count(*) FROM parcel"))
}

// templateName is a name that only this test uses. The template goes when the test ends.
func templateName(t *testing.T) string {
	t.Helper()
	server := testdb.Postgres(t)
	name := "postrider_template_test_" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		conn, err := pgx.Connect(ctx, server)
		require.NoError(t, err)
		_, err = conn.Exec(ctx, "DROP DATABASE "+name)
		require.NoError(t, errors.Join(err, conn.Close(ctx)))
	})
	return name
}

func fill(url string) error {
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(context.Background(), "CREATE TABLE parcel (id int PRIMARY KEY); INSERT INTO parcel VALUES (1)")
	return errors.Join(err, conn.Close(context.Background()))
}
