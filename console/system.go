package console

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/internal/service"
)

// System is what the console is told of the process that it is a part of.
type System struct {
	// Settings are the configuration, without secrets.
	Settings []Setting
	// TemporalAddress, Namespace and Identity are how the process reaches Temporal; TemporalURL is the base URL of its Web UI,
	// empty when that is not known.
	TemporalAddress, Namespace, Identity, TemporalURL string
	// Temporal asks Temporal how it does; nil for none.
	Temporal func(ctx context.Context) (Temporal, error)
}

// Setting is one of the configuration.
type Setting = view.Setting

// What Temporal tells of itself, by its task queues and schedules.
type (
	// Temporal is all of it.
	Temporal = view.Temporal
	// Queue is a task queue.
	Queue = view.Queue
	// Poller is a process that asks a queue for work.
	Poller = view.Poller
	// Schedule is a schedule, or the sweep.
	Schedule = view.Schedule
)

// describeTimeout bounds what Temporal is asked for.
const describeTimeout = 3 * time.Second

func (c *console) systemPages() map[string]page { return map[string]page{"/system": c.system} }

// system shows administrators how the installation is. What does not answer is said to, and the rest is shown.
func (c *console) system(r *request) (view.Page, error) {
	if !r.who.Admin() {
		return view.Page{}, service.ErrAdminsOnly
	}
	shown := view.System{
		Version: c.Version, GoVersion: runtime.Version(), PublicURL: c.PublicURL, Settings: c.System.Settings,
		Address: c.System.TemporalAddress, Namespace: c.System.Namespace, Identity: c.System.Identity, TemporalURL: c.System.TemporalURL,
		Streams: c.hub.streams(), MostStreams: mostStreams,
	}
	var asked sync.WaitGroup
	asked.Go(func() { shown.Checks = c.checks(r) })
	asked.Go(func() {
		facts, err := c.Service.DatabaseFacts(r.Context(), r.who)
		if err != nil {
			c.Logger.WarnContext(r.Context(), "the database does not tell of itself", "error", err)
			return
		}
		shown.Database = &facts
	})
	if c.System.Temporal != nil {
		asked.Go(func() {
			ctx, cancel := context.WithTimeout(r.Context(), describeTimeout)
			defer cancel()
			facts, err := c.System.Temporal(ctx)
			if err != nil {
				c.Logger.WarnContext(ctx, "Temporal does not tell of itself", "error", err)
				return
			}
			shown.Temporal = &facts
		})
	}
	asked.Wait()
	return view.Page{Title: "System", Section: "system", Body: view.SystemPage(shown)}, nil
}

// checks are what /readyz says: asked here, they are shared with whoever asks there.
func (c *console) checks(r *request) []view.Check {
	answer := c.ask(r, call{Method: http.MethodGet, Path: "/readyz"})
	var ready struct {
		Checks map[string]string `json:"checks"`
	}
	if err := json.Unmarshal(answer.body, &ready); err != nil {
		c.Logger.WarnContext(r.Context(), "what is ready cannot be read", "error", err)
	}
	var checks []view.Check
	for _, name := range slices.Sorted(maps.Keys(ready.Checks)) {
		checks = append(checks, view.Check{Name: name, Outcome: ready.Checks[name]})
	}
	return checks
}
