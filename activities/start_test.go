package activities_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/models"
)

// timedStarter takes its time for each page.
type timedStarter struct {
	activities.Starter
	start func(inbound []models.InboundEvent)
}

func (s timedStarter) StartInbound(_ context.Context, inbound []models.InboundEvent) error {
	s.start(inbound)
	return nil
}

// A sweep goes on to the next page while pages take no time, and leaves a slow backlog to the next sweep.
func TestStartPendingInboundPageByPage(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, r *rig) {
		const events = 201
		for i := range events {
			inbound := models.InboundEvent{
				SourceID: "src_x", OwnerID: models.DefaultOwnerID, ProviderID: fmt.Sprint(i), Type: "a", Body: []byte(`{}`),
			}
			_, err := r.store.StoreInbound(t.Context(), &inbound)
			require.NoError(t, err)
		}
		page := func(after string, took time.Duration) (started []models.InboundEvent, last string) {
			clock := now
			r.activities.Now = func() time.Time { return clock }
			r.activities.Starter = timedStarter{start: func(inbound []models.InboundEvent) {
				started = inbound
				clock = clock.Add(took)
			}}
			value, err := r.env.ExecuteActivity(r.activities.StartPendingInbound, activities.StartInput{MadeBy: now, After: after})
			require.NoError(t, err)
			var result activities.StartResult
			require.NoError(t, value.Get(&result))
			require.Equal(t, len(started), result.Started)
			return started, result.Last
		}
		first, last := page("", 5*time.Second)
		require.Len(t, first, events-1)
		require.Equal(t, first[len(first)-1].ID, last)
		second, last := page(last, 0)
		require.Len(t, second, 1)
		require.Empty(t, last)
		_, last = page("", 6*time.Second)
		require.Empty(t, last, "the rest is the next sweep's")
	})
}
