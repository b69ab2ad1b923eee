package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// What was deleted, and what belongs to others, is not counted; a webhook counts once.
func TestOwnerUsages(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s := storetest.New(t, db, store.Config{})
		mine, theirs, none := storetest.Owner(t, s, "mine"), storetest.Owner(t, s, "theirs"), storetest.Owner(t, s, "none")
		webhook := func(owner models.Owner) models.Webhook {
			return storetest.Webhook(t, s, func(w *models.Webhook) { w.OwnerID = owner.ID })
		}
		webhook(mine) // healthy
		failing, paused, gone, disabled, alsoFailed := webhook(mine), webhook(mine), webhook(mine), webhook(mine), webhook(theirs)
		require.NoError(t, s.DeleteWebhook(t.Context(), everything, gone.ID))
		require.NoError(t, db.Model(&paused).Update("active", false).Error)
		require.NoError(t, db.Model(&disabled).Updates(map[string]any{"active": false, "disabled_reason": "410"}).Error)
		for _, sick := range []models.Webhook{failing, disabled, alsoFailed} {
			at := time.Now().UTC()
			require.NoError(t, db.Create(&models.WebhookHealth{WebhookID: sick.ID, FailingSince: &at}).Error)
		}
		require.NoError(t, s.CreateSource(t.Context(), &models.Source{OwnerID: mine.ID, Name: "x", Scheme: "github"}, []string{"s"}))

		usages, err := s.OwnerUsages(t.Context(), []string{mine.ID, none.ID})
		require.NoError(t, err)
		require.Equal(t, map[string]models.OwnerUsage{
			mine.ID: {OwnerID: mine.ID, Webhooks: 4, Paused: 1, Failing: 1, Disabled: 1, Sources: 1},
		}, usages)
	})
}

func TestFindOwners(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		first, second := storetest.Owner(t, s, "Acme 100% Ltd"), storetest.Owner(t, s, "Other")
		name := "customer_42"
		_, err := s.UpdateOwner(t.Context(), second.ID, func(o *models.Owner) error { o.ExternalID = &name; return nil })
		require.NoError(t, err)
		for text, want := range map[string][]string{
			"acme": {first.ID}, "ACME 100%": {first.ID}, "100_": nil, "CUSTOMER_4": {second.ID}, "e": {second.ID, first.ID}, `\`: nil,
		} {
			found, err := s.FindOwners(t.Context(), text, 50)
			require.NoError(t, err)
			var ids []string
			for _, owner := range found {
				if owner.ID != models.DefaultOwnerID {
					ids = append(ids, owner.ID)
				}
			}
			require.Equal(t, want, ids, text)
		}
		found, err := s.FindOwners(t.Context(), "", 1)
		require.NoError(t, err)
		require.Len(t, found, 1)
		_, err = s.DeleteOwner(t.Context(), first.ID)
		require.NoError(t, err)
		found, err = s.FindOwners(t.Context(), "acme", 50)
		require.NoError(t, err)
		require.Empty(t, found)
	})
}

// Administrators' keys are listed apart from those of owners.
func TestAdminAPIKeys(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		admins, _, err := s.CreateAPIKey(t.Context(), "", models.RoleRead, nil)
		require.NoError(t, err)
		revoked, _, err := s.CreateAPIKey(t.Context(), "", models.RoleRead, nil)
		require.NoError(t, err)
		require.NoError(t, s.RevokeAPIKey(t.Context(), revoked.ID))
		_, _, err = s.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, nil)
		require.NoError(t, err)
		keys, _, err := s.AdminAPIKeys(t.Context(), models.Page{})
		require.NoError(t, err)
		require.Len(t, keys, 1)
		require.Equal(t, admins.ID, keys[0].ID)
	})
}
