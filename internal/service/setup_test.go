package service_test

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

func TestMain(m *testing.M) {
	// gorm's cache of prepared statements keeps a goroutine that nothing can end.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

// targets refuses one URL, for a reason that only administrators may see.
type targets struct{}

const refusedURL = "http://inside.example"

func (targets) CheckURL(url string) (stored, host string, err error) {
	if url == refusedURL {
		return "", "", &service.TargetError{Message: "is refused", Reason: "is refused: it is 10.1.2.3"}
	}
	return url, "example.com", nil
}

func (targets) CheckEmail(string) error { return errors.New("no mail") }

// rig is a service on a real store, with callers of two owners.
type rig struct {
	*service.Service
	store               *store.Store
	admin, mine, theirs service.Caller
}

func newRig(t *testing.T, db *gorm.DB, cfg service.Config) *rig {
	t.Helper()
	r := &rig{store: storetest.New(t, db, store.Config{})}
	quiet := slog.New(slog.DiscardHandler)
	cfg.Store, cfg.Targets, cfg.Logger = r.store, targets{}, quiet
	dispatcher := dispatchtest.New(r.store, &dispatchtest.Temporal{}, quiet)
	t.Cleanup(dispatcher.Close)
	cfg.Dispatcher = dispatcher
	r.Service = service.New(cfg)
	r.admin = service.Caller{KeyID: "admin key", Role: models.RoleFull}
	r.mine, r.theirs = r.owner(t, "mine"), r.owner(t, "theirs")
	return r
}

// owner makes an owner and returns a caller of it.
func (r *rig) owner(t *testing.T, name string) service.Caller {
	t.Helper()
	owner, err := r.CreateOwner(t.Context(), r.admin, models.Owner{Name: name})
	require.NoError(t, err)
	key, text, err := r.CreateKey(t.Context(), r.admin, owner.ID, "", service.KeyEnd{})
	require.NoError(t, err)
	who, err := r.Authenticate(t.Context(), text)
	require.NoError(t, err)
	require.Equal(t, service.Caller{OwnerID: owner.ID, KeyID: key.ID, Role: models.RoleFull}, who)
	return who
}

func (r *rig) webhook(t *testing.T, who service.Caller) service.Webhook {
	t.Helper()
	made, err := r.CreateWebhook(t.Context(), who, service.NewWebhook{URL: "https://example.com", Events: []string{"*"}})
	require.NoError(t, err)
	return made.Webhook
}
