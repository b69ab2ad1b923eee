package receiver_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/receiver"
)

func claimOf(id, token string, now time.Time, lease time.Duration) receiver.Claim {
	return receiver.Claim{Endpoint: "stripe", EventID: id, Token: token, Now: now, Until: now.Add(lease)}
}

func claimed(t testing.TB, store receiver.Store, claim receiver.Claim) receiver.Status {
	t.Helper()
	state, err := store.Claim(t.Context(), claim)
	require.NoError(t, err)
	return state.Status
}

func TestMemoryStoreForgetsWhatHasExpired(t *testing.T) {
	t.Parallel()
	store := receiver.NewMemoryStore(0)
	const perHour, hours, kept = 100, 48, 3
	for hour := range hours {
		now := sentAt.Add(time.Duration(hour) * time.Hour)
		for i := range perHour {
			claim := claimOf(strconv.Itoa(hour)+"/"+strconv.Itoa(i), "t", now, time.Minute)
			require.Equal(t, receiver.StatusClaimed, claimed(t, store, claim))
			if i%2 == 0 {
				require.NoError(t, store.Complete(t.Context(), claim, now.Add(kept*time.Hour)))
			}
		}
		// Of the last hours what is done, of this one also the claims.
		require.LessOrEqual(t, store.Len(), perHour/2*kept+perHour/2)
	}
}

func TestMemoryStoreIsBounded(t *testing.T) {
	t.Parallel()
	const limit = 10
	store := receiver.NewMemoryStore(limit)
	for i := range 100 * limit {
		claim := claimOf(strconv.Itoa(i), "t", sentAt, time.Hour)
		require.Equal(t, receiver.StatusClaimed, claimed(t, store, claim))
		require.NoError(t, store.Complete(t.Context(), claim, sentAt.Add(time.Hour).Add(time.Duration(i))))
		require.LessOrEqual(t, store.Len(), limit)
	}
	for i := range limit { // the last ones are remembered
		id := strconv.Itoa(99*limit + i)
		require.Equal(t, receiver.StatusDone, claimed(t, store, claimOf(id, "t", sentAt, time.Hour)))
	}

	// What is being handled is kept, and takes the place of what is done.
	for i := range limit {
		require.Equal(t, receiver.StatusClaimed, claimed(t, store, claimOf("busy"+strconv.Itoa(i), "t", sentAt, time.Hour)))
	}
	_, err := store.Claim(t.Context(), claimOf("one more", "t", sentAt, time.Hour))
	require.ErrorIs(t, err, receiver.ErrStoreFull)
	require.ErrorIs(t, store.Complete(t.Context(), claimOf("one more", "t", sentAt, time.Hour), sentAt.Add(time.Hour)), receiver.ErrStoreFull)
	for i := range limit {
		id := "busy" + strconv.Itoa(i)
		require.Equal(t, receiver.StatusInProgress, claimed(t, store, claimOf(id, "t", sentAt, time.Hour)))
		require.NoError(t, store.Complete(t.Context(), claimOf(id, "t", sentAt, time.Hour), sentAt.Add(time.Hour)))
	}
	require.Equal(t, limit, store.Len())
}

// TestMemoryStoreAgainstAModel compares random histories with the plainest
// implementation there is.
func TestMemoryStoreAgainstAModel(t *testing.T) {
	t.Parallel()
	type row struct {
		token   string
		done    bool
		expires time.Time
	}
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 0))
		store := receiver.NewMemoryStore(1000)
		model := map[string]row{}
		now := sentAt
		for range 2000 {
			now = now.Add(time.Duration(random.IntN(3)) * time.Second)
			id, token := strconv.Itoa(random.IntN(20)), strconv.Itoa(random.IntN(3))
			claim := claimOf(id, token, now, time.Duration(1+random.IntN(10))*time.Second)
			known, ok := model[id]
			ok = ok && known.expires.After(now)
			switch random.IntN(4) {
			case 0, 1:
				state, err := store.Claim(t.Context(), claim)
				require.NoError(t, err)
				want := receiver.State{Status: receiver.StatusClaimed, Until: claim.Until}
				switch {
				case ok && known.done:
					want = receiver.State{Status: receiver.StatusDone, Until: known.expires}
				case ok:
					want = receiver.State{Status: receiver.StatusInProgress, Until: known.expires}
				default:
					model[id] = row{token: token, expires: claim.Until}
				}
				require.Equal(t, want, state)
			case 2:
				until := now.Add(time.Duration(random.IntN(60)) * time.Second)
				require.NoError(t, store.Complete(t.Context(), claim, until))
				model[id] = row{done: true, expires: until}
			default:
				require.NoError(t, store.Release(t.Context(), claim))
				if known.token == token && !known.done {
					delete(model, id)
				}
			}
		}
	}
}
