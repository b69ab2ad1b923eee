package api_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// lateHandler calls the next one only when the server has noticed that the sender is gone.
func lateHandler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		<-r.Context().Done()
		next.ServeHTTP(w, r)
	})
}

// dial sends a request as it is and returns its connection.
func dial(t testing.TB, address, request string) *net.TCPConn {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	tcp, ok := conn.(*net.TCPConn)
	require.True(t, ok)
	return tcp
}

// rawRequest is a request as it goes over the wire.
func rawRequest(method, path, body string, header ...string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: postrider\r\nContent-Length: %d\r\n", method, path, len(body))
	for i := 0; i < len(header); i += 2 {
		fmt.Fprintf(&text, "%s: %s\r\n", header[i], header[i+1])
	}
	return text.String() + "\r\n" + body
}

// Every operation of the document that changes something changes it, and says so, though its caller closes its side of
// the connection after the request.
func TestWhatHasBegunIsFinished(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	for _, of := range document.operations() {
		if of.Method == http.MethodGet || of.OperationID == "test-webhook" || slices.Contains(changesNothing, of.OperationID) {
			continue
		}
		t.Run(of.OperationID, func(t *testing.T) {
			t.Parallel()
			of := newTemplate(t, document, of)
			s := newService(t)
			mine := s.newTenant("mine")
			s.settle()
			before := s.state()
			late := httptest.NewServer(lateHandler(s.handler))
			t.Cleanup(late.Close)
			path := of.Path
			for _, place := range of.names {
				path = strings.Replace(path, "{"+place.name+"}", mine.ids[place.kind], 1)
			}
			conn := dial(t, late.Listener.Addr().String(), rawRequest(of.Method, path, of.body, "Authorization", "Bearer "+adminKey))
			require.NoError(t, conn.CloseWrite())
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			defer response.Body.Close()
			require.Less(t, response.StatusCode, 300, response.Status)
			require.NotEmpty(t, difference(before, s.state()))
		})
	}
}

// Reading something for nobody is no use.
func TestReadsEndWithTheirCaller(t *testing.T) {
	t.Parallel()
	s := newService(t)
	late := httptest.NewServer(lateHandler(s.handler))
	t.Cleanup(late.Close)
	conn := dial(t, late.Listener.Addr().String(), rawRequest("GET", "/api/webhooks", "", "Authorization", "Bearer "+adminKey))
	require.NoError(t, conn.CloseWrite())
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
}

// The GET request that asks a source for a challenge is answered, or refused and counted, though its sender closes its
// side after it.
func TestConfirmForASenderThatHangsUp(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id := s.source(`{"name":"x","scheme":"github","secret":"long enough","verify_token":"right"}`)
	late := httptest.NewServer(lateHandler(s.handler))
	t.Cleanup(late.Close)
	for token, want := range map[string]int{"right": http.StatusOK, "wrong": http.StatusForbidden} {
		path := "/webhooks/" + id + "?hub.mode=subscribe&hub.challenge=7&hub.verify_token=" + token
		conn := dial(t, late.Listener.Addr().String(), rawRequest("GET", path, ""))
		require.NoError(t, conn.CloseWrite())
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		defer response.Body.Close()
		require.Equal(t, want, response.StatusCode)
	}
	source, err := s.store.Source(t.Context(), models.Scope{}, id)
	require.NoError(t, err)
	require.EqualValues(t, 1, source.Rejected)
}

// A provider may close its side, or the whole connection, as soon as its request is out: what it sent is stored, and
// acknowledged where it still listens.
func TestReceiveFromASenderThatHangsUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		path := "/webhooks/" + s.source(`{"name":"x","scheme":"stripe","secret":"whsec_of-stripe"}`)
		cfg := signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"whsec_of-stripe"}}
		late := httptest.NewServer(lateHandler(s.handler))
		t.Cleanup(late.Close)
		const each = 20
		var sent sync.WaitGroup
		for i, server := range []*httptest.Server{s.Server, late} {
			for n := range each {
				body := fmt.Sprintf(`{"id":"evt_%d_%d","type":"a"}`, i, n)
				header := s.sign(cfg, body)
				request := rawRequest("POST", path, body, header...)
				closed := dial(t, server.Listener.Addr().String(), request)
				require.NoError(t, closed.Close())
				body = fmt.Sprintf(`{"id":"evt_%d_%d_half","type":"a"}`, i, n)
				half := dial(t, server.Listener.Addr().String(), rawRequest("POST", path, body, s.sign(cfg, body)...))
				sent.Go(func() {
					if err := half.CloseWrite(); err != nil {
						t.Error(err)
						return
					}
					response, err := http.ReadResponse(bufio.NewReader(half), nil)
					if err != nil {
						t.Error(err)
						return
					}
					defer response.Body.Close()
					if response.StatusCode != http.StatusOK {
						t.Error(response.Status)
					}
				})
			}
		}
		sent.Wait()
		require.Eventually(t, func() bool {
			inbound, _, err := s.store.InboundEvents(t.Context(), models.Scope{}, models.InboundFilter{}, models.Page{Limit: models.MaxLimit})
			return err == nil && len(inbound) == 4*each
		}, 30*time.Second, 10*time.Millisecond)
	})
}
