package activities

import (
	"sync"
	"time"

	"github.com/postrider/postrider/models"
)

const (
	// freshFor is how long what was published may be attempted without being loaded: less than Temporal waits
	// before it has a first attempt repeated elsewhere, so that a repeated one always asks the log.
	freshFor = 2 * time.Second
	// freshMost bounds what is kept, and freshLargest the data of an event of which anything is.
	freshMost    = 10_000
	freshLargest = 16 << 10
)

// Fresh keeps what this process has just published, for the first attempts: they mostly follow in the same
// process. Each is taken once. The zero value is empty.
type Fresh struct {
	mu   sync.Mutex
	kept map[string]models.Job
	// order has the IDs with the time until which they are kept, oldest first.
	order []freshUntil
}

type freshUntil struct {
	id    string
	until time.Time
}

// keep keeps an event's dispatches, if they are not too many or too large.
func (f *Fresh) keep(dispatches []models.Job, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget(now)
	if f.kept == nil {
		f.kept = map[string]models.Job{}
	}
	for _, dispatch := range dispatches {
		if len(f.order) >= freshMost || len(dispatch.Event.Data) > freshLargest {
			return // all are of one event
		}
		f.kept[dispatch.Delivery.ID] = dispatch
		f.order = append(f.order, freshUntil{dispatch.Delivery.ID, now.Add(freshFor)})
	}
}

// take returns what a run's first attempt needs to know, if it was published just now.
func (f *Fresh) take(in AttemptInput, now time.Time) (models.Job, bool) {
	if f == nil || in.Sequence != 1 || in.Detours != 0 || in.Trigger != models.TriggerSchedule {
		return models.Job{}, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget(now)
	dispatch, ok := f.kept[in.DeliveryID]
	delete(f.kept, in.DeliveryID)
	return dispatch, ok
}

// forget drops what is too old.
func (f *Fresh) forget(now time.Time) {
	n := 0
	for n < len(f.order) && !now.Before(f.order[n].until) {
		delete(f.kept, f.order[n].id)
		n++
	}
	f.order = f.order[n:]
}
