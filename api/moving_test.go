package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/moving"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// mover imports into a server and keeps what became of each endpoint.
type mover struct {
	*server
	moving.Import
	lines []string
}

func newMover(s *server, key string) *mover {
	m := &mover{server: s}
	m.API = moving.API{URL: s.URL, Key: key, Client: s.Client(), Wait: func(context.Context, time.Duration) error {
		return errors.New("nothing is worth waiting for")
	}}
	m.Report = func(result moving.Result) { m.lines = append(m.lines, result.String()) }
	return m
}

// run imports and returns the lines.
func (m *mover) run(endpoints []moving.Endpoint) []string {
	m.t.Helper()
	m.lines = nil
	require.NoError(m.t, m.Run(m.t.Context(), endpoints))
	return m.lines
}

// endpoints reads JSON in Postrider's own form.
func endpoints(t testing.TB, lines ...string) []moving.Endpoint {
	t.Helper()
	read, err := moving.Read(moving.JSON, []byte(strings.Join(lines, "\n")), moving.Choices{})
	require.NoError(t, err)
	return read
}

const (
	ordersOfAcme = `{"owner":{"external_id":"acme","name":"Acme Ltd","metadata":{"plan":"gold"}},"external_id":"1001",
		"url":"https://acme.example/ä?a=1","events":["order.*"],"secret":"the-secret-that-acme-has","description":" Orders ",
		"headers":{"x-api-key":"key-of-acme"},"metadata":{"team":"billing"},"retry_schedule":["60s","1.5h"],"rate_limit":2.50}`
	pausedOfGlobex = `{"owner":"globex","external_id":"1001","url":"https://globex.example","events":["*"],"secret":"the-secret-that-globex-has","active":false}`
)

func TestImportTwice(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		m := newMover(s, adminKey)
		file := endpoints(t, ordersOfAcme, pausedOfGlobex)

		m.DryRun = true
		require.Equal(t, []string{"line 1: created acme/1001", "line 4: created globex/1001"}, m.run(file))
		found, _ := s.admin(http.StatusOK, "GET", "/api/webhooks", "").list()
		require.Empty(t, found)
		s.admin(http.StatusNotFound, "GET", "/api/owners/acme", "")

		m.DryRun = false
		require.Equal(t, []string{"line 1: created acme/1001", "line 4: created globex/1001"}, m.run(file))
		owner := s.admin(http.StatusOK, "GET", "/api/owners/acme", "").object()
		require.Equal(t, "Acme Ltd", owner["name"])
		require.Equal(t, map[string]any{"plan": "gold"}, owner["metadata"])
		made := s.imported("acme")
		require.Equal(t, owner["id"], made["owner_id"])
		require.Equal(t, "Orders", made["description"])
		require.Equal(t, map[string]any{"x-api-key": "key-of-acme"}, made["headers"])
		require.Equal(t, "the-secret-that-acme-has", s.signingSecret(text(t, made, "id")))
		require.Equal(t, false, s.imported("globex")["active"])

		trail, _ := s.admin(http.StatusOK, "GET", "/api/audit", "").list()
		s.admin(http.StatusOK, "PATCH", "/api/owners/acme", `{"name":"Acme plc"}`)
		require.Equal(t, []string{"line 1: unchanged acme/1001", "line 4: unchanged globex/1001"}, m.run(file))
		require.Equal(t, made["url"], s.imported("acme")["url"])
		require.Equal(t, "Acme plc", s.admin(http.StatusOK, "GET", "/api/owners/acme", "").object()["name"], "an owner that is there stays")
		require.Equal(t, "the-secret-that-acme-has", s.signingSecret(text(t, made, "id")))
		again, _ := s.admin(http.StatusOK, "GET", "/api/audit", "").list()
		require.LessOrEqual(t, len(again)-len(trail), 2, "the change of the owner, and the URL, which was written in another way")
	})
}

// imported is the webhook of an owner that has one.
func (s *server) imported(owner string) map[string]any {
	s.t.Helper()
	found, _ := s.admin(http.StatusOK, "GET", "/api/webhooks?include=headers&owner_id="+owner, "").list()
	require.Len(s.t, found, 1)
	return found[0]
}

// signingSecret is what a webhook signs with.
func (s *server) signingSecret(id string) string {
	s.t.Helper()
	webhook, err := s.store.Webhook(s.t.Context(), models.Scope{}, id)
	require.NoError(s.t, err)
	secrets, err := s.store.SigningSecrets(webhook, s.store.Now())
	require.NoError(s.t, err)
	return secrets[0]
}

