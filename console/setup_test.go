package console_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gorm.io/gorm"

	"github.com/postrider/postrider/api"
	"github.com/postrider/postrider/console"
	"github.com/postrider/postrider/internal/app"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/egress/egresstest"
	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
)

func TestMain(m *testing.M) {
	// gorm never ends the goroutine that tidies a database's prepared statements.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

const adminKey = "prk_the-administrator's"

// site is the API and the console over HTTP, with a real store and a real dispatcher; only Temporal is not there.
type site struct {
	*httptest.Server
	t     testing.TB
	db    *gorm.DB
	store *store.Store
	// service is what both call.
	service *service.Service
}

// newSite runs it all; change, if any, changes what the console is made of.
func newSite(t testing.TB, db *gorm.DB, change ...func(*console.Config)) *site {
	t.Helper()
	s := &site{t: t, db: db, store: storetest.New(t, db, store.Config{})}
	quiet := slog.New(slog.DiscardHandler)
	dispatcher := dispatchtest.New(s.store, &dispatchtest.Temporal{}, quiet)
	t.Cleanup(dispatcher.Close)
	targets, err := egress.New(egress.Config{AllowTargets: egresstest.Networks(t, "127.0.0.0/8")})
	require.NoError(t, err)
	s.service = service.New(service.Config{Store: s.store, Dispatcher: dispatcher, AdminKey: adminKey, Targets: app.NewTargets(targets), Logger: quiet})
	rest := api.New(api.Config{Service: s.service, Version: "0.0.0", PublicURL: "https://postrider.example", Logger: quiet,
		Checks: []api.Check{{Name: "database", Run: s.store.Ping}, {Name: "sweep", Run: func(context.Context) error { return errors.New("is <paused>") }}}})
	ring, err := keyring.New([]byte(strings.Repeat("k", keyring.KeyBytes)))
	require.NoError(t, err)
	cfg := console.Config{
		Service: s.service, API: rest, Keyring: ring, PublicURL: "http://postrider.example", Version: "0.0.0", Logger: quiet,
		ClientAddress: func(r *http.Request) string { return r.RemoteAddr },
		WorkflowURL:   func(workflowID, runID string) string { return "https://temporal.example/" + workflowID + "/" + runID },
	}
	for _, change := range change {
		change(&cfg)
	}
	pages := console.New(cfg)
	mux := http.NewServeMux()
	mux.Handle("/", rest)
	mux.Handle(console.Base+"/", pages)
	mux.Handle(console.PortalBase+"/", pages)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	t.Cleanup(pages.Close)
	return s
}

// browser keeps cookies and follows redirects, as browsers do.
type browser struct {
	*http.Client
	s *site
}

func (s *site) browser() *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	transport := &http.Transport{}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &browser{&http.Client{Jar: jar, Transport: transport}, s}
}

// signedIn is a browser that has signed in with a key.
func (s *site) signedIn(key string) *browser {
	s.t.Helper()
	b := s.browser()
	page := b.post("/console/sign-in", url.Values{"key": {key}})
	require.Equal(s.t, http.StatusOK, page.status, page.body)
	require.NotContains(s.t, page.body, `name="key"`, "signed in")
	return b
}

// page is what a browser gets.
type page struct {
	status int
	header http.Header
	path   string
	body   string
}

func (b *browser) do(method, path string, body io.Reader, header ...string) page {
	b.s.t.Helper()
	r, err := http.NewRequestWithContext(b.s.t.Context(), method, b.s.URL+path, body)
	require.NoError(b.s.t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := b.Do(r)
	require.NoError(b.s.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(b.s.t, err)
	return page{answer.StatusCode, answer.Header, answer.Request.URL.RequestURI(), string(text)}
}

func (b *browser) get(path string, header ...string) page {
	b.s.t.Helper()
	return b.do(http.MethodGet, path, nil, header...)
}

// post sends a form as a page of the console does.
func (b *browser) post(path string, form url.Values, header ...string) page {
	b.s.t.Helper()
	return b.do(http.MethodPost, path, strings.NewReader(form.Encode()),
		append([]string{"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin", "Origin", b.s.URL}, header...)...)
}

// call sends the form of a call, as the script does.
func (b *browser) call(call string, fields url.Values) page {
	b.s.t.Helper()
	form := url.Values{"_call": {call}}
	for name, texts := range fields {
		form[name] = texts
	}
	return b.post("/console/call", form, "HX-Request", "true")
}
