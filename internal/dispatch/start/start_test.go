package start_test

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.uber.org/goleak"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
)

func TestMain(m *testing.M) {
	// gorm's cache of prepared statements keeps a goroutine that nothing can end.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

// setup returns a Starter, and a store with what is to be started.
func setup(t *testing.T, db *gorm.DB, temporal *dispatchtest.Temporal) (*start.Starter, *store.Store) {
	t.Helper()
	starter := start.New(temporal, slog.New(slog.DiscardHandler))
	t.Cleanup(starter.Close)
	return starter, storetest.New(t, db, store.Config{})
}

func TestErrorsOfTemporalAreKept(t *testing.T) {
	t.Parallel()
	require.NoError(t, start.Unavailable(nil))
	err := start.Unavailable(dispatchtest.ErrAway)
	require.ErrorIs(t, err, start.ErrTemporalUnavailable)
	var away *serviceerror.Unavailable
	require.True(t, errors.As(err, &away))
}

// One that ended meanwhile does not keep the others waiting; a Temporal that is away does.
func TestReleaseOfWhatHasEnded(t *testing.T) {
	t.Parallel()
	fake := &dispatchtest.Temporal{SignalErr: map[string]error{"dlv_a": serviceerror.NewNotFound("none")}}
	starter := start.New(fake, slog.New(slog.DiscardHandler))
	defer starter.Close()
	signal := contract.ReleaseSignal{Receiver: 3}
	require.NoError(t, starter.Release(t.Context(), []string{"dlv_a", "dlv_b"}, signal))
	require.Contains(t, fake.Signals, dispatchtest.Signalled{ID: "dlv_b", Name: contract.SignalRelease, Argument: signal})
	fake.SignalErr["dlv_b"] = dispatchtest.ErrAway
	require.ErrorIs(t, starter.Release(t.Context(), []string{"dlv_a", "dlv_b"}, signal), start.ErrTemporalUnavailable)
}
