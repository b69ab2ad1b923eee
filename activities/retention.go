package activities

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

// purgeBatch is how many rows one transaction looks at: few enough to hold locks for milliseconds only.
const purgeBatch = 1000

// Purging is how far a run of the retention is.
type Purging struct {
	// At is when the run began: ages are counted from then.
	At time.Time `json:"at"`
	// What is being purged, and the ID behind which it goes on.
	What  models.Purgeable `json:"what,omitempty"`
	After string           `json:"after,omitempty"`
	// Deleted counts the rows that are gone, by table.
	Deleted map[string]int64 `json:"deleted,omitempty"`
	// Done says that nothing is left.
	Done bool `json:"done,omitempty"`
}

// Purge deletes what is older than the installation keeps, in small batches, and returns how far it came. It
// rests after each batch for as long as the batch took, so that it leaves at least half of the database to
// deliveries.
func (a *Activities) Purge(ctx context.Context, purging Purging) (Purging, error) {
	if activity.HasHeartbeatDetails(ctx) {
		var before Purging // of a try that was cut off
		if err := activity.GetHeartbeatDetails(ctx, &before); err == nil {
			purging = before
		}
	}
	for until := a.Now().Add(timing.Purge); !purging.Done && a.Now().Before(until); {
		began := a.Now()
		var err error
		if purging, err = a.purgeBatch(ctx, purging); err != nil {
			return Purging{}, err
		}
		activity.RecordHeartbeat(ctx, purging)
		select {
		case <-ctx.Done():
			return Purging{}, ctx.Err()
		case <-activity.GetWorkerStopChannel(ctx):
			return purging, nil // another worker goes on
		case <-time.After(a.Now().Sub(began)):
		}
	}
	return purging, nil
}

// purgeBatch deletes one batch and returns what comes after it.
func (a *Activities) purgeBatch(ctx context.Context, purging Purging) (Purging, error) {
	if purging.What == "" {
		// First the statistics: what is not counted must not be deleted.
		if counted, err := a.Store.CountHour(ctx); counted || err != nil {
			return purging, err
		}
	}
	order := models.Purgeables()
	at := max(slices.Index(order, purging.What), 0)
	purging.What = order[at]
	if keep := a.keeps(purging.What); keep > 0 {
		purged, err := a.Store.Purge(ctx, models.Purge{
			What: purging.What, Before: purging.At.Add(-keep), After: purging.After, Limit: purgeBatch,
		})
		if err != nil {
			return Purging{}, err
		}
		purging.Deleted = counted(purging.Deleted, string(purging.What), purged.Deleted)
		purging.Deleted = counted(purging.Deleted, "attempts", purged.Attempts)
		if purging.After = purged.Last; purging.After != "" {
			return purging, nil
		}
	}
	if at == len(order)-1 {
		purging.Done = true
		return purging, nil
	}
	purging.What = order[at+1]
	return purging, nil
}

// keeps is how long the installation keeps something; zero for ever.
func (a *Activities) keeps(what models.Purgeable) time.Duration {
	switch {
	case what == models.PurgeCalls, what == models.PurgeSessions:
		return models.IdempotencyWindow
	case what.Inbound():
		return a.InboundRetention
	}
	return a.Retention
}

func counted(deleted map[string]int64, table string, rows int64) map[string]int64 {
	if rows == 0 {
		return deleted
	}
	sum := map[string]int64{}
	maps.Copy(sum, deleted)
	sum[table] += rows
	return sum
}

// PurgeInbound deletes one batch of inbound events that are older than the installation keeps. It returns
// whether there may be more. Runs of the retention that an older version began call it.
func (a *Activities) PurgeInbound(ctx context.Context) (bool, error) {
	if a.InboundRetention <= 0 {
		return false, nil
	}
	purged, err := a.Store.Purge(ctx, models.Purge{
		What: models.PurgeInbound, Before: a.Now().Add(-a.InboundRetention), Limit: purgeBatch,
	})
	return purged.Deleted == purgeBatch, err
}