// A later run takes over what has changed, and nothing else.
func TestImportOfWhatChanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		m := newMover(s, adminKey)
		m.run(endpoints(t, ordersOfAcme))
		made := s.imported("acme")
		id := text(t, made, "id")
		s.admin(http.StatusOK, "PATCH", "/api/webhooks/"+id, `{"headers":{"X-Other":"kept"}}`)
		s.admin(http.StatusOK, "POST", "/api/webhooks/"+id+"/rotate-secret", `{"secret":"a-secret-of-a-later-day"}`)

		changed := strings.NewReplacer("key-of-acme", "new-key-of-acme", "order.*", "invoice.*", "2.50", "5", "the-secret-that", "another-secret-that").Replace(ordersOfAcme)
		m.DryRun = true
		require.Equal(t, []string{"line 1: changed acme/1001: description, events, headers, rate_limit, retry_schedule, url"}, m.run(endpoints(t, changed)))
		require.Equal(t, []any{"order.*"}, s.imported("acme")["events"])
		m.DryRun = false
		require.Equal(t, []string{"line 1: changed acme/1001: events, headers, rate_limit"}, m.run(endpoints(t, changed)), "the others are only written in another way")
		now := s.imported("acme")
		require.Equal(t, []any{"invoice.*"}, now["events"])
		require.Equal(t, 5.0, now["rate_limit"])
		require.Equal(t, map[string]any{"x-api-key": "new-key-of-acme", "X-Other": "kept"}, now["headers"])
		require.Equal(t, "a-secret-of-a-later-day", s.signingSecret(id), "the file's may be older")

		m.ResetSecrets = true
		require.Equal(t, []string{"line 1: changed acme/1001: secret"}, m.run(endpoints(t, changed)))
		require.Equal(t, "another-secret-that-acme-has", s.signingSecret(id))
	})
}

// Webhooks can be made paused; the run that resumes them says so, and leaves alone what Postrider disabled.
func TestImportPaused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		m := newMover(s, adminKey)
		file := endpoints(t, `{"owner":"acme","external_id":"1","url":"https://acme.example","events":["*"],"secret":"the-secret-that-acme-has","active":true}`)
		m.Paused = true
		m.run(file)
		require.Equal(t, false, s.imported("acme")["active"])
		require.Equal(t, []string{"line 1: unchanged acme/1"}, m.run(file))
		m.Paused = false
		require.Equal(t, []string{"line 1: changed acme/1: active"}, m.run(file))
		require.Equal(t, true, s.imported("acme")["active"])
		m.Paused = true
		require.Equal(t, []string{"line 1: unchanged acme/1"}, m.run(file))
		require.Equal(t, true, s.imported("acme")["active"])

		id := text(t, s.imported("acme"), "id")
		_, err := s.store.UpdateWebhook(t.Context(), models.Scope{}, id, func(w *models.Webhook) error {
			w.Active, w.DisabledReason = false, "answered 410"
			return nil
		})
		require.NoError(t, err)
		m.Paused = false
		require.Equal(t, []string{"line 1: unchanged acme/1"}, m.run(file))
		require.Equal(t, false, s.imported("acme")["active"])

		// What waits for a filter is made paused, and not paused again once it is resumed.
		file[0].ID, file[0].Owner.ExternalID, file[0].Hold = "2", "globex", "its filter is in Outpost's language: set one in CEL"
		require.Equal(t, []string{"line 1: created globex/2 (made paused, because its filter is in Outpost's language: set one in CEL, then resume it)"}, m.run(file))
		require.Equal(t, false, s.imported("globex")["active"])
		s.admin(http.StatusOK, "PATCH", "/api/webhooks/"+text(t, s.imported("globex"), "id"), `{"active":true}`)
		require.Equal(t, []string{"line 1: unchanged globex/2"}, m.run(file))
		require.Equal(t, true, s.imported("globex")["active"])
	})
}

// An owner's key imports into its own webhooks, and nowhere else.
func TestImportByAnOwner(t *testing.T) {
	t.Parallel()
	s := newService(t)
	acme := text(t, s.admin(http.StatusCreated, "POST", "/api/owners", `{"name":"Acme"}`).object(), "id")
	globex := text(t, s.admin(http.StatusCreated, "POST", "/api/owners", `{"name":"Globex"}`).object(), "id")
	key := text(t, s.admin(http.StatusCreated, "POST", "/api/owners/"+acme+"/keys", `{}`).object(), "key")
	file := endpoints(t, ordersOfAcme)
	m := newMover(s, key)
	require.ErrorContains(t, m.Run(t.Context(), file), "; with an owner's key, say with --owner into whose webhooks to import")
	m.Owner = acme
	require.Equal(t, []string{"line 1: created " + acme + "/1001"}, m.run(file))
	require.Equal(t, []string{"line 1: unchanged " + acme + "/1001"}, m.run(file))
	m.Owner = globex
	require.Contains(t, m.run(file)[0], "line 1: refused "+globex+"/1001: ")
	found, _ := s.admin(http.StatusOK, "GET", "/api/webhooks?owner_id="+globex, "").list()
	require.Empty(t, found)
}

