package dispatch_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

func TestReceiveStartsOnceForEachEvent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		fake := &dispatchtest.Temporal{}
		d, store, _ := setup(t, db, fake)
		inbound := models.InboundEvent{SourceID: "src_x", OwnerID: models.DefaultOwnerID, ProviderID: "evt_1", Body: []byte(`{}`)}
		for _, want := range []bool{true, false} {
			fresh, err := d.Receive(t.Context(), inbound)
			require.NoError(t, err)
			require.Equal(t, want, fresh)
		}
		d.Close()
		stored, _, err := store.InboundEvents(t.Context(), models.Scope{}, models.InboundFilter{}, models.Page{})
		require.NoError(t, err)
		require.Len(t, stored, 1)
		require.Len(t, fake.Started, 1)
		require.Equal(t, contract.TypeInbound, fake.Started[0].Workflow)
		require.Equal(t, contract.InboundInput{InboundEventID: stored[0].ID}, fake.Started[0].Input)
	})
}

func TestReprocess(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		temporal, want error
	}{
		"started":       {nil, nil},
		"it still runs": {serviceerror.NewWorkflowExecutionAlreadyStarted("", "", ""), nil},
		"away":          {dispatchtest.ErrAway, dispatch.ErrTemporalUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *gorm.DB) {
				fake := &dispatchtest.Temporal{OnStart: func(context.Context, string) error { return test.temporal }}
				d, store, _ := setup(t, db, fake)
				defer d.Close()
				inbound := models.InboundEvent{SourceID: "src_x", OwnerID: models.DefaultOwnerID, ProviderID: "evt_1", Body: []byte(`{}`)}
				_, err := store.StoreInbound(t.Context(), &inbound)
				require.NoError(t, err)
				require.NoError(t, store.FailInbound(t.Context(), inbound.ID, "not JSON"))
				require.ErrorIs(t, d.Reprocess(t.Context(), inbound), test.want)
				after, err := store.InboundEvent(t.Context(), models.Scope{}, inbound.ID)
				require.NoError(t, err)
				require.Equal(t, models.InboundPending, after.Status, "the sweep takes it up otherwise")
			})
		})
	}
	t.Run("unknown", func(t *testing.T) {
		t.Parallel()
		storetest.Each(t, func(t *testing.T, db *gorm.DB) {
			d, store, _ := setup(t, db, &dispatchtest.Temporal{})
			defer d.Close()
			unknown := models.InboundEvent{ID: typeid.New(typeid.KindInbound, store.Now())}
			require.ErrorIs(t, d.Reprocess(t.Context(), unknown), models.ErrNotFound)
		})
	})
}
