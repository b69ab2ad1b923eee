package api_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// idempotencyKeys says that the document has the header for the operation.
func (o operation) takesKey() bool {
	for _, parameter := range o.Parameters {
		if parameter.In == "header" && parameter.Name == "Idempotency-Key" {
			return true
		}
	}
	return false
}

// Every POST of the document that changes something is made once with an Idempotency-Key, and has the same answer again.
func TestEveryPostIsMadeOnce(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	for _, of := range document.operations() {
		if of.Method != http.MethodPost || of.Extension == "" {
			continue // publishing has its own way, and what is only tried changes nothing
		}
		t.Run(of.OperationID, func(t *testing.T) {
			t.Parallel()
			require.True(t, of.takesKey(), "the document says so")
			of := newTemplate(t, document, of)
			s := newService(t)
			s.deliver()
			mine, theirs := s.newTenant("mine"), s.newTenant("theirs")
			s.settle()
			key := mine.key
			if of.forAdmins() {
				key = adminKey
			}
			first := s.fill(of, key, mine, name{}, "", "Idempotency-Key", "k")
			require.Less(t, first.status, 300, first.body)
			require.Empty(t, first.header.Get("Idempotency-Replayed"))
			before := s.state()
			second := s.fill(of, key, mine, name{}, "", "Idempotency-Key", "k")
			require.Equal(t, first.status, second.status)
			require.Equal(t, first.body, second.body)
			require.Equal(t, first.header.Get("Content-Type"), second.header.Get("Content-Type"))
			require.Equal(t, "true", second.header.Get("Idempotency-Replayed"))
			s.unchanged(before)

			// Another request with the key is refused, though it means the same.
			other := of
			other.Path += "?"
			other.body += " "
			conflict := s.fill(other, key, mine, name{}, "", "Idempotency-Key", "k")
			conflict.problem(http.StatusConflict, "idempotency_conflict")
			s.unchanged(before)
			if !of.forAdmins() {
				// Another owner's key of the same name is another.
				require.Less(t, s.fill(of, theirs.key, theirs, name{}, "", "Idempotency-Key", "k").status, 300)
			}
			// What fails is not kept, and leaves the key to the next.
			for _, at := range of.names {
				if at.in == "path" {
					s.fill(of, key, mine, at, s.unknownAs(at.kind, mine.ids[at.kind]), "Idempotency-Key", "other").is(http.StatusNotFound)
				}
			}
		})
	}
}

// unchanged requires that nothing has changed but what the first call has Temporal do in the background.
func (s *server) unchanged(before []string) {
	s.t.Helper()
	changes := slices.DeleteFunc(difference(before, s.state()), func(line string) bool {
		return strings.HasPrefix(line, "+start ") || strings.HasPrefix(line, "+signal ")
	})
	require.Empty(s.t, changes, "nothing changes")
}

// Creations with one key at the same moment, through two processes, make one thing, and all get its answer.
func TestCreationsWithOneKeyMakeOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		one := newServiceOn(t, db)
		two := newServiceOn(t, db)
		const body = `{"url":"https://example.com/once","events":["*"]}`
		var replies [8]reply
		var group sync.WaitGroup
		for i := range replies {
			group.Go(func() {
				through := one
				if i%2 == 1 {
					through = two
				}
				replies[i] = through.call(adminKey, "POST", "/api/webhooks", body, "Idempotency-Key", "once")
			})
		}
		group.Wait()
		for _, reply := range replies {
			require.Equal(t, replies[0].body, reply.body)
			require.Contains(t, reply.is(http.StatusCreated).body, "whsec_")
		}
		items, _ := one.admin(http.StatusOK, "GET", "/api/webhooks", "").list()
		require.Len(t, items, 1)
		entries, _ := one.admin(http.StatusOK, "GET", "/api/audit?action=create-webhook", "").list()
		require.Len(t, entries, 1)

		// The answer has a secret, which is nowhere in clear.
		var sealed [][]byte
		require.NoError(t, db.Table("idempotent_calls").Pluck("sealed", &sealed).Error)
		require.Len(t, sealed, 1)
		require.NotContains(t, string(sealed[0]), "whsec_")
	})
}

// What is refused is not kept: put right, it goes through with the same key.
func TestRefusedCallsAreNotKept(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const good = `{"url":"https://example.com/x","events":["*"]}`
	for _, refused := range []struct {
		body   string
		status int
	}{
		{`{`, 400},
		{`{"url":"x","events":["*"]}`, 422},
		{`{"url":"https://example.com/x","events":["*"],"owner_id":"nobody"}`, 422},
		{`{"url":"https://example.com/x","events":["*"],"description":"` + strings.Repeat("x", 1<<20) + `"}`, 413},
	} {
		s.call(adminKey, "POST", "/api/webhooks", refused.body, "Idempotency-Key", "k").is(refused.status)
	}
	s.call(adminKey, "POST", "/api/webhooks", good, "Idempotency-Key", "k").is(http.StatusCreated)
	for _, wrong := range []string{"a b", strings.Repeat("k", 256), "ü"} {
		problem := s.call(adminKey, "POST", "/api/webhooks", good, "Idempotency-Key", wrong).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, "header.Idempotency-Key", problem.Errors[0].Location)
	}
	items, _ := s.admin(http.StatusOK, "GET", "/api/webhooks", "").list()
	require.Len(t, items, 1)
}

// A call is answered for a day, and then made anew.
func TestAnswersAreKeptForADay(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const body = `{"name":"acme"}`
	first := s.call(adminKey, "POST", "/api/owners", body, "Idempotency-Key", "k").is(http.StatusCreated)
	age := func(by time.Duration) {
		require.NoError(t, s.db.Model(&models.IdempotentCall{}).Where("TRUE").Update("created_at", s.store.Now().Add(-by)).Error)
	}
	age(models.IdempotencyWindow - time.Minute)
	require.Equal(t, first.body, s.call(adminKey, "POST", "/api/owners", body, "Idempotency-Key", "k").body)
	age(models.IdempotencyWindow)
	require.NotEqual(t, first.body, s.call(adminKey, "POST", "/api/owners", body, "Idempotency-Key", "k").is(http.StatusCreated).body)
}

// While a call is under way that no transaction holds, another one is told to come back; when its process has died, it is
// made again once the time is over.
func TestCallUnderWay(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.deliver()
	path := "/api/webhooks/" + s.webhook(adminKey, "*") + "/test"
	s.admin(http.StatusOK, "POST", path, "", "Idempotency-Key", "k")
	lease := func(until time.Time) {
		require.NoError(t, s.db.Model(&models.IdempotentCall{}).Where("TRUE").Update("leased_until", until).Error)
	}
	lease(s.store.Now().Add(time.Minute))
	reply := s.call(adminKey, "POST", path, "", "Idempotency-Key", "k")
	require.Equal(t, "1", reply.header.Get("Retry-After"))
	reply.problem(http.StatusConflict, "idempotency_in_progress")
}

// All that is answered in one commit is done in one transaction: with a single connection, anything else would wait for it.
func TestOneCommitNeedsOneConnection(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		mine := s.newTenant("mine")
		s.settle()
		pool, err := db.DB()
		require.NoError(t, err)
		pool.SetMaxOpenConns(1)
		for _, id := range []string{"create-webhook", "create-owner", "create-source", "create-key", "rotate-secret"} {
			at := slices.IndexFunc(document.operations(), func(of operation) bool { return of.OperationID == id })
			of := newTemplate(t, document, document.operations()[at])
			require.Less(t, s.fill(of, adminKey, mine, name{}, "", "Idempotency-Key", "k").status, 300, id)
		}
	})
}
