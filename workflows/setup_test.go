package workflows_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"gorm.io/gorm"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/egress/egresstest"
	"github.com/postrider/postrider/internal/notify"
	"github.com/postrider/postrider/internal/rules"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/workflows"
)

// start is when every test's clock begins.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// rig runs one delivery's workflow with time skipped. Everything else is real: the activities, the database,
// the client and the receiver.
type rig struct {
	t        *testing.T
	env      *testsuite.TestWorkflowEnvironment
	store    *faultyStore
	receiver *receiver
	webhook  models.Webhook
	delivery models.Delivery
	email    *mailbox
	// activities are what the workflow calls.
	activities *activities.Activities
}

// option changes a rig's webhook before its delivery is made.
type option func(*models.Webhook)

// newEnv returns an environment that skips time.
func newEnv() *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestWorkflowEnvironment()
	// On a busy machine a workflow may get no processor for the second after which the SDK suspects a deadlock.
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
	env.SetStartTime(start)
	// The environment ends a workflow that takes longer than this on its own clock, and a test on the real one.
	env.SetWorkflowRunTimeout(30 * 24 * time.Hour)
	env.SetTestTimeout(3 * time.Minute)
	return env
}

func newRig(t *testing.T, open opener, options ...option) *rig {
	t.Helper()
	env := newEnv()
	r := &rig{t: t, env: env, email: &mailbox{}}
	r.receiver = newReceiver(t, env.Now)
	r.store = &faultyStore{Store: openStore(t, open, env.Now)}
	client, err := egress.New(egress.Config{AllowTargets: egresstest.Networks(t, "127.0.0.0/8")})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	r.activities = &activities.Activities{
		Store: r.store, Email: r.email, Now: env.Now,
		Links: activities.Links{Workflow: func(string) string { return "" }},
		Attempts: &attempt.Maker{
			Store: r.store, Sender: client, Rules: rules.New(), Lanes: attempt.NewLanes(attempt.DefaultConcurrency), Schedule: models.DefaultRetrySchedule(),
			UserAgent: "Postrider/test", Now: env.Now, Logger: slog.New(slog.DiscardHandler), Starter: &starts{ids: map[string]int{}},
		},
	}
	workflows.Register(env, r.activities)
	owner := models.Owner{Name: "acme", Email: "ops@example.com"}
	require.NoError(t, r.store.CreateOwner(t.Context(), &owner))
	target, err := url.Parse(r.receiver.URL)
	require.NoError(t, err)
	r.webhook = models.Webhook{OwnerID: owner.ID, URL: target.String(), Host: target.Host, Events: []string{"*"}, Active: true}
	for _, option := range options {
		option(&r.webhook)
	}
	require.NoError(t, r.store.CreateWebhook(t.Context(), &r.webhook, storetest.Secret))
	published, err := r.store.Publish(t.Context(), models.Event{Type: "order.created", Data: []byte(`{"id":1}`), OwnerID: owner.ID})
	require.NoError(t, err)
	r.delivery = published.Deliveries[0]
	return r
}

// opener opens a database of one kind.
type opener = func(testing.TB) *gorm.DB

// onEach runs a test on every kind of database.
func onEach(t *testing.T, test func(t *testing.T, open opener)) {
	t.Helper()
	storetest.EachKind(t, test)
}

func openStore(t *testing.T, open opener, now func() time.Time) *store.Store {
	t.Helper()
	return storetest.New(t, open(t), store.Config{Now: now})
}

// run carries the delivery to its end and returns the workflow's error.
func (r *rig) run() error {
	r.t.Helper()
	r.env.ExecuteWorkflow(workflows.Delivery, contract.DeliveryInput{DeliveryID: r.delivery.ID})
	require.True(r.t, r.env.IsWorkflowCompleted())
	return r.env.GetWorkflowError()
}

// after does something when the workflow has run for a time.
func (r *rig) after(d time.Duration, do func()) { r.env.RegisterDelayedCallback(do, d) }

func (r *rig) resend() {
	r.env.SignalWorkflow(contract.SignalResend, contract.ResendSignal{RequestedBy: "test"})
}

// row is the delivery as the database has it.
func (r *rig) row() models.Delivery {
	r.t.Helper()
	delivery, err := r.store.Delivery(context.Background(), models.Scope{}, r.delivery.ID)
	require.NoError(r.t, err)
	return delivery
}

