package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// administrator is an administrator with a key of a role who has signed in.
func (r *rig) administrator(t *testing.T, role models.Role) (who service.Caller, keyID string) {
	t.Helper()
	key, text, err := r.store.CreateAPIKey(t.Context(), "", role, nil)
	require.NoError(t, err)
	token, err := r.SignIn(t.Context(), text, "192.0.2.1")
	require.NoError(t, err)
	who, err = r.SignedIn(t.Context(), token)
	require.NoError(t, err)
	return who, key.ID
}

// An administrator who sees the console as an owner may what the owner may, and the trail says who it was.
func TestOpenAsOwner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		r := newRig(t, db, service.Config{})
		admin, keyID := r.administrator(t, models.RoleFull)
		owner, token, err := r.OpenAsOwner(t.Context(), admin, r.mine.OwnerID)
		require.NoError(t, err)
		require.Equal(t, r.mine.OwnerID, owner.ID)
		who, err := r.SignedIn(t.Context(), token)
		require.NoError(t, err)
		require.False(t, who.Admin())
		require.Equal(t, r.mine.OwnerID, who.OwnerID)
		require.Equal(t, "mine", who.As.Name)

		theirs := r.webhook(t, r.theirs)
		_, err = r.GetWebhook(t.Context(), who, theirs.ID, false)
		require.ErrorIs(t, err, models.ErrNotFound)
		_, _, err = r.ListOwners(t.Context(), who, models.Page{})
		require.ErrorIs(t, err, service.ErrAdminsOnly)
		_, _, err = r.OpenAsOwner(t.Context(), who, r.theirs.OwnerID)
		require.ErrorIs(t, err, service.ErrAdminsOnly)

		made := r.webhook(t, who)
		require.Equal(t, r.mine.OwnerID, made.OwnerID)
		entries, _, err := r.ListAudit(t.Context(), r.admin, models.AuditFilter{Actors: []string{keyID}, Actions: []string{"create-webhook", "open-as-owner"}}, models.Page{})
		require.NoError(t, err)
		require.Len(t, entries, 2)
		for _, entry := range entries {
			require.True(t, entry.Admin, entry.Action)
			require.Equal(t, r.mine.OwnerID, entry.OwnerID, entry.Action)
		}
		entries, _, err = r.ListAudit(t.Context(), r.mine, models.AuditFilter{Actions: []string{"open-as-owner"}}, models.Page{})
		require.NoError(t, err)
		require.Len(t, entries, 1, "the owner sees that an administrator was there")
		require.Equal(t, "administrator", entries[0].Actor)
	})
}

// The session ends with the administrator's key, and with the owner; it is of the role of the key.
func TestOpenedSessionsEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		r := newRig(t, db, service.Config{})
		admin, keyID := r.administrator(t, models.RoleRead)
		_, token, err := r.OpenAsOwner(t.Context(), admin, r.mine.OwnerID)
		require.NoError(t, err)
		who, err := r.SignedIn(t.Context(), token)
		require.NoError(t, err)
		require.Equal(t, models.RoleRead, who.Role)

		active := func(is bool) {
			_, err := r.UpdateOwner(t.Context(), r.admin, r.mine.OwnerID, service.OwnerPatch{Active: service.Patch[bool]{Set: true, Value: is}})
			require.NoError(t, err)
		}
		active(false)
		_, err = r.SignedIn(t.Context(), token)
		require.ErrorIs(t, err, models.ErrOwnerSuspended)
		_, _, err = r.OpenAsOwner(t.Context(), admin, r.mine.OwnerID)
		require.ErrorIs(t, err, models.ErrOwnerSuspended)
		active(true)
		_, err = r.SignedIn(t.Context(), token)
		require.NoError(t, err)

		require.NoError(t, r.store.RevokeAPIKey(t.Context(), keyID))
		_, err = r.SignedIn(t.Context(), token)
		require.ErrorIs(t, err, models.ErrNotFound)
	})
}

// Who has no session of their own opens none.
func TestOpenAsOwnerNeedsASession(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), service.Config{})
	_, _, err := r.OpenAsOwner(t.Context(), r.admin, r.mine.OwnerID)
	require.ErrorIs(t, err, models.ErrNotFound)
	_, _, err = r.OpenAsOwner(t.Context(), r.mine, r.mine.OwnerID)
	require.ErrorIs(t, err, service.ErrAdminsOnly)
}
