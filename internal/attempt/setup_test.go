package attempt_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/egress/egresstest"
	"github.com/postrider/postrider/internal/rules"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// testRun is the Temporal run of all attempts here.
const testRun = "0190f0a0-0000-7000-8000-000000000000"

var now = time.Date(2026, 1, 2, 3, 4, 5, 123456000, time.UTC)

// rig makes attempts with a real store, a real client and a real receiver.
type rig struct {
	t        *testing.T
	maker    *attempt.Maker
	store    *store.Store
	webhook  models.Webhook
	delivery models.Delivery
	// scheduledAt tells attempts of two deliveries apart: here all have the same Temporal run.
	scheduledAt time.Time

	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	// status and header are what the receiver answers.
	status int
	header http.Header
	// answer, unless nil, says the status.
	answer func(*http.Request) int
}

// opener opens a database of one kind.
type opener = func(testing.TB) *gorm.DB

// onEach runs a test on every kind of database.
func onEach(t *testing.T, test func(t *testing.T, open opener)) {
	t.Helper()
	storetest.EachKind(t, test)
}

// newRig makes a rig with a database of its own.
func newRig(t *testing.T, open opener) *rig {
	t.Helper()
	r := &rig{t: t, status: http.StatusOK, scheduledAt: now}
	receiver := httptest.NewServer(r)
	t.Cleanup(receiver.Close)
	r.store = storetest.New(t, open(t), store.Config{Now: func() time.Time { return now }})
	client, err := egress.New(egress.Config{AllowTargets: egresstest.Networks(t, "127.0.0.0/8")})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	r.maker = &attempt.Maker{
		Store: r.store, Sender: client, Rules: rules.New(), Lanes: attempt.NewLanes(attempt.DefaultConcurrency), Schedule: models.DefaultRetrySchedule(),
		UserAgent: "Postrider/test", Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
	}
	target, err := url.Parse(receiver.URL)
	require.NoError(t, err)
	r.webhook = models.Webhook{
		OwnerID: models.DefaultOwnerID, URL: target.String() + "/hook?token=private", Host: target.Host,
		Events: []string{"*"}, Active: true,
		Headers: models.Headers{"X-Team": "a", "Authorization": "Bearer theirs"},
	}
	require.NoError(t, r.store.CreateWebhook(t.Context(), &r.webhook, storetest.Secret))
	published, err := r.store.Publish(t.Context(), models.Event{Type: "order.created", Data: []byte(`{"b":1.0, "a":1e3}`)})
	require.NoError(t, err)
	r.delivery = published.Deliveries[0]
	return r
}

// ServeHTTP is the receiver.
func (r *rig) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, request)
	r.bodies = append(r.bodies, string(body))
	maps.Copy(w.Header(), r.header)
	status := r.status
	if r.answer != nil {
		status = r.answer(request)
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte("answer"))
}

// deliver makes the attempt with the given sequence, as a workflow does.
func (r *rig) deliver(sequence int) attempt.Result {
	r.t.Helper()
	return r.make(r.input(sequence), attempt.Run{ID: testRun})
}

// make loads what the attempt needs, makes it, and returns the result as the workflow reads it.
func (r *rig) make(in attempt.Input, run attempt.Run) attempt.Result {
	r.t.Helper()
	in = throughJSON(r.t, in)
	job, err := r.maker.Load(r.t.Context(), in, run)
	require.NoError(r.t, err)
	result, err := r.maker.Make(r.t.Context(), job, in, run)
	require.NoError(r.t, err)
	return throughJSON(r.t, result)
}

// throughJSON returns a value as Temporal hands it on.
func throughJSON[T any](t *testing.T, value T) T {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	var read T
	require.NoError(t, json.Unmarshal(text, &read))
	return read
}

func (r *rig) input(sequence int) attempt.Input {
	return attempt.Input{
		DeliveryID: r.delivery.ID, Trigger: models.TriggerSchedule, Sequence: sequence, Failures: sequence - 1, ScheduledAt: r.scheduledAt,
	}
}

func (r *rig) attempts() []models.Attempt {
	r.t.Helper()
	attempts, err := r.store.Attempts(r.t.Context(), r.delivery.ID)
	require.NoError(r.t, err)
	return attempts
}

// asked is a sender that answers 200 and keeps how it was asked.
type asked struct{ how egress.Options }

func (a *asked) Do(_ *http.Request, how egress.Options) (egress.Result, error) {
	a.how = how
	return egress.Result{StatusCode: http.StatusOK}, nil
}