// What the API refuses is told with its line and the field; the others are carried over.
func TestImportOfWhatIsRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	m := newMover(s, adminKey)
	lines := m.run(endpoints(t,
		`{"owner":"acme","external_id":"1","url":"ftp://acme.example","events":["a b"],"secret":"the-secret-that-acme-has"}`,
		`{"owner":"acme","external_id":"2","url":"https://acme.example","events":["*"],"secret":"short"}`,
		`{"owner":"acme","external_id":"3","url":"https://acme.example","events":["*"],"secret":"the-secret-that-acme-has","colour":"red"}`,
		`{"owner":"a/b","external_id":"4","url":"https://acme.example","events":["*"],"secret":"the-secret-that-acme-has"}`,
		`{"owner":"a/b","external_id":"5","url":"https://acme.example","events":["*"],"secret":"the-secret-that-acme-has"}`,
		`{"owner":"acme","external_id":"6","url":"https://acme.example","events":["*"],"secret":"the-secret-that-acme-has"}`,
	))
	require.Len(t, lines, 6)
	require.Regexp(t, `^line 1: refused acme/1: url: .*; events\[0\]: expected an event type`, lines[0])
	require.Regexp(t, `^line 2: refused acme/2: secret: expected whsec_`, lines[1])
	require.Regexp(t, `^line 3: refused acme/3: colour: `, lines[2])
	require.Regexp(t, `^line 4: refused a/b/4: owner: `, lines[3])
	require.Regexp(t, `^line 5: refused a/b/5: owner: `, lines[4])
	require.Equal(t, "line 6: created acme/6", lines[5])
	require.NotContains(t, strings.Join(lines, "\n"), "the-secret-that-acme-has")
}

// Every signature that the document describes is one that a webhook can have.
func TestSignaturesOfTheDocument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/moving-in.md")
	require.NoError(t, err)
	forms := regexp.MustCompile(`\{"header":[^`+"`"+`']*\}`).FindAllString(string(text), -1)
	require.Greater(t, len(forms), 4)
	s := newService(t)
	m := newMover(s, adminKey)
	for i, form := range forms {
		var choices moving.Choices
		require.NoError(t, json.Unmarshal([]byte(form), &choices.Signature), form)
		file, err := moving.Read(moving.CSV, fmt.Appendf(nil, "owner,external_id,url,secret\nacme,%d,https://acme.example,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", i), choices)
		require.NoError(t, err)
		require.Equal(t, []string{fmt.Sprintf("line 2: created acme/%d", i)}, m.run(file), form)
		require.Equal(t, []string{fmt.Sprintf("line 2: unchanged acme/%d", i)}, m.run(file), form)
	}
}

// failing loses the answer of a request, as a killed process does, and all after it.
type failing struct {
	http.RoundTripper
	left int
}

func (f *failing) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.left < 0 {
		return nil, errors.New("the process was killed")
	}
	response, err := f.RoundTripper.RoundTrip(r)
	if f.left--; f.left < 0 && err == nil {
		_ = response.Body.Close()
		return nil, errors.New("the process was killed")
	}
	return response, err
}

// An import that is killed at any of its calls goes on when it is run again, and makes nothing twice.
func TestImportGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../internal/moving/testdata/postrider.json")
	require.NoError(t, err)
	file, err := moving.Read(moving.JSON, content, moving.Choices{})
	require.NoError(t, err)
	file = file[:1]
	for i := range 3 {
		e := file[0]
		e.ID, e.Owner.ExternalID = fmt.Sprint("more-", i), []string{"acme", "globex"}[i%2]
		file = append(file, e)
	}
	for calls := 0; ; calls++ {
		s := newService(t)
		m := newMover(s, adminKey)
		m.API.Client = &http.Client{Transport: &failing{s.Client().Transport, calls}}
		if m.Run(t.Context(), file) == nil {
			require.Equal(t, 8, calls, "two for each owner, one for each webhook")
			return
		}
		m = newMover(s, adminKey)
		require.Len(t, m.run(file), len(file))
		found, _ := s.admin(http.StatusOK, "GET", "/api/webhooks", "").list()
		require.Len(t, found, len(file), "killed at call %d", calls)
		for _, line := range m.run(file) {
			require.Contains(t, line, ": unchanged ")
		}
	}
}