func (r *rig) attempts() []models.Attempt {
	r.t.Helper()
	attempts, err := r.store.Attempts(context.Background(), r.delivery.ID)
	require.NoError(r.t, err)
	return attempts
}

func (r *rig) status() contract.DeliveryStatus {
	r.t.Helper()
	value, err := r.env.QueryWorkflow(contract.QueryStatus)
	require.NoError(r.t, err)
	var status contract.DeliveryStatus
	require.NoError(r.t, value.Get(&status))
	return status
}

// requireTimes asserts when the receiver was called, on the workflow's clock, from the first request on.
func (r *rig) requireTimes(want ...time.Duration) {
	r.t.Helper()
	requests := r.receiver.requests()
	got := make([]time.Duration, len(requests))
	for i, request := range requests {
		got[i] = request.at.Sub(start)
	}
	require.Equal(r.t, want, got)
}

func requireExhausted(t *testing.T, err error) {
	t.Helper()
	var failure *temporal.ApplicationError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, contract.ErrTypeDeliveryExhausted, failure.Type())
}

func requireCanceled(t *testing.T, err error) {
	t.Helper()
	var canceled *temporal.CanceledError
	require.ErrorAs(t, err, &canceled)
}

// answer is what the receiver says to one request.
type answer struct {
	status int
	header map[string]string
	// before runs while the sender waits.
	before func()
}

type request struct {
	at     time.Time
	header http.Header
	body   string
}

// receiver answers as scripted, and with 500 when the script is used up.
type receiver struct {
	*httptest.Server
	now    func() time.Time
	mu     sync.Mutex
	script []answer
	got    []request
}

func newReceiver(t *testing.T, now func() time.Time) *receiver {
	t.Helper()
	r := &receiver{now: now}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, got *http.Request) {
	body, _ := io.ReadAll(got.Body)
	r.mu.Lock()
	next := answer{status: http.StatusInternalServerError}
	if len(r.script) > 0 {
		next, r.script = r.script[0], r.script[1:]
	}
	r.got = append(r.got, request{at: r.now().UTC(), header: got.Header, body: string(body)})
	r.mu.Unlock()
	if next.before != nil {
		next.before()
	}
	for name, value := range next.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(next.status)
}

func (r *receiver) answers(script ...answer) { r.script = script }

// fails answers n requests with 500 and the next with 200.
func (r *receiver) fails(n int) {
	for range n {
		r.script = append(r.script, answer{status: http.StatusInternalServerError})
	}
	r.script = append(r.script, answer{status: http.StatusOK})
}

func (r *receiver) requests() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request(nil), r.got...)
}

var errAway = errors.New("the database is away")

// faultyStore is a real store that is away for some calls.
type faultyStore struct {
	*store.Store
	mu                   sync.Mutex
	failLoad, failRecord int
	// cancelling, unless nil, runs while a cancellation is recorded.
	cancelling func()
}

func (s *faultyStore) CancelDelivery(ctx context.Context, id string, cause models.CancelCause, reason string) error {
	if s.cancelling != nil {
		s.cancelling()
	}
	return s.Store.CancelDelivery(ctx, id, cause, reason)
}

func (s *faultyStore) take(n *int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *n == 0 {
		return false
	}
	*n--
	return true
}

func (s *faultyStore) Job(ctx context.Context, deliveryID, attemptID string) (models.Job, error) {
	if s.take(&s.failLoad) {
		return models.Job{}, errAway
	}
	return s.Store.Job(ctx, deliveryID, attemptID)
}

func (s *faultyStore) RecordAttempt(ctx context.Context, outcome models.Outcome) (models.Recorded, error) {
	if s.take(&s.failRecord) {
		return models.Recorded{}, errAway
	}
	return s.Store.RecordAttempt(ctx, outcome)
}

// mailbox collects notices, after refusing some.
type mailbox struct {
	mu      sync.Mutex
	refuse  []error
	notices []notify.Notice
	tries   int
}

func (m *mailbox) Send(_ context.Context, _ string, notice notify.Notice) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tries++
	if len(m.refuse) > 0 {
		err := m.refuse[0]
		m.refuse = m.refuse[1:]
		return err
	}
	m.notices = append(m.notices, notice)
	return nil
}

// quiet drops what the test environment says.
type quiet struct{}

func (quiet) Debug(string, ...any) {}

func (quiet) Info(string, ...any) {}

func (quiet) Warn(string, ...any) {}

func (quiet) Error(string, ...any) {}
