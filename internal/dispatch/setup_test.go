package dispatch_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

func TestMain(m *testing.M) {
	// gorm's cache of prepared statements keeps a goroutine that nothing can end.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

// setup returns a Dispatcher on a real store.
func setup(t *testing.T, db *gorm.DB, temporal *dispatchtest.Temporal) (*dispatchtest.Dispatcher, *store.Store, *dispatchtest.Log) {
	t.Helper()
	store := storetest.New(t, db, store.Config{})
	log := &dispatchtest.Log{}
	return dispatchtest.New(store, temporal, log.Logger()), store, log
}

func statusOf(t *testing.T, store *store.Store, id string) models.Delivery {
	t.Helper()
	delivery, err := store.Delivery(t.Context(), models.Scope{}, id)
	require.NoError(t, err)
	return delivery
}
