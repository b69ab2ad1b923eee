package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"net/http/httptest"

	"log/slog"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/api"
	"github.com/postrider/postrider/models"
)

// Neither curl -d nor providers follow a redirect, and load balancers ask with HEAD.
func TestPathsWithASlashAndHeads(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.admin(http.StatusAccepted, "POST", "/api/events/", `{"event":"a","data":1}`)
	items, _ := s.admin(http.StatusOK, "GET", "/api/events/?limit=1", "").list()
	s.admin(http.StatusOK, "GET", "/api/events/"+text(t, items[0], "id")+"/", "")
	source := text(t, s.admin(http.StatusCreated, "POST", "/api/sources/", bodies["create-source"]).object(), "id")
	s.call("", "POST", "/webhooks/"+source+"/", "{}").problem(http.StatusUnauthorized, "bad_signature")
	s.call(adminKey, "GET", "/api/nothing/", "").problem(http.StatusNotFound, "not_found")
	for _, path := range []string{"/api/events", "/api/events/", "/api/webhooks", "/healthz", "/readyz", "/openapi.json", "/docs"} {
		head, get := s.admin(http.StatusOK, "HEAD", path, ""), s.admin(http.StatusOK, "GET", path, "")
		require.Empty(t, head.body)
		require.Equal(t, get.header.Get("Content-Type"), head.header.Get("Content-Type"), path)
	}
}

// Whatever is answered, browsers and caches are told what not to do with it.
func TestEveryAnswerIsHardened(t *testing.T) {
	t.Parallel()
	s := newService(t)
	source := s.admin(http.StatusCreated, "POST", "/api/sources",
		`{"name":"x","scheme":"github","secret":"`+sourceSecret+`","verify_token":"token"}`).object()
	challenge := "/webhooks/" + text(t, source, "id") + "?hub.mode=subscribe&hub.verify_token=token&hub.challenge=%3Cscript%3E"
	require.Equal(t, "<script>", s.call("", "GET", challenge, "").is(http.StatusOK).body)
	for _, call := range [][2]string{
		{"GET", "/api/webhooks"}, {"GET", "/api/nothing"}, {"PUT", "/api/webhooks"}, {"POST", "/api/events"}, {"GET", challenge},
		{"GET", "/healthz"}, {"GET", "/readyz"}, {"GET", "/docs"}, {"GET", "/openapi.json"}, {"DELETE", "/api/webhooks/" + s.webhook(adminKey, "a")},
	} {
		header := s.call(adminKey, call[0], call[1], "").header
		require.Equal(t, "no-store", header.Get("Cache-Control"), call)
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"), call)
		require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'", call)
		require.Contains(t, header.Get("Content-Security-Policy"), "frame-ancestors 'none'", call)
	}
	docs := s.call("", "GET", "/docs", "").header.Get("Content-Security-Policy")
	require.Contains(t, docs, "script-src 'self' 'sha256-")
	require.NotContains(t, strings.Split(docs, "style-src")[0], "unsafe")
}

// However many ask, a condition is looked at once a second.
func TestReadinessIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		var failing atomic.Bool
		handler := api.NewHealth(api.Config{Logger: slog.New(slog.DiscardHandler), Checks: []api.Check{{Name: "database", Run: func(ctx context.Context) error {
			runs.Add(1)
			<-time.After(100 * time.Millisecond) // of the bubble's time
			if failing.Load() {
				return errors.New("is away")
			}
			return ctx.Err()
		}}}})
		ask := func(ctx context.Context, path string) int {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
			return answer.Code
		}
		hangsUp, hangUp := context.WithCancel(t.Context())
		hangUp()
		ask(hangsUp, "/readyz") // its end is not the others'
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				path := "/readyz"
				if i%2 == 0 {
					path = "/readyz/database"
				}
				if code := ask(t.Context(), path); code != http.StatusOK {
					t.Errorf("%d", code)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 1, runs.Load())
		failing.Store(true)
		require.Equal(t, http.StatusOK, ask(t.Context(), "/readyz"), "stands for a second")
		<-time.After(time.Second)
		require.Equal(t, http.StatusServiceUnavailable, ask(t.Context(), "/readyz"))
		require.EqualValues(t, 2, runs.Load())
	})
}

// Answers that nobody reads are bounded in number, for each key: another one's requests are served all the same.
func TestUnreadAnswersAreBounded(t *testing.T) {
	t.Parallel()
	s := newService(t)
	data := `"` + strings.Repeat("x", 1<<20-100) + `"`
	for range 4 {
		s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"a","data":`+data+`}`)
	}
	_, key := s.owner("a")
	// The server's side of these connections fills up at once.
	for range 4 {
		connection, err := net.Dial("tcp", s.Listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = connection.Close() })
		require.NoError(t, connection.(*net.TCPConn).SetReadBuffer(4096))
		_, err = fmt.Fprintf(connection, "GET /api/events?include=data HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", adminKey)
		require.NoError(t, err)
		_, err = connection.Read(make([]byte, 1)) // it has begun
		require.NoError(t, err)
	}
	s.call(adminKey, "GET", "/api/events?include=data", "").problem(http.StatusServiceUnavailable, "unavailable")
	s.call(key, "GET", "/api/events?include=data", "").is(http.StatusOK)
	s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"a","data":1}`)
}

// A body that drips is given up in seconds, before it has taken a connection for a minute; one that comes is not.
func TestBodiesThatDrip(t *testing.T) {
	t.Parallel()
	s := newService(t)
	source := models.Source{OwnerID: models.DefaultOwnerID, Name: "x", Scheme: "github", Active: true}
	require.NoError(t, s.store.CreateSource(t.Context(), &source, []string{sourceSecret}))
	for _, path := range []string{"/api/events", "/webhooks/" + source.ID} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			connection, err := net.Dial("tcp", s.Listener.Addr().String())
			require.NoError(t, err)
			t.Cleanup(func() { _ = connection.Close() })
			_, err = fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n{", path, adminKey)
			require.NoError(t, err)
			require.NoError(t, connection.SetReadDeadline(time.Now().Add(30*time.Second)))
			response, err := http.ReadResponse(bufio.NewReader(connection), nil)
			require.NoError(t, err)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.Equal(t, http.StatusRequestTimeout, response.StatusCode, string(body))
			var problem problem
			require.NoError(t, json.Unmarshal(body, &problem))
			require.Contains(t, problem.Detail, "comes too slowly")
		})
	}
}
