package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/postrider/postrider/internal/timing"
)

// heartbeat keeps telling Temporal that the activity is alive, so that the death of its process is noticed
// within the heartbeat timeout instead of the activity's. It does nothing in a local activity.
func heartbeat(ctx context.Context) (stop func()) {
	if activity.GetInfo(ctx).IsLocalActivity {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(timing.Heartbeat)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
