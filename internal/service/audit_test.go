package service_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// Whoever makes a call, a change that succeeds leaves one entry, and one that is refused leaves none.
func TestChangesAreInTheAuditTrail(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		var counted []string
		r := newRig(t, db, service.Config{Audited: func(_ context.Context, action string) { counted = append(counted, action) }})
		ctx, who := t.Context(), r.mine
		who.Address, who.Fields = "192.0.2.1", func() []string { return []string{"active"} }
		id := r.webhook(t, r.mine).ID
		_, err := r.UpdateWebhook(ctx, who, id, service.WebhookPatch{Active: service.Patch[bool]{Set: true}})
		require.NoError(t, err)
		_, err = r.UpdateWebhook(ctx, who, id, service.WebhookPatch{Active: service.Patch[bool]{Set: true, Null: true}})
		require.Error(t, err)
		require.NoError(t, r.DeleteWebhook(ctx, r.admin, id))

		entries, _, err := r.ListAudit(ctx, r.admin, models.AuditFilter{Actions: []string{"create-webhook", "update-webhook", "delete-webhook"}}, models.Page{OldestFirst: true})
		require.NoError(t, err)
		require.Len(t, entries, 3)
		for i, action := range []string{"create-webhook", "update-webhook", "delete-webhook"} {
			require.Equal(t, action, entries[i].Action)
			require.Equal(t, id, entries[i].ObjectID)
			require.Equal(t, r.mine.OwnerID, entries[i].OwnerID)
		}
		require.Equal(t, "192.0.2.1", entries[1].Address)
		require.Equal(t, []string{"active"}, entries[1].Fields)
		require.Equal(t, r.mine.KeyID, entries[1].Actor)
		require.True(t, entries[2].Admin)
		require.Equal(t, "delete-webhook", counted[len(counted)-1])

		seen, _, err := r.ListAudit(ctx, r.mine, models.AuditFilter{Actions: []string{"delete-webhook"}}, models.Page{})
		require.NoError(t, err)
		require.Equal(t, "administrator", seen[0].Actor)
	})
}

// An event is its own trail, and must not cost another row.
func TestPublishingLeavesNoAuditEntry(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), service.Config{})
	published, err := r.Publish(t.Context(), r.mine, models.Event{Type: "a", Data: []byte("1")})
	require.NoError(t, err)
	require.Equal(t, r.mine.OwnerID, published.Event.OwnerID)
	entries, _, err := r.ListAudit(t.Context(), r.mine, models.AuditFilter{Actors: []string{r.mine.KeyID}}, models.Page{})
	require.NoError(t, err)
	require.Empty(t, entries)
}
