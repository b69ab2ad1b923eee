package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// inboundRig is a source that receives.
type inboundRig struct {
	t      *testing.T
	store  *store.Store
	source models.Source
}

func newInboundRig(t *testing.T, store *store.Store) *inboundRig {
	t.Helper()
	source := models.Source{OwnerID: models.DefaultOwnerID, Name: "s", Scheme: "stripe", EventPrefix: "stripe", Active: true}
	require.NoError(t, store.CreateSource(t.Context(), &source, []string{"whsec_x"}))
	return &inboundRig{t, store, source}
}

func (r *inboundRig) receive(id, body string) (models.InboundEvent, bool) {
	r.t.Helper()
	inbound := models.InboundEvent{SourceID: r.source.ID, OwnerID: r.source.OwnerID, ProviderID: id, Type: "a", Body: []byte(body)}
	waits, err := r.store.StoreInbound(r.t.Context(), &inbound)
	require.NoError(r.t, err)
	return inbound, waits
}

// counts are the conflicts and the failures of the source.
func (r *inboundRig) counts() [2]int64 {
	r.t.Helper()
	source, err := r.store.Source(r.t.Context(), everything, r.source.ID)
	require.NoError(r.t, err)
	return [2]int64{source.Conflicts, source.Failed}
}

func (r *inboundRig) all() []models.InboundEvent {
	r.t.Helper()
	inbound, _, err := r.store.InboundEvents(r.t.Context(), everything, models.InboundFilter{SourceIDs: []string{r.source.ID}}, models.Page{Limit: models.MaxLimit})
	require.NoError(r.t, err)
	return inbound
}

func TestTheSameIDWithAnotherBodyIsAnotherEvent(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		r := newInboundRig(t, store)
		first, waits := r.receive("1002", `{"n":1}`)
		require.True(t, waits)
		require.False(t, first.Conflict)
		copied, waits := r.receive("1002", `{"n":1}`)
		require.False(t, waits)
		require.Equal(t, first.ID, copied.ID)
		require.Equal(t, [2]int64{}, r.counts())
		second, waits := r.receive("1002", `{"n":2}`)
		require.True(t, waits)
		require.True(t, second.Conflict)
		copied, waits = r.receive("1002", `{"n":2}`)
		require.False(t, waits)
		require.Equal(t, second.ID, copied.ID)
		require.True(t, copied.Conflict)
		_, waits = r.receive("1003", `{"n":1}`)
		require.True(t, waits)
		require.Equal(t, [2]int64{1, 0}, r.counts())
		require.Len(t, r.all(), 3)
		other := newInboundRig(t, store)
		inbound, waits := other.receive("1002", `{"n":3}`)
		require.True(t, waits)
		require.False(t, inbound.Conflict, "of another source")
	})
}

// Of bodies that come under one ID at the same moment each is stored once, and all but one are conflicts.
func TestConflictsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		r := newInboundRig(t, store)
		const bodies, copies = 8, 3
		var calls sync.WaitGroup
		for body := range bodies {
			for range copies {
				calls.Go(func() {
					inbound := models.InboundEvent{
						SourceID: r.source.ID, OwnerID: r.source.OwnerID, ProviderID: "1", Type: "a", Body: fmt.Append(nil, body),
					}
					if _, err := store.StoreInbound(t.Context(), &inbound); err != nil {
						t.Error(err)
					}
				})
			}
		}
		calls.Wait()
		conflicts := 0
		for _, inbound := range r.all() {
			if inbound.Conflict {
				conflicts++
			}
		}
		require.Len(t, r.all(), bodies)
		require.Equal(t, bodies-1, conflicts)
		require.Equal(t, [2]int64{bodies - 1, 0}, r.counts())
	})
}

// What was stored before bodies were hashed is known by its body.
func TestCopiesOfEventsFromBeforeTheHash(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, _ := clockedStore(t, db)
		r := newInboundRig(t, store)
		old, _ := r.receive("1", `{"n":1}`)
		require.NoError(t, db.Exec("UPDATE inbound_events SET body_hash = ''").Error)
		for range 2 {
			_, waits := r.receive("1", `{"n":1}`)
			require.False(t, waits)
		}
		require.Len(t, r.all(), 1)
		require.Equal(t, old.ID, r.all()[0].ID)
		require.NoError(t, db.Exec("UPDATE inbound_events SET body_hash = ''").Error)
		inbound, waits := r.receive("1", `{"n":2}`)
		require.True(t, waits)
		require.True(t, inbound.Conflict)
		_, waits = r.receive("1", `{"n":1}`)
		require.False(t, waits)
		require.Len(t, r.all(), 2)
		require.Equal(t, [2]int64{1, 0}, r.counts())
	})
}

// A provider's copy of an event that failed is another chance, and the source shows how many have none yet.
func TestACopyOfAFailedEventIsProcessedAgain(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		r := newInboundRig(t, store)
		failed, _ := r.receive("1", `{}`)
		for range 2 {
			require.NoError(t, store.FailInbound(t.Context(), failed.ID, "wrong"))
		}
		require.Equal(t, [2]int64{0, 1}, r.counts())
		again, waits := r.receive("1", `{}`)
		require.True(t, waits)
		require.Equal(t, failed.ID, again.ID)
		require.Equal(t, models.InboundPending, again.Status)
		_, waits = r.receive("1", `{}`)
		require.False(t, waits, "it waits already")
		require.Equal(t, [2]int64{}, r.counts())
		require.NoError(t, store.FailInbound(t.Context(), failed.ID, "wrong"))
		require.Equal(t, [2]int64{0, 1}, r.counts())
		require.NoError(t, store.ReprocessInbound(t.Context(), failed.ID))
		require.Equal(t, [2]int64{}, r.counts())
		_, err := store.ProcessInbound(t.Context(), failed.ID, func(models.InboundEvent, models.Source) (models.Event, error) {
			return models.Event{Type: "a", Data: []byte(`{}`), OwnerID: models.DefaultOwnerID}, nil
		})
		require.NoError(t, err)
		_, waits = r.receive("1", `{}`)
		require.False(t, waits, "it is processed")
		require.Len(t, r.all(), 1)
		err = store.ReprocessInbound(t.Context(), typeid.New(typeid.KindInbound, time.Now()))
		require.ErrorIs(t, err, models.ErrNotFound)
	})
}
