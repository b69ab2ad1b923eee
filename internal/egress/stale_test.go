package egress

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// seen counts requests by their paths.
type seen struct {
	mu    sync.Mutex
	paths map[string]int
}

func (s *seen) add(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paths == nil {
		s.paths = map[string]int{}
	}
	s.paths[path]++
}

func (s *seen) times(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paths[path]
}

// script reads requests from one connection and gives each the next of the answers. After the last it closes.
func (s *seen) script(answers ...string) func(net.Conn) {
	return func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		reader := bufio.NewReader(conn)
		for _, reply := range answers {
			req, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			s.add(req.URL.Path)
			_, _ = io.WriteString(conn, reply)
		}
	}
}

// A receiver that lets go of every connection behind our back costs nobody an attempt: whether it closes it
// right after the answer, or only as the next request comes, with a reset or without.
func TestStaleConnectionCostsNoAttempt(t *testing.T) {
	t.Parallel()
	const attempts = 150
	reset := func(conn net.Conn) {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
	ends := map[string]func(net.Conn, *bufio.Reader){
		"closed at once": func(net.Conn, *bufio.Reader) {},
		"reset at once":  func(conn net.Conn, _ *bufio.Reader) { reset(conn) },
		"closed as the next request comes": func(_ net.Conn, reader *bufio.Reader) {
			_, _ = reader.ReadByte()
		},
		"closed when it was read": func(_ net.Conn, reader *bufio.Reader) {
			if req, err := http.ReadRequest(reader); err == nil {
				_, _ = io.Copy(io.Discard, req.Body)
			}
		},
		"reset as the next request comes": func(conn net.Conn, reader *bufio.Reader) {
			_, _ = reader.ReadByte()
			reset(conn)
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var answered seen
			address, connections := listen(t, func(conn net.Conn) {
				defer func() { _ = conn.Close() }()
				reader := bufio.NewReader(conn)
				req, err := http.ReadRequest(reader)
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, req.Body)
				answered.add(req.URL.Path)
				_, _ = io.WriteString(conn, okAnswer)
				end(conn, reader)
			})
			client := localClient(t, Config{})
			for i := range attempts {
				result, err := client.Send(post(t, fmt.Sprintf("http://%s/%d", address, i)), 10)
				require.NoError(t, err, "attempt %d", i)
				require.Equal(t, http.StatusOK, result.StatusCode)
				require.True(t, result.Sent)
				require.Equal(t, address, result.RemoteAddr)
			}
			client.Close()
			for i := range attempts {
				require.Equal(t, 1, answered.times(fmt.Sprintf("/%d", i)), "answers to attempt %d", i)
			}
			require.LessOrEqual(t, connections.Load(), int64(attempts))
		})
	}
}

// A request is repeated for a stale connection only: not once there is a byte of the answer, not on a new
// connection, and not a second time.
func TestWhatIsNotRepeated(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{"plain": "X-Custom", "leave to repeat": "Idempotency-Key", "the same, X-": "X-Idempotency-Key"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var arrived seen
			scripts := make(chan func(net.Conn), 10)
			address, _ := listen(t, func(conn net.Conn) { (<-scripts)(conn) })
			client := localClient(t, Config{})
			send := func(path string) error {
				request := post(t, "http://"+address+path)
				request.Header.Set(header, "key")
				_, err := client.Send(request, 10)
				return err
			}
			scripts <- arrived.script(okAnswer, "H")
			require.NoError(t, send("/first"))
			requireClass(t, send("/answer begun"), ClassReset)
			require.Equal(t, 1, arrived.times("/answer begun"))

			scripts <- arrived.script("")
			requireClass(t, send("/new connection"), ClassReset)
			require.Equal(t, 1, arrived.times("/new connection"))

			scripts <- arrived.script(okAnswer, "")
			scripts <- arrived.script("")
			require.NoError(t, send("/second"))
			requireClass(t, send("/twice stale"), ClassReset)
			require.Equal(t, 2, arrived.times("/twice stale"))
			require.Empty(t, scripts)
			client.Close()
		})
	}
}

