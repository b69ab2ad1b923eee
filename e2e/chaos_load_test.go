package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// receivers of every event: the first answers at once, the second takes its time. Both fail at times.
const (
	receivers   = 2
	slowest     = 1500 * time.Millisecond
	failPercent = 10
	// lastFailing is the last attempt of a delivery that a receiver refuses, so that the schedule is enough.
	lastFailing = 2
)

// publication is one event, from its publisher's point of view, and where it has arrived.
type publication struct {
	id                        string
	tried, accepted           time.Time
	refused, unanswered       int
	arrived                   [receivers]time.Time
	acceptedAgain, deliveries int
}

func (p *publication) complete() bool {
	for _, at := range p.arrived {
		if at.IsZero() {
			return false
		}
	}
	return !p.accepted.IsZero()
}

// visit is one request to a receiver.
type visit struct {
	receiver, event int
	delivery        string
	attempt         string
	began, ended    time.Time
	// status is 0 when the sender was gone before the answer.
	status int
}

func (v visit) succeeded() bool { return v.status == http.StatusOK }

// load publishes events at a steady rate and keeps what becomes of them.
type load struct {
	t      *testing.T
	site   *site
	seed   uint64
	rate   float64
	client *http.Client
	owner  string

	stopping context.CancelFunc
	done     sync.WaitGroup

	mu     sync.Mutex
	events []*publication
	visits []visit
}

func newLoad(t *testing.T, s *site, seed uint64, rate float64) *load {
	t.Helper()
	l := &load{t: t, site: s, seed: seed, rate: rate, client: &http.Client{
		// A publisher that is not answered soon asks again.
		Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}}
	t.Cleanup(l.client.CloseIdleConnections)
	var owner struct{ ID string }
	l.create("/api/owners", object{"name": t.Name()}, &owner)
	l.owner = owner.ID
	for n := range receivers {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { l.receive(n, w, r) }))
		t.Cleanup(server.Close)
		l.create("/api/webhooks", object{"url": server.URL, "events": []string{"*"}, "owner_id": l.owner,
			"retry_schedule": []string{"1s", "2s", "3s"}}, nil)
	}
	return l
}

func (l *load) create(path string, body object, into any) {
	l.t.Helper()
	status, answer, err := l.post(l.t.Context(), 0, path, body, "")
	require.NoError(l.t, err)
	require.Equal(l.t, http.StatusCreated, status, "%s", answer)
	if into != nil {
		require.NoError(l.t, json.Unmarshal(answer, into))
	}
}

func (l *load) post(ctx context.Context, serve int, path string, body object, key string) (int, []byte, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.site.deployment.URL(serve)+path, bytes.NewReader(content))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+l.site.adminKey)
	if key != "" {
		// Set in this form, net/http would repeat the request by itself.
		request.Header["Idempotency-Key"] = []string{key}
	}
	response, err := l.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// start publishes until stop.
func (l *load) start() {
	ctx, cancel := context.WithCancel(context.Background())
	l.stopping = cancel
	l.t.Cleanup(cancel)
	l.done.Go(func() {
		tick := time.NewTicker(time.Duration(float64(time.Second) / l.rate))
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			l.mu.Lock()
			l.events = append(l.events, &publication{tried: time.Now()})
			l.mu.Unlock()
			l.done.Go(func() { l.publish(n) })
		}
	})
}

// publish asks again, with the same key and alternately at each `serve`, until the event is accepted.
func (l *load) publish(n int) {
	const firstPause, longestPause = 250 * time.Millisecond, 2 * time.Second
	body := object{"event": "order.created", "owner_id": l.owner, "data": object{"N": n}}
	ctx, cancel := context.WithTimeout(context.Background(), settlePatience)
	defer cancel()
	for try, pause := n, firstPause; ctx.Err() == nil; try, pause = try+1, min(2*pause, longestPause) {
		status, answer, err := l.post(ctx, try%serveProcesses, "/api/events", body, fmt.Sprintf("event-%d", n))
		if l.answered(n, status, answer, err) {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// answered keeps the answer to a publisher and says whether it was the last word.
func (l *load) answered(n, status int, answer []byte, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	event := l.events[n]
	switch {
	case err != nil:
		event.unanswered++
		return false
	case status == http.StatusServiceUnavailable:
		event.refused++
		return false
	case status != http.StatusAccepted:
		l.t.Errorf("event %d: %d %s", n, status, answer)
		return true
	}
	var published struct {
		ID         string
		Deliveries int
		Duplicate  bool
	}
	if err := json.Unmarshal(answer, &published); err != nil || published.Deliveries != receivers {
		l.t.Errorf("event %d: %v %s", n, err, answer)
	}
	event.id, event.accepted, event.deliveries = published.ID, time.Now(), published.Deliveries
	if published.Duplicate {
		event.acceptedAgain++
	}
	return true
}

// receive plays a receiver. Which attempts fail, and how long they take, follows from the seed, the event and
// the attempt's number.
func (l *load) receive(receiver int, w http.ResponseWriter, r *http.Request) {
	v := visit{receiver: receiver, delivery: r.Header.Get("X-Webhook-Delivery"), attempt: r.Header.Get("X-Webhook-Attempt"), began: time.Now()}
	var body struct{ Data struct{ N int } }
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender died before it had sent the body
	}
	if err := json.Unmarshal(content, &body); err != nil {
		l.t.Errorf("a receiver got %s", content)
		return
	}
	v.event = body.Data.N
	hash := fnv.New64a()
	_, _ = fmt.Fprint(hash, l.seed, receiver, v.event, v.attempt)
	dice := hash.Sum64()
	v.status = http.StatusOK
	if dice%100 < failPercent && v.attempt <= fmt.Sprint(lastFailing) {
		v.status = http.StatusInternalServerError
	}
	if receiver == 1 {
		select {
		case <-time.After(time.Duration(dice % uint64(slowest))):
		case <-r.Context().Done():
			v.status = 0
		}
	}
	v.ended = time.Now()
	l.keep(v)
	if v.status != 0 {
		w.WriteHeader(v.status)
	}
}

func (l *load) keep(v visit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.visits = append(l.visits, v)
	if arrived := &l.events[v.event].arrived[v.receiver]; v.succeeded() && arrived.IsZero() {
		*arrived = v.ended
	}
}

// awaitDeliveries waits until some events have arrived.
func (l *load) awaitDeliveries(n int) {
	l.t.Helper()
	eventually(l.t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		complete := 0
		for _, event := range l.events {
			if event.complete() {
				complete++
			}
		}
		return complete >= n
	}, "%d events do not arrive", n)
}

// settle waits until everything that was published before a moment has arrived, or is late beyond patience.
func (l *load) settle(before time.Time) {
	l.t.Helper()
	deadline := time.NewTimer(settlePatience)
	defer deadline.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !l.settled(before) {
		select {
		case <-tick.C:
		case <-deadline.C:
			return // reconcile says what is lost
		}
	}
}

func (l *load) settled(before time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, event := range l.events {
		if event.tried.After(before) {
			break
		}
		if !event.complete() {
			return false
		}
	}
	return true
}

// stop ends publishing and waits until everything has arrived.
func (l *load) stop() {
	l.t.Helper()
	l.stopping()
	l.done.Wait()
	l.settle(time.Now())
}
