package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/models"
)

// Every call of the store says that the database is away, whatever state its connection was in.
func TestDatabaseThatDies(t *testing.T) {
	t.Parallel()
	cluster := testdb.NewCluster(t)
	s := storetest.New(t, storetest.Database(t, cluster.URL()), store.Config{})
	for name, end := range map[string]func() error{"killed": cluster.Kill, "stopped": cluster.Stop} {
		require.NoError(t, cluster.Start())
		// Calls that meet a connection of the pool fail in another way than those that have to connect.
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { _, _ = s.Owner(t.Context(), models.DefaultOwnerID) })
		}
		all.Wait()
		require.NoError(t, s.Ping(t.Context()))

		require.NoError(t, end())
		calls := 0
		for range 2 {
			for method, err := range callEverything(t, s) {
				require.Error(t, err, "%s: %s", name, method)
				require.True(t, store.IsUnavailable(err), "%s: %s: %T %v", name, method, err, err)
				require.NotErrorIs(t, err, models.ErrNotFound, "%s: %s", name, method)
				calls++
			}
		}
		require.Greater(t, calls, 50)
	}
	require.NoError(t, cluster.Start())
	require.Eventually(t, func() bool { return s.Ping(t.Context()) == nil }, 10*time.Second, 20*time.Millisecond, "it comes back")
}

// callEverything calls each method of the store that takes a context, so that none is forgotten, with zero
// arguments. A context is what tells that the database is asked.
func callEverything(t *testing.T, store *store.Store) map[string]error {
	t.Helper()
	errs := map[string]error{}
	value := reflect.ValueOf(store)
	contextType := reflect.TypeFor[context.Context]()
	due := time.Now().Add(time.Hour)
	scheduled := models.Delivery{Status: models.StatusPending, NextAttemptAt: &due}
	for i := range value.NumMethod() {
		method := value.Method(i)
		signature := method.Type()
		if signature.NumIn() == 0 || signature.In(0) != contextType {
			continue
		}
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for n := 1; n < signature.NumIn(); n++ {
			argument := reflect.Zero(signature.In(n))
			switch argument.Kind() {
			case reflect.Pointer:
				argument = reflect.New(signature.In(n).Elem())
			case reflect.Slice:
				argument = reflect.MakeSlice(signature.In(n), 1, 1) // without any there is nothing to ask
			}
			if deliveries, ok := argument.Interface().([]models.Delivery); ok {
				deliveries[0] = scheduled // of others there may be nothing to ask
			}
			args = append(args, argument)
		}
		results := method.Call(args)
		err, _ := results[len(results)-1].Interface().(error)
		errs[value.Type().Method(i).Name] = err
	}
	return errs
}

func TestIsUnavailable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("x"), false},
		{models.ErrNotFound, false},
		{context.Canceled, false},
		{context.DeadlineExceeded, true},
		{io.ErrUnexpectedEOF, true},
		{&pgconn.PgError{Code: "57P01"}, true},  // the server is shutting down
		{&pgconn.PgError{Code: "53300"}, true},  // too many connections
		{&pgconn.PgError{Code: "08006"}, true},  // connection failure
		{&pgconn.PgError{Code: "25006"}, true},  // a standby
		{&pgconn.PgError{Code: "23505"}, false}, // unique violation
		{&pgconn.PgError{Code: "42P01"}, false}, // no such table
		{fmt.Errorf("load: %w", &pgconn.PgError{Code: "57P03"}), true},
	} {
		require.Equal(t, test.want, store.IsUnavailable(test.err), "%v", test.err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "mysql://x", "postrider.db", "postgres://user:hunter2@[bad"} {
		_, err := store.Open(url, 1)
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

// A standby answers, and yet no event can be stored in it.
func TestPingFindsAReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	url := storetest.PostgresURL(t)
	s := storetest.New(t, storetest.Open(t, url), store.Config{})
	require.NoError(t, s.Ping(t.Context()))
	db := storetest.Open(t, url)
	require.NoError(t, db.Exec("DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || ' SET default_transaction_read_only = on'; END $$").Error)
	require.ErrorIs(t, openReadOnly(t, url).Ping(t.Context()), store.ErrReadOnly)
}

func openReadOnly(t *testing.T, url string) *store.Store {
	t.Helper()
	db, err := store.Open(url, 1)
	require.NoError(t, err)
	store := store.New(db, store.Config{})
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}
