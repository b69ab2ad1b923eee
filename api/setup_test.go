package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"gorm.io/gorm"

	"github.com/postrider/postrider/api"
	"github.com/postrider/postrider/internal/app"
	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/egress/egresstest"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

const adminKey = "prk_the-administrator's"

// server is the whole API over HTTP, with a real store and a real dispatcher; only Temporal is not there.
type server struct {
	*httptest.Server
	t        testing.TB
	handler  http.Handler
	db       *gorm.DB
	store    *store.Store
	temporal *temporal
	// promises are what every answer is held against; nil for nothing.
	promises *promises
}

// newService runs the API on a SQLite database; change, if any, changes what it is made of.
func newService(t *testing.T, change ...func(*config)) *server {
	t.Helper()
	return newServiceOn(t, storetest.SQLite(t), change...)
}

func newServiceOn(t testing.TB, db *gorm.DB, change ...func(*config)) *server {
	t.Helper()
	promised, err := readPromises()
	require.NoError(t, err)
	s := &server{t: t, db: db, promises: promised, temporal: &temporal{}, store: storetest.New(t, db, store.Config{Now: newClock()})}
	quiet := slog.New(slog.DiscardHandler)
	starter := start.New(s.temporal, quiet)
	t.Cleanup(starter.Close)
	dispatcher := dispatch.New(dispatch.Config{Store: s.store, Starter: starter, Temporal: s.temporal, Logger: quiet})
	cfg := config{
		Config: api.Config{
			Version: version, PublicURL: "https://postrider.example",
			WorkflowURL: func(workflowID, runID string) string { return "https://temporal.example/" + workflowID + "/" + runID },
			Logger:      quiet,
		},
		Service: service.Config{
			Store: s.store, Dispatcher: dispatcher, AdminKey: adminKey,
			Targets: newTargets(t, egress.Config{AllowTargets: egresstest.Networks(t, "127.0.0.0/8")}),
		},
	}
	for _, change := range change {
		change(&cfg)
	}
	s.handler = newAPI(cfg)
	s.Server = httptest.NewServer(s.handler)
	t.Cleanup(s.Close)
	return s
}

// config is what the API and the service behind it are made of. They share the clock and the log.
type config struct {
	api.Config
	Service service.Config
	// made, unless nil, is told of the service.
	made func(*service.Service)
}

func newAPI(cfg config) http.Handler {
	cfg.Service.Now, cfg.Service.Logger = cfg.Now, cfg.Logger
	cfg.Config.Service = service.New(cfg.Service)
	if cfg.made != nil {
		cfg.made(cfg.Config.Service)
	}
	return api.New(cfg.Config)
}

func newTargets(t testing.TB, cfg egress.Config) service.Targets {
	t.Helper()
	client, err := egress.New(cfg)
	require.NoError(t, err)
	return app.NewTargets(client)
}

// in is the server for a subtest.
func (s *server) in(t testing.TB) *server {
	of := *s
	of.t = t
	return &of
}

// newClock returns a clock that goes on by a microsecond at least, so that the order of IDs, which holds the
// time, is the order of creation.
func newClock() func() time.Time {
	var mu sync.Mutex
	var last time.Time
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if next := last.Add(time.Microsecond); now.Before(next) {
			now = next
		}
		last = now
		return now
	}
}

// reply is an answer of the API.
type reply struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

// call makes a request with a key; more are names and values of headers.
func (s *server) call(key, method, path, body string, more ...string) reply {
	s.t.Helper()
	return s.callIn(s.t.Context(), key, method, path, body, more...)
}

func (s *server) callIn(ctx context.Context, key, method, path, body string, more ...string) reply {
	s.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, content)
	require.NoError(s.t, err)
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(more); i += 2 {
		request.Header.Set(more[i], more[i+1])
	}
	response, err := s.Client().Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	got := reply{s.t, response.StatusCode, response.Header, string(answer)}
	if s.promises != nil {
		// Of the last request, if there were redirects.
		require.NoError(s.t, s.promises.check(response.Request.Method, response.Request.URL.Path, got))
	}
	return got
}

// admin makes a request as the administrator and expects a status.
func (s *server) admin(status int, method, path, body string, more ...string) reply {
	s.t.Helper()
	return s.call(adminKey, method, path, body, more...).is(status)
}

func (r reply) is(status int) reply {
	r.t.Helper()
	require.Equal(r.t, status, r.status, r.body)
	return r
}

// object reads an answer that is an object.
func (r reply) object() map[string]any {
	r.t.Helper()
	require.Equal(r.t, "application/json", r.header.Get("Content-Type"))
	var object map[string]any
	require.NoError(r.t, json.Unmarshal([]byte(r.body), &object), r.body)
	return object
}

// list reads an answer that is a page of a list.
func (r reply) list() (items []map[string]any, next string) {
	r.t.Helper()
	var page struct {
		Data []map[string]any `json:"data"`
		Next *string          `json:"next_cursor"`
	}
	require.NoError(r.t, json.Unmarshal([]byte(r.body), &page), r.body)
	require.NotNil(r.t, page.Data, r.body)
	if page.Next != nil {
		next = *page.Next
	}
	return page.Data, next
}

