package gormstore_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite" // the driver that SQLite is opened with

	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/receiver/gormstore"
	"github.com/postrider/postrider/signature"
)

const (
	secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	body   = `{"id":"evt_1","type":"order.created"}`
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock stands still until it is moved.
type clock struct{ moved atomic.Int64 }

func (c *clock) now() time.Time          { return start.Add(time.Duration(c.moved.Load())) }
func (c *clock) advance(d time.Duration) { c.moved.Add(int64(d)) }

// connect opens a pool of its own, as another process would.
func connect(t testing.TB, url string) *gorm.DB {
	t.Helper()
	dialector := postgres.Open(url)
	if file, ok := strings.CutPrefix(url, "sqlite://"); ok {
		dialector = sqlite.Dialector{DriverName: "sqlite", DSN: "file:" + file + "?_pragma=busy_timeout(60000)&_pragma=journal_mode(WAL)"}
	}
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(5)
	pool.SetMaxIdleConns(5)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return db
}

// newStore returns a store on a migrated database with a pool of its own.
func newStore(t testing.TB, url string) *gormstore.Store {
	t.Helper()
	db := connect(t, url)
	require.NoError(t, gormstore.Migrate(db))
	store, err := gormstore.New(db)
	require.NoError(t, err)
	return store
}

// onEach runs a test of the promises of receiver.Store on every implementation.
func onEach(t *testing.T, test func(t *testing.T, store receiver.Store)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, receiver.NewMemoryStore(0))
	})
	testdb.Each(t, func(t *testing.T, url string) { test(t, newStore(t, url)) })
}

func newHandler(t testing.TB, store receiver.Store, now func() time.Time) *receiver.Handler {
	t.Helper()
	h, err := receiver.New(receiver.Options{
		Provider: receiver.Stripe, Secrets: []string{secret}, Tolerance: 30 * 24 * time.Hour,
		Store: store, Now: now, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return h
}

// signed returns the headers of the event, rightly signed.
func signed(t testing.TB) http.Header {
	t.Helper()
	header, err := signature.Sign(signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{secret}}, "", start, []byte(body))
	require.NoError(t, err)
	return header
}

// post sends the event.
func post(h http.Handler, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header = header
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// claim returns a claim of an event of endpoint "shop" for a minute.
func claim(eventID, token string, now time.Time) receiver.Claim {
	return receiver.Claim{Endpoint: "shop", EventID: eventID, Token: token, Now: now, Until: now.Add(time.Minute)}
}

func requireState(t testing.TB, store receiver.Store, c receiver.Claim, status receiver.Status, until time.Time) {
	t.Helper()
	state, err := store.Claim(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, status, state.Status)
	require.True(t, until.Equal(state.Until), "%s, not %s", state.Until, until)
}
