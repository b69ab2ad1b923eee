package service_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// Owners are found by name, external_id and ID, by administrators alone.
func TestFindOwners(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), service.Config{})
	for _, text := range []string{"MIN", r.mine.OwnerID} {
		owners, err := r.FindOwners(t.Context(), r.admin, text)
		require.NoError(t, err)
		require.Len(t, owners, 1, text)
		require.Equal(t, r.mine.OwnerID, owners[0].ID)
		_, err = r.FindOwners(t.Context(), r.mine, text)
		require.ErrorIs(t, err, service.ErrAdminsOnly)
	}
	for _, text := range []string{"\x00", "\xff", strings.Repeat("x", 201)} {
		_, err := r.FindOwners(t.Context(), r.admin, text)
		require.ErrorAs(t, err, new(service.FieldsError))
	}
}

// What owners have is for administrators; stored bytes are added up where they are limited.
func TestUsageOfOwners(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), service.Config{})
	r.webhook(t, r.mine)
	usages, err := r.OwnerUsages(t.Context(), r.admin, []string{r.mine.OwnerID, r.theirs.OwnerID})
	require.NoError(t, err)
	require.Equal(t, map[string]models.OwnerUsage{r.mine.OwnerID: {OwnerID: r.mine.OwnerID, Webhooks: 1}}, usages)
	_, err = r.OwnerUsages(t.Context(), r.mine, []string{r.mine.OwnerID})
	require.ErrorIs(t, err, service.ErrAdminsOnly)
	_, known, err := r.StoredBytes(t.Context(), r.admin, r.mine.OwnerID)
	require.NoError(t, err)
	require.False(t, known)

	r = newRig(t, storetest.SQLite(t), service.Config{Quotas: service.Quotas{StoredBytes: 100}})
	_, known, err = r.StoredBytes(t.Context(), r.admin, r.mine.OwnerID)
	require.NoError(t, err)
	require.True(t, known)
	_, _, err = r.StoredBytes(t.Context(), r.mine, r.mine.OwnerID)
	require.ErrorIs(t, err, service.ErrAdminsOnly)
}

func TestListAdminKeys(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), service.Config{})
	_, keyID := r.administrator(t, models.RoleRead)
	keys, _, err := r.ListAdminKeys(t.Context(), r.admin, models.Page{})
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.Equal(t, keyID, keys[0].ID)
	_, _, err = r.ListAdminKeys(t.Context(), r.mine, models.Page{})
	require.ErrorIs(t, err, service.ErrAdminsOnly)
}
