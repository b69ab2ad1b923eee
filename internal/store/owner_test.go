package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

func TestDefaultOwnerIsThereFromTheStart(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		owner, err := store.Owner(t.Context(), models.DefaultOwnerID)
		require.NoError(t, err)
		require.Equal(t, "default", owner.Name)
		require.False(t, owner.CreatedAt.IsZero())
		require.NoError(t, typeid.Check(typeid.KindOwner, owner.ID))
	})
}

func TestOwnerIsCreatedReadAndChanged(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		made := models.Owner{Name: "Ünal & Söhne", Email: "ops@example.com", SlackURL: "https://hooks.slack.com/services/x"}
		require.NoError(t, store.CreateOwner(t.Context(), &made))
		created := clock.Now()

		clock.Advance(time.Hour)
		_, err := store.UpdateOwner(t.Context(), made.ID, func(o *models.Owner) error {
			require.Equal(t, "ops@example.com", o.Email)
			o.Name, o.Email, o.SlackURL = "Ünal", "", ""
			return nil
		})
		require.NoError(t, err)

		got, err := store.Owner(t.Context(), made.ID)
		require.NoError(t, err)
		require.True(t, created.Equal(got.CreatedAt), got.CreatedAt)
		require.True(t, clock.Now().Equal(got.UpdatedAt), got.UpdatedAt)
		got.CreatedAt, got.UpdatedAt = time.Time{}, time.Time{}
		require.Equal(t, models.Owner{ID: made.ID, Name: "Ünal", Active: true}, got)
	})
}

func TestOwnerThatIsNotThere(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		unknown := typeid.New(typeid.KindOwner, store.Now())
		_, err := store.Owner(t.Context(), unknown)
		require.ErrorIs(t, err, models.ErrNotFound)
		_, err = store.UpdateOwner(t.Context(), unknown, func(*models.Owner) error {
			t.Error("called without an owner")
			return nil
		})
		require.ErrorIs(t, err, models.ErrNotFound)
	})
}

func TestUpdateOwnerThatFailsChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		made := storetest.Owner(t, store, "acme")
		wrong := errors.New("wrong field")
		_, err := store.UpdateOwner(t.Context(), made.ID, func(o *models.Owner) error {
			o.Name = "other"
			return wrong
		})
		require.Equal(t, wrong, err, "unchanged")
		got, err := store.Owner(t.Context(), made.ID)
		require.NoError(t, err)
		require.Equal(t, "acme", got.Name)
	})
}
