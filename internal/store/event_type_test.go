package store_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/models"
)

func TestEventTypes(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		of := models.EventType{Name: "order.created", Description: "d", Group: "g", Schema: []byte(`{}`), Example: []byte(`1`), Deprecated: true}
		require.NoError(t, s.CreateEventType(t.Context(), &of))
		again := models.EventType{Name: "order.created"}
		require.ErrorIs(t, s.CreateEventType(t.Context(), &again), models.ErrEventTypeExists)
		found, err := s.EventType(t.Context(), "order.created")
		require.NoError(t, err)
		require.Equal(t, `{}`, string(found.Schema))
		require.Equal(t, "g", found.Group)
		require.True(t, found.Deprecated)
		_, err = s.EventType(t.Context(), "none")
		require.ErrorIs(t, err, models.ErrNotFound)

		refused := errors.New("refused")
		_, _, err = s.PutEventType(t.Context(), "order.created", func(of *models.EventType) error {
			of.Description = "x"
			return refused
		})
		require.ErrorIs(t, err, refused)
		changed, made, err := s.PutEventType(t.Context(), "order.created", func(of *models.EventType) error {
			require.Equal(t, "d", of.Description)
			of.Schema, of.Example, of.Deprecated = nil, nil, false
			return nil
		})
		require.NoError(t, err)
		require.False(t, made)
		require.False(t, changed.UpdatedAt.Before(found.UpdatedAt))
		found, err = s.EventType(t.Context(), "order.created")
		require.NoError(t, err)
		require.Nil(t, found.Schema)
		require.Nil(t, found.Example)
		require.False(t, found.Deprecated)

		_, made, err = s.PutEventType(t.Context(), "a", func(of *models.EventType) error {
			of.Schema = []byte(`true`)
			return nil
		})
		require.NoError(t, err)
		require.True(t, made)
		list, _, err := s.EventTypes(t.Context(), true, models.Page{})
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, "true", string(list[0].Schema), "newest first")
		list, _, err = s.EventTypes(t.Context(), false, models.Page{})
		require.NoError(t, err)
		require.Nil(t, list[0].Schema)
		list, err = s.PublicEventTypes(t.Context())
		require.NoError(t, err)
		require.Equal(t, "a", list[0].Name, "without a group first")
		require.NoError(t, s.DeleteEventType(t.Context(), "a"))
		require.ErrorIs(t, s.DeleteEventType(t.Context(), "a"), models.ErrNotFound)
	})
}

// Of many who put the same entry at once, one makes it.
func TestPutEventTypeAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		const times = 8
		var wait sync.WaitGroup
		made, errs := make([]bool, times), make([]error, times)
		for i := range times {
			wait.Go(func() {
				_, made[i], errs[i] = s.PutEventType(t.Context(), "a", func(*models.EventType) error { return nil })
			})
		}
		wait.Wait()
		count := 0
		for i := range times {
			require.NoError(t, errs[i])
			if made[i] {
				count++
			}
		}
		require.Equal(t, 1, count)
	})
}

// The example of an event type that tests one webhook is no event that another one missed.
func TestExamplesAreNotMissed(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		since := r.store.Now()
		other := makeWebhook(t, r.store, r.webhook.OwnerID, "*")
		delivery, err := r.store.PublishExample(t.Context(), other, "order.created", []byte(`{}`))
		require.NoError(t, err)
		require.True(t, delivery.Test)
		require.Equal(t, "order.created", delivery.Event)
		require.Empty(t, r.brings(models.IncludeMissed, since, r.store.Now()))
	})
}
