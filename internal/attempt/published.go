package attempt

import (
	"maps"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

const (
	// publishedMost bounds how many jobs are kept, and publishedLargest the data of an event whose jobs are kept.
	publishedMost    = 10_000
	publishedLargest = 16 << 10
)

// publishedJobs is a cache of what this process has just published: the first attempts mostly follow in the same
// process. Each job is taken once. The zero value is empty.
type publishedJobs struct {
	mu   sync.Mutex
	kept map[string]models.Job
	// order has the IDs with the time until which they are kept, oldest first.
	order []publishedUntil
}

type publishedUntil struct {
	id    string
	until time.Time
}

// keep keeps the jobs of an event, unless they are too many or too large.
func (p *publishedJobs) keep(jobs []models.Job, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire(now)
	if p.kept == nil {
		p.kept = map[string]models.Job{}
	}
	for _, job := range jobs {
		if len(p.order) >= publishedMost || len(job.Event.Data) > publishedLargest {
			return // all are of one event
		}
		p.kept[job.Delivery.ID] = job
		p.order = append(p.order, publishedUntil{job.Delivery.ID, now.Add(timing.PublishedJob)})
	}
}

// take returns the job of a run's first attempt, if it was published just now.
func (p *publishedJobs) take(in Input, now time.Time) (models.Job, bool) {
	if in.Sequence != 1 || in.Detours != 0 || in.Trigger != models.TriggerSchedule {
		return models.Job{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire(now)
	job, ok := p.kept[in.DeliveryID]
	delete(p.kept, in.DeliveryID)
	return job, ok
}

// forget drops the jobs of an event.
func (p *publishedJobs) forget(eventID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.kept, func(_ string, job models.Job) bool { return job.Event.ID == eventID })
}

// expire drops what is too old.
func (p *publishedJobs) expire(now time.Time) {
	n := 0
	for n < len(p.order) && !now.Before(p.order[n].until) {
		delete(p.kept, p.order[n].id)
		n++
	}
	p.order = p.order[n:]
}
