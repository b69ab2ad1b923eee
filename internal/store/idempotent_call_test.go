package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

func aCall(key string) models.IdempotentCall {
	return models.IdempotentCall{Operation: "create-webhook", IdempotencyKey: key, RequestHash: []byte("request")}
}

// creating makes a webhook and answers with its ID.
func creating(t *testing.T, s *store.Store) func(context.Context) (models.Answer, bool) {
	t.Helper()
	return func(ctx context.Context) (models.Answer, bool) {
		webhook := models.Webhook{OwnerID: models.DefaultOwnerID, URL: "https://example.com", Events: []string{"*"}, Active: true}
		if err := s.CreateWebhook(ctx, &webhook, "whsec_x"); err != nil {
			t.Error(err)
		}
		return models.Answer{Status: 201, ContentType: "application/json", Body: []byte(webhook.ID)}, true
	}
}

func countWebhooks(t *testing.T, db *gorm.DB) (n int64) {
	t.Helper()
	require.NoError(t, db.Model(&models.Webhook{}).Count(&n).Error)
	return n
}

// A process that dies between the creation and the answer leaves nothing: the creation and the answer are one commit.
func TestCallThatDiesLeavesNothing(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s := storetest.New(t, db, store.Config{})
		create := creating(t, s)
		require.PanicsWithValue(t, "dies", func() {
			_, _, _ = s.AnswerInOneCommit(t.Context(), aCall("k"), func(ctx context.Context) (models.Answer, bool) {
				create(ctx)
				panic("dies")
			})
		})
		require.Zero(t, countWebhooks(t, db))
		refused, before, err := s.AnswerInOneCommit(t.Context(), aCall("k"), func(ctx context.Context) (models.Answer, bool) {
			create(ctx)
			return models.Answer{Status: 422}, false
		})
		require.NoError(t, err)
		require.Equal(t, 422, refused.Status)
		require.False(t, before)
		require.Zero(t, countWebhooks(t, db))

		first, before, err := s.AnswerInOneCommit(t.Context(), aCall("k"), create)
		require.NoError(t, err)
		require.False(t, before)
		again, before, err := s.AnswerInOneCommit(t.Context(), aCall("k"), create)
		require.NoError(t, err)
		require.True(t, before)
		require.Equal(t, first, again)
		require.EqualValues(t, 1, countWebhooks(t, db))

		other := aCall("k")
		other.RequestHash = []byte("another")
		_, _, err = s.AnswerInOneCommit(t.Context(), other, create)
		require.ErrorIs(t, err, models.ErrCallConflict)
		for _, change := range []func(*models.IdempotentCall){
			func(c *models.IdempotentCall) { c.OwnerID = "own_x" }, func(c *models.IdempotentCall) { c.Operation = "x" },
			func(c *models.IdempotentCall) { c.IdempotencyKey = "x" },
		} {
			apart := aCall("k")
			change(&apart)
			_, before, err = s.AnswerInOneCommit(t.Context(), apart, create)
			require.NoError(t, err)
			require.False(t, before)
		}
	})
}

// Of calls at the same moment one is made, and when it fails the next one is.
func TestCallsTakeTurns(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		one, two := storetest.New(t, db, store.Config{}), storetest.New(t, db, store.Config{})
		var first sync.Once
		var mu sync.Mutex
		made := map[string]int{}
		var group sync.WaitGroup
		for i := range 8 {
			through := []*store.Store{one, two}[i%2]
			group.Go(func() {
				answer, _, err := through.AnswerInOneCommit(t.Context(), aCall("k"), func(ctx context.Context) (models.Answer, bool) {
					failed := false
					first.Do(func() { failed = true })
					answer, _ := creating(t, through)(ctx)
					return answer, !failed
				})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				made[string(answer.Body)]++
			})
		}
		group.Wait()
		require.EqualValues(t, 1, countWebhooks(t, db))
		require.Len(t, made, 2, "the one that was undone, and the others")
	})
}

// A call in steps is refused while it is under way, and free again when its process has died.
func TestCallInSteps(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s, clock := clockedStore(t, db)
		begin := func() (models.IdempotentCall, *models.Answer, error) {
			call, until := aCall("k"), clock.Now().Add(time.Minute)
			answer, err := s.BeginCall(t.Context(), &call, until)
			return call, answer, err
		}
		dead, answer, err := begin()
		require.NoError(t, err)
		require.Nil(t, answer)
		_, _, err = begin()
		require.ErrorIs(t, err, models.ErrCallUnderWay)

		clock.Advance(time.Minute)
		living, answer, err := begin()
		require.NoError(t, err)
		require.Nil(t, answer)
		require.NoError(t, s.EndCall(t.Context(), dead, &models.Answer{Status: 200, Body: []byte("late")}), "it is not the call any more")
		require.NoError(t, s.EndCall(t.Context(), dead, nil))
		_, _, err = begin()
		require.ErrorIs(t, err, models.ErrCallUnderWay)
		require.NoError(t, s.EndCall(t.Context(), living, &models.Answer{Status: 202, Body: []byte("made")}))
		_, answer, err = begin()
		require.NoError(t, err)
		require.Equal(t, &models.Answer{Status: 202, Body: []byte("made")}, answer)

		clock.Advance(models.IdempotencyWindow)
		again, answer, err := begin()
		require.NoError(t, err)
		require.Nil(t, answer)
		require.NoError(t, s.EndCall(t.Context(), again, nil), "forgotten")
		_, answer, err = begin()
		require.NoError(t, err)
		require.Nil(t, answer)
	})
}

// Answers that are kept are sealed anew, and go with the retention.
func TestKeptAnswersAreSealedAnewAndGo(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		with := func(numbers ...byte) *store.Store {
			return store.New(db, store.Config{Keyring: storetest.Keyring(t, numbers...)})
		}
		before, after, only := with(1), with(2, 1), with(2)
		answer, _, err := before.AnswerInOneCommit(t.Context(), aCall("k"), creating(t, before))
		require.NoError(t, err)
		result, err := after.RotateEncryption(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, result.Answers)
		again, known, err := only.AnswerInOneCommit(t.Context(), aCall("k"), creating(t, only))
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, answer, again)

		purge := models.Purge{What: models.PurgeCalls, Before: only.Now().Add(-time.Hour), Limit: 10}
		purged, err := only.Purge(t.Context(), purge)
		require.NoError(t, err)
		require.Zero(t, purged.Deleted)
		purge.Before = only.Now().Add(time.Hour)
		purged, err = only.Purge(t.Context(), purge)
		require.NoError(t, err)
		require.EqualValues(t, 1, purged.Deleted)
	})
}
