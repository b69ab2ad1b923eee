package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// What is another owner's is as if it did not exist; the error says what there is none of.
func TestAnOwnerReachesOnlyItsOwnThings(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		r := newRig(t, db, service.Config{})
		ctx, id := t.Context(), r.webhook(t, r.mine).ID
		for _, who := range []service.Caller{r.mine, r.admin} {
			webhook, err := r.GetWebhook(ctx, who, id, false)
			require.NoError(t, err)
			require.Equal(t, r.mine.OwnerID, webhook.OwnerID)
		}
		for name, call := range map[string]func(who service.Caller, id string) error{
			"get": func(who service.Caller, id string) error { _, err := r.GetWebhook(ctx, who, id, true); return err },
			"update": func(who service.Caller, id string) error {
				_, err := r.UpdateWebhook(ctx, who, id, service.WebhookPatch{Active: service.Patch[bool]{Set: true}})
				return err
			},
			"rotate": func(who service.Caller, id string) error {
				_, err := r.RotateSecret(ctx, who, id, service.SecretRotation{})
				return err
			},
			"recover": func(who service.Caller, id string) error {
				_, err := r.RecoverWebhook(ctx, who, id, models.Recovery{})
				return err
			},
			"delete": func(who service.Caller, id string) error { return r.DeleteWebhook(ctx, who, id) },
		} {
			var none *service.NotFoundError
			err := call(r.theirs, id)
			require.ErrorIs(t, err, models.ErrNotFound, name)
			require.ErrorAs(t, err, &none, name)
			require.Equal(t, service.NotFoundError{Kind: typeid.KindWebhook, ID: id}, *none, name)
			require.EqualError(t, err, "there is no webhook "+id, name)
			require.ErrorAs(t, call(r.mine, "wh_"), &none, name)
			require.True(t, none.Malformed, name)
		}
		webhook, err := r.GetWebhook(ctx, r.mine, id, false)
		require.NoError(t, err)
		require.True(t, webhook.Active)
	})
}

func TestOwnersAndKeysAreForAdministrators(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), service.Config{})
	ctx := t.Context()
	_, err := r.CreateOwner(ctx, r.mine, models.Owner{Name: "more"})
	require.ErrorIs(t, err, service.ErrAdminsOnly)
	_, err = r.GetOwner(ctx, r.mine, r.mine.OwnerID)
	require.ErrorIs(t, err, service.ErrAdminsOnly)
	_, _, err = r.CreateKey(ctx, r.mine, r.mine.OwnerID, "", service.KeyEnd{})
	require.ErrorIs(t, err, service.ErrAdminsOnly)
	require.ErrorIs(t, r.DeleteKey(ctx, r.mine, r.mine.KeyID), service.ErrAdminsOnly)
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	var used []string
	r := newRig(t, storetest.SQLite(t), service.Config{AdminKey: "a configured key", KeyUsed: func(id string) { used = append(used, id) }})
	who, err := r.Authenticate(t.Context(), "a configured key")
	require.NoError(t, err)
	require.True(t, who.Admin())
	_, err = r.Authenticate(t.Context(), "another")
	require.ErrorIs(t, err, models.ErrNotFound)
	require.Equal(t, []string{r.mine.KeyID, r.theirs.KeyID}, used, "only keys of the database, and valid ones")
}
