package console

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/postrider/postrider/models"
)

// What is on the screen changes by itself: a page follows one stream, which says that something that the page shows has
// changed, and the page asks for itself. One loop looks for changes in the database, while anybody follows, for all viewers of
// the process: how many there are makes no difference to the database.

const (
	// lookInterval is how often changes are looked for.
	lookInterval = time.Second
	// mostStreams bounds the streams of a process.
	mostStreams = 500
	// streamCheck is how often a stream asks whether its session goes on, and shows proxies that it lives.
	streamCheck = 20 * time.Second
	// restPerViewer makes pages ask less often the more of them there are: one of two hundred every four seconds.
	restPerViewer = 20 * time.Millisecond
)

// changes is where the loop gets them from.
type changes func(ctx context.Context, known func(key string) bool) ([]models.Change, error)

// hub tells viewers of changes.
type hub struct {
	look   changes
	now    func() time.Time
	logger *slog.Logger
	// name tells this process's counts of changes from others'.
	name string

	mu      sync.Mutex
	viewers map[*viewer]struct{}
	// seen has the keys of the last look; nil before it. count is how many looks have found something.
	seen   map[string]struct{}
	count  int
	stop   context.CancelFunc // of the loop; nil while nobody follows
	closed bool
}

// viewer is one page that somebody looks at.
type viewer struct {
	// ownerID is whose changes it may hear of; empty for all.
	ownerID string
	topics  []string
	// changed has something when the page has to ask for itself.
	changed chan struct{}
}

func newHub(look changes, now func() time.Time, logger *slog.Logger) *hub {
	return &hub{look: look, now: now, logger: logger, name: now().UTC().Format("150405.000"), viewers: map[*viewer]struct{}{}}
}

// follow adds a viewer, who leaves with the function. It fails when there are too many.
func (h *hub) follow(v *viewer) (leave func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.viewers) >= mostStreams {
		return nil, false
	}
	h.viewers[v] = struct{}{}
	if h.stop == nil {
		ctx, stop := context.WithCancel(context.Background())
		h.stop = stop
		h.count++ // what happened while nobody followed is not known
		go h.run(ctx)
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.viewers, v)
		if len(h.viewers) == 0 && h.stop != nil {
			h.stop()
			h.stop, h.seen = nil, nil
		}
	}, true
}

// close ends all streams: a process that stops does not wait for them.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for v := range h.viewers {
		close(v.changed)
		delete(h.viewers, v)
	}
	if h.stop != nil {
		h.stop()
		h.stop = nil
	}
}

func (h *hub) run(ctx context.Context) {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for {
		h.lookOnce(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// lookOnce looks for changes and tells those whom they concern. The first look only learns what there is.
func (h *hub) lookOnce(ctx context.Context) {
	looking, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	h.mu.Lock()
	seen := h.seen
	h.mu.Unlock()
	fresh := map[string]struct{}{}
	found, err := h.look(looking, func(key string) bool {
		_, ok := seen[key]
		if ok {
			fresh[key] = struct{}{}
		}
		return ok
	})
	if err != nil {
		if ctx.Err() == nil {
			h.logger.WarnContext(ctx, "changes are not shown: the database does not answer", "error", err)
		}
		return
	}
	var news []models.Change
	for _, change := range found {
		if _, ok := seen[change.Key]; !ok {
			news = append(news, change)
		}
		fresh[change.Key] = struct{}{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	h.seen = fresh
	if seen == nil || len(news) == 0 {
		return
	}
	h.count++
	for v := range h.viewers {
		if slices.ContainsFunc(news, v.concerned) {
			select {
			case v.changed <- struct{}{}:
			default: // it knows already
			}
		}
	}
}

// concerned says whether a viewer's page shows what has changed.
func (v *viewer) concerned(by models.Change) bool {
	if v.ownerID != "" && v.ownerID != by.OwnerID {
		return false
	}
	return slices.ContainsFunc(v.topics, func(topic string) bool { return topic == "*" || slices.Contains(by.About, topic) })
}

// position says how far a page is that is made now.
func (h *hub) position() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprint(h.name, "-", h.count)
}

// streams is how many pages are followed.
func (h *hub) streams() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.viewers)
}

// rest is how long a page waits until it may hear of changes again.
func (h *hub) rest() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(lookInterval, time.Duration(len(h.viewers))*restPerViewer)
}

// live is a stream for one page.
func (c *console) live(w http.ResponseWriter, r *request) {
	v := &viewer{ownerID: r.who.OwnerID, topics: r.URL.Query()["topic"], changed: make(chan struct{}, 1)}
	leave, ok := c.hub.follow(v)
	if !ok {
		w.Header().Set("Retry-After", "30")
		http.Error(w, "too many pages are followed at present", http.StatusServiceUnavailable)
		return
	}
	defer leave()
	stream := http.NewResponseController(w)
	_ = stream.SetReadDeadline(time.Time{}) // the request is read
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	send := func(text string) bool {
		if stream.SetWriteDeadline(time.Now().Add(streamCheck)) != nil {
			return false
		}
		if _, err := w.Write([]byte(text)); err != nil {
			return false
		}
		return stream.Flush() == nil
	}
	event := func() string { return "event: changed\nid: " + c.hub.position() + "\ndata: \n\n" }
	// Whoever was away, or opened the page before the stream, may have missed something.
	begin := "retry: 2000\n: hello\n\n"
	if at := cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("at")); at != c.hub.position() {
		begin += event()
	}
	if !send(begin) {
		return
	}
	check := time.NewTicker(streamCheck)
	defer check.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-check.C:
			if _, err := c.sessionOf(r.Request); err != nil {
				send("event: signed-out\ndata: \n\n")
				return
			}
			if !send(": still here\n\n") {
				return
			}
		case _, open := <-v.changed:
			if !open || !send(event()) {
				return
			}
			select {
			case <-r.Context().Done():
				return
			case <-time.After(c.hub.rest()):
			}
		}
	}
}