// problem reads an answer that is an error of the given code.
func (r reply) problem(status int, code string) problem {
	r.t.Helper()
	r.is(status)
	require.Equal(r.t, "application/problem+json", r.header.Get("Content-Type"))
	var got problem
	require.NoError(r.t, json.Unmarshal([]byte(r.body), &got), r.body)
	require.Equal(r.t, code, got.Code, r.body)
	require.Equal(r.t, status, got.Status)
	require.Equal(r.t, "about:blank", got.Type)
	require.Equal(r.t, http.StatusText(status), got.Title)
	require.NotEmpty(r.t, got.Detail)
	return got
}

func members(object map[string]any) []string { return slices.Sorted(maps.Keys(object)) }

// text is a member that must be a text.
func text(t testing.TB, object map[string]any, member string) string {
	t.Helper()
	value, ok := object[member].(string)
	require.True(t, ok, "%s of %v", member, object)
	return value
}

// owner makes an owner with a key and returns both.
func (s *server) owner(name string) (id, key string) {
	s.t.Helper()
	owner := s.admin(http.StatusCreated, "POST", "/api/owners", `{"name":"`+name+`"}`).object()
	id = text(s.t, owner, "id")
	made := s.admin(http.StatusCreated, "POST", "/api/owners/"+id+"/keys", "").object()
	return id, text(s.t, made, "key")
}

// webhook makes a webhook and returns its ID.
func (s *server) webhook(key, events string) string {
	s.t.Helper()
	body := `{"url":"https://example.com/hook","events":["` + events + `"]}`
	return text(s.t, s.call(key, "POST", "/api/webhooks", body).is(http.StatusCreated).object(), "id")
}

// delivery publishes an event to the only webhook that matches it and returns the IDs of both.
func (s *server) delivery(key, event string) (eventID, deliveryID string) {
	s.t.Helper()
	published := s.call(key, "POST", "/api/events", `{"event":"`+event+`","data":{}}`).is(http.StatusAccepted).object()
	require.EqualValues(s.t, 1, published["deliveries"])
	eventID = text(s.t, published, "id")
	items, _ := s.admin(http.StatusOK, "GET", "/api/deliveries?event_id="+eventID, "").list()
	require.Len(s.t, items, 1)
	return eventID, text(s.t, items[0], "id")
}

// attempt records an attempt of a delivery.
func (s *server) attempt(deliveryID string, status models.Status, change ...func(*models.Attempt)) {
	s.t.Helper()
	attempt := models.Attempt{
		ID: typeid.New(typeid.KindAttempt, s.store.Now()), DeliveryID: deliveryID, Number: 1,
		Trigger: models.TriggerSchedule, DurationMS: 12, StartedAt: s.store.Now(),
	}
	for _, change := range change {
		change(&attempt)
	}
	_, err := s.store.RecordAttempt(context.WithoutCancel(s.t.Context()), models.Outcome{
		Attempt: attempt, Status: status, RunID: "run-1",
	})
	require.NoError(s.t, err)
}

// deliver has the workflows that are waited for end well, after one attempt.
func (s *server) deliver() {
	s.temporal.set(func(f *temporal) {
		f.end = func(deliveryID string) error {
			s.attempt(deliveryID, models.StatusDelivered)
			return nil
		}
	})
}

// temporal takes the place of Temporal's client.
type temporal struct {
	client.Client

	mu sync.Mutex
	// end is what a workflow that is waited for comes to; nil for a good end.
	end func(deliveryID string) error
	// away is the answer to every start, cancelErr to every cancellation.
	away, cancelErr error
	// signals are the arguments of the signals that were sent.
	signals []any
	// log has each call, with the ID of the workflow.
	log []string
}

type workflowRun struct {
	client.WorkflowRun
	get func() error
}

func (r workflowRun) Get(context.Context, any) error { return r.get() }

// set changes the answers.
func (f *temporal) set(change func(*temporal)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// asked returns the log.
func (f *temporal) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log)
}

func (f *temporal) ExecuteWorkflow(_ context.Context, options client.StartWorkflowOptions, _ any, _ ...any) (client.WorkflowRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, "start "+options.ID)
	end := f.end
	return workflowRun{get: func() error {
		if end == nil {
			return nil
		}
		return end(options.ID)
	}}, f.away
}

func (f *temporal) SignalWithStartWorkflow(_ context.Context, id, _ string, argument any,
	_ client.StartWorkflowOptions, _ any, _ ...any,
) (client.WorkflowRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, "signal "+id)
	if f.away == nil {
		f.signals = append(f.signals, argument)
	}
	return workflowRun{}, f.away
}

// DescribeWorkflowExecution finds a run, unless there is none to be cancelled.
func (f *temporal) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var none *serviceerror.NotFound
	if errors.As(f.cancelErr, &none) {
		return nil, f.cancelErr
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, Execution: &commonpb.WorkflowExecution{},
	}}, f.away
}

func (f *temporal) CancelWorkflow(_ context.Context, id, _ string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, "cancel "+id)
	return f.cancelErr
}

func (f *temporal) SignalWorkflow(_ context.Context, id, _, signal string, _ any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, signal+" "+id)
	return f.away
}
