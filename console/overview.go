package console

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

func (c *console) overviewPages() map[string]page { return map[string]page{"/{$}": c.overview} }

// ranges are the times that an overview can tell of, up to now.
var ranges = []struct {
	name string
	long time.Duration
}{{"24h", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour}}

// mostHours is how long a time is told of by hours; a longer one is told of by days.
const mostHours = 7 * 24 * time.Hour

// overview is how everything does. Where there is not much yet, it says how to begin.
func (c *console) overview(r *request) (view.Page, error) {
	asked, err := c.rangeOf(r.URL.Query())
	if err != nil {
		return view.Page{}, err
	}
	shown := view.Overview{Range: asked.name}
	for _, of := range ranges {
		shown.Ranges = append(shown.Ranges, of.name)
	}
	if shown.Steps, err = c.firstSteps(r); err != nil {
		return view.Page{}, err
	}
	if shown.Steps == nil || shown.Steps.Delivery != nil {
		told, again, err := c.told.of(r.Context(), asked.key(r.who), func(ctx context.Context) (service.Overview, error) {
			return c.Service.Overview(ctx, r.who, asked.from, asked.to, asked.interval)
		})
		if err != nil {
			return view.Page{}, err
		}
		shown.Told, shown.Again = &told, again
	}
	return view.Page{
		Title: "Overview", Section: "overview", Live: []string{"deliveries", "events", "audit"}, Charts: true, Body: view.OverviewPage(shown),
	}, nil
}

// asked is the time that an overview is asked for.
type asked struct {
	// name of one of the ranges; empty for another time.
	name     string
	from, to time.Time
	interval string
}

// key names what is told alike.
func (a asked) key(who service.Caller) string {
	if a.name == "" {
		return who.OwnerID + " " + a.from.String() + " " + a.to.String()
	}
	return who.OwnerID + " " + a.name
}

// rangeOf reads the time from an address: one of the ranges, or since and until.
func (c *console) rangeOf(query url.Values) (asked, error) {
	name := cmp.Or(query.Get("range"), ranges[0].name)
	if query.Get("since") != "" || query.Get("until") != "" {
		name = ""
	}
	var of asked
	if name != "" {
		i := slices.IndexFunc(ranges, func(one struct {
			name string
			long time.Duration
		}) bool {
			return one.name == name
		})
		if i < 0 {
			return of, service.FieldsError{{Location: "range", Message: "expected 24h, 7d or 30d"}}
		}
		of.name, of.to = name, c.Now()
		of.from = of.to.Add(-ranges[i].long + time.Hour) // the present hour is one
	} else {
		since, until, err := span(inUTC(query))
		if err != nil {
			return of, err
		}
		of.from, of.to = since, until
		if of.to.IsZero() {
			of.to = c.Now()
		}
		if of.from.IsZero() {
			of.from = of.to.Add(-ranges[0].long)
		}
	}
	of.interval = service.IntervalHour
	if of.to.Sub(of.from) > mostHours {
		of.interval = service.IntervalDay
	}
	return of, nil
}

// inUTC completes times as a browser's field writes them, without seconds and zone.
func inUTC(query url.Values) url.Values {
	times := url.Values{}
	for _, name := range []string{"since", "until"} {
		text := strings.TrimSpace(query.Get(name))
		if at, err := time.Parse("2006-01-02T15:04", text); err == nil {
			text = at.Format(time.RFC3339)
		}
		times.Set(name, text)
	}
	return times
}

// beginners have fewer deliveries than this, and are shown how to begin.
const beginners = 5

// firstSteps says how far somebody is on the way to the first delivery; nil for who has got there long ago.
func (c *console) firstSteps(r *request) (*view.FirstSteps, error) {
	ctx := r.Context()
	deliveries, _, err := c.Service.ListDeliveries(ctx, r.who, models.DeliveryFilter{}, models.Page{Limit: beginners})
	if err != nil || len(deliveries) == beginners {
		return nil, err
	}
	steps := &view.FirstSteps{Receiver: c.ReceiverURL}
	if len(deliveries) > 0 {
		steps.Delivery = &deliveries[0]
		steps.Delivered = slices.ContainsFunc(deliveries, func(d models.Delivery) bool { return d.Status == models.StatusDelivered })
	}
	webhooks, _, err := c.Service.ListWebhooks(ctx, r.who, models.WebhookFilter{}, false, models.Page{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(webhooks) > 0 {
		steps.Webhook = &webhooks[0].Webhook
	}
	events, _, err := c.Service.ListEvents(ctx, r.who, models.EventFilter{}, models.Page{Limit: 1})
	if len(events) > 0 {
		steps.Event = &events[0]
	}
	return steps, err
}

// told keeps what was told last, so that any number of viewers costs the database a twentieth of its time at most.
type told struct {
	now    func() time.Time
	mu     sync.Mutex
	answer map[string]*telling
}

func newTold(now func() time.Time) *told { return &told{now: now, answer: map[string]*telling{}} }

// telling is one answer, which is made once for all who ask meanwhile.
type telling struct {
	ended    chan struct{}
	overview service.Overview
	err      error
	until    time.Time
}

// keptFor is for how many times as long as an answer took it is kept.
const keptFor = 20

// of returns an answer that is not too old, or makes one. Of one that may miss what happened since, it says when to ask again;
// else that is 0.
func (t *told) of(ctx context.Context, key string, tell func(context.Context) (service.Overview, error)) (_ service.Overview, again time.Duration, err error) {
	t.mu.Lock()
	last := t.answer[key]
	if last != nil {
		select {
		case <-last.ended:
			if last.err != nil || !t.now().Before(last.until) {
				last = nil
			}
		default:
		}
	}
	kept := last != nil
	if !kept {
		last = &telling{ended: make(chan struct{})}
		t.forget()
		t.answer[key] = last
		began := t.now()
		go func() {
			defer close(last.ended)
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
			defer cancel()
			last.overview, last.err = tell(ctx)
			last.until = t.now().Add(keptFor * t.now().Sub(began))
		}()
	}
	t.mu.Unlock()
	select {
	case <-last.ended:
		if kept {
			again = max(time.Millisecond, last.until.Sub(t.now()))
		}
		return last.overview, again, last.err
	case <-ctx.Done():
		return service.Overview{}, 0, ctx.Err()
	}
}

// forget drops what has ended.
func (t *told) forget() {
	for key, of := range t.answer {
		select {
		case <-of.ended:
			if !t.now().Before(of.until) {
				delete(t.answer, key)
			}
		default:
		}
	}
}