// Both sendings share the time of one attempt.
func TestSecondSendingHasTheTimeThatIsLeft(t *testing.T) {
	t.Parallel()
	var arrived seen
	scripts := make(chan func(net.Conn), 2)
	address, _ := listen(t, func(conn net.Conn) { (<-scripts)(conn) })
	client := localClient(t, Config{Timeout: 300 * time.Millisecond})
	scripts <- arrived.script(okAnswer, "")
	scripts <- func(conn net.Conn) {
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}
	_, err := client.Send(post(t, "http://"+address+"/1"), 10)
	require.NoError(t, err)
	result, err := client.Send(post(t, "http://"+address+"/2"), 10)
	require.Equal(t, "no answer within 300ms", requireClass(t, err, ClassTimeout))
	require.True(t, result.Sent)
}

// What happens to the second sending is the attempt's end, and the first may have arrived.
func TestSecondSendingThatIsRefused(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var arrived seen
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := listener.Accept()
		_ = listener.Close()
		if err == nil {
			arrived.script(okAnswer, "")(conn)
		}
	}()
	client := localClient(t, Config{})
	address := listener.Addr().String()
	_, err = client.Send(post(t, "http://"+address+"/1"), 10)
	require.NoError(t, err)
	result, err := client.Send(post(t, "http://"+address+"/2"), 10)
	require.Equal(t, "connection refused by "+address, requireClass(t, err, ClassConnectionRefused))
	require.True(t, result.Sent)
	<-ended
}

type connectionKey struct{}

// An HTTP/2 receiver that drops the connection is sent the request once more; a stream that it resets is not.
func TestStaleHTTP2(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number := requests.Add(1)
		if drop := r.URL.Query().Get("drop"); drop == "stream" || drop == "connection" && number == 2 {
			if conn, ok := r.Context().Value(connectionKey{}).(net.Conn); ok && drop == "connection" {
				_ = conn.Close()
			}
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, r.Proto)
	}))
	server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, conn)
	}
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	client := localClient(t, Config{RootCAs: rootsOf(server)})
	_, err := client.Send(post(t, server.URL), 10)
	require.NoError(t, err)
	result, err := client.Send(post(t, server.URL+"?drop=connection"), 10)
	require.NoError(t, err)
	require.Equal(t, "HTTP/2.0", string(result.Body))
	require.EqualValues(t, 3, requests.Load())
	_, err = client.Send(post(t, server.URL), 10)
	require.NoError(t, err)
	_, err = client.Send(post(t, server.URL+"?drop=stream"), 10)
	require.Equal(t, "HTTP/2 stream reset by the receiver", requireClass(t, err, ClassReset))
	require.EqualValues(t, 5, requests.Load())
}

// A custom header Idempotency-Key arrives, and changes nothing of how requests are repeated.
func TestIdempotencyKeyIsAHeaderLikeAnyOther(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Idempotency-Key")+r.Header.Get("X-Idempotency-Key"))
	})
	client := localClient(t, Config{})
	request := post(t, server.URL)
	request.Header.Set("Idempotency-Key", "a")
	request.Header.Set("X-Idempotency-Key", "b")
	result, err := client.Send(request, 10)
	require.NoError(t, err)
	require.Equal(t, "ab", string(result.Body))
	require.Equal(t, "a", request.Header.Get("Idempotency-Key"), "the caller's header stays")
	// A receiver of HTTP/2 may refuse a request before it looks at it; net/http then repeats it by GetBody.
	require.NotNil(t, prepared(request).GetBody)
}

// A body that cannot be read again is not sent again.
func TestBodyThatIsReadOnce(t *testing.T) {
	t.Parallel()
	var arrived seen
	address, _ := listen(t, arrived.script(okAnswer, ""))
	client := localClient(t, Config{})
	_, err := client.Send(post(t, "http://"+address+"/1"), 10)
	require.NoError(t, err)
	request := post(t, "http://"+address+"/2")
	request.Body, request.GetBody = io.NopCloser(strings.NewReader(`{"id":"dlv_1"}`)), nil
	_, err = client.Send(request, 10)
	requireClass(t, err, ClassReset)
	request = post(t, "http://"+address+"/3")
	request.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
	_, err = rewound(request)
	require.Error(t, err)
}
