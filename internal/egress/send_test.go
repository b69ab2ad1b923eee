package egress

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serve starts an HTTP server on loopback and counts its connections.
func serve(t testing.TB, handler http.HandlerFunc) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(handler)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server, &connections
}

func TestSend(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Retry-After", "120")
		w.Header().Set("Seen-Encoding", r.Header.Get("Accept-Encoding"))
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(append([]byte("got "), body...))
	})
	client := localClient(t, Config{})

	result, err := client.Send(post(t, server.URL), 16<<10)
	require.NoError(t, err, "a status code is never an error")
	require.Equal(t, http.StatusServiceUnavailable, result.StatusCode)
	require.Equal(t, "120", result.Header.Get("Retry-After"))
	require.Equal(t, "identity", result.Header.Get("Seen-Encoding"))
	require.JSONEq(t, `{"id":"dlv_1"}`, strings.TrimPrefix(string(result.Body), "got "))
	require.Equal(t, server.Listener.Addr().String(), result.RemoteAddr)
	require.Positive(t, result.Duration)
	require.True(t, result.Sent)
}

func TestKeepLimit(t *testing.T) {
	t.Parallel()
	const size = 1000
	tests := map[string]struct {
		chunked bool
		keep    int
		want    int
	}{
		"nothing":                {keep: 0, want: 0},
		"nothing, chunked":       {chunked: true, keep: 0, want: 0},
		"part":                   {keep: 10, want: 10},
		"part, chunked":          {chunked: true, keep: 10, want: 10},
		"exactly all":            {keep: size, want: size},
		"exactly all, chunked":   {chunked: true, keep: size, want: size},
		"more than all":          {keep: size + 1, want: size},
		"more than all, chunked": {chunked: true, keep: size + 1, want: size},
		"negative":               {keep: -1, want: 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, connections := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if test.chunked {
					_ = http.NewResponseController(w).Flush()
				}
				_, _ = w.Write(bytes.Repeat([]byte("x"), size))
			})
			client := localClient(t, Config{})
			for range 3 { // the second and third reuse the connection and the buffer
				result, err := client.Send(post(t, server.URL), test.keep)
				require.NoError(t, err)
				require.Len(t, result.Body, test.want)
				require.Equal(t, strings.Repeat("x", test.want), string(result.Body))
			}
			require.EqualValues(t, 1, connections.Load())
		})
	}
}

// A kept body belongs to the caller: the next attempt must not write over it.
func TestKeptBodyIsNotShared(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, r.URL.Query().Get("say"))
	})
	client := localClient(t, Config{})
	first, err := client.Send(post(t, server.URL+"?say=first"), 100)
	require.NoError(t, err)
	second, err := client.Send(post(t, server.URL+"?say=other"), 100)
	require.NoError(t, err)
	require.Equal(t, "first", string(first.Body))
	require.Equal(t, "other", string(second.Body))
}

func TestBodyReadLimit(t *testing.T) {
	t.Parallel()
	var written atomic.Int64
	finished := make(chan struct{})
	server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(finished)
		chunk := bytes.Repeat([]byte("x"), 32<<10)
		for { // without end: only the client's hanging up stops it
			n, err := w.Write(chunk)
			written.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	client := localClient(t, Config{})
	result, err := client.Send(post(t, server.URL), 1<<20)
	require.NoError(t, err, "a long body is not an error")
	require.Len(t, result.Body, MaxResponseBody)
	<-finished
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	for _, code := range []int{301, 302, 303, 307, 308} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				http.Redirect(w, r, "/elsewhere", code)
			})
			client := localClient(t, Config{})
			result, err := client.Send(post(t, server.URL), 100)
			require.NoError(t, err)
			require.Equal(t, code, result.StatusCode)
			require.EqualValues(t, 1, requests.Load())
		})
	}
}

func TestConnectionReuse(t *testing.T) {
	t.Parallel()
	server, connections := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"received":true}`)
	})
	client := localClient(t, Config{})
	for range 50 {
		_, err := client.Send(post(t, server.URL), 4)
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, connections.Load())
}

func TestConnectionReuseUnderLoad(t *testing.T) {
	t.Parallel()
	const senders = 8
	server, connections := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	client := localClient(t, Config{MaxIdleConnsPerHost: senders})
	requests := make([]*http.Request, senders*50)
	for i := range requests {
		requests[i] = post(t, server.URL)
	}
	var group sync.WaitGroup
	errs := make([]error, len(requests))
	for i := range senders {
		group.Go(func() {
			for j := i; j < len(requests); j += senders {
				_, errs[j] = client.Send(requests[j], 16)
			}
		})
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))
	// A connection that is not ready in time loses its request to a returning
	// one, so a few more than the senders may be made.
	require.LessOrEqual(t, connections.Load(), int64(2*senders))
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	client := localClient(t, Config{RootCAs: rootsOf(server)})
	for range 2 {
		result, err := client.Send(post(t, server.URL), 100)
		require.NoError(t, err)
		require.Equal(t, "HTTP/2.0", string(result.Body))
		require.Equal(t, server.Listener.Addr().String(), result.RemoteAddr)
	}
}

func rootsOf(server *httptest.Server) *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return roots
}

// An answer that takes over the connection has no body that would ever end.
func TestSwitchingProtocols(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	address, _ := listen(t, func(conn net.Conn) {
		defer close(closed)
		defer func() { _ = conn.Close() }()
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn)
	})
	client := localClient(t, Config{})
	result, err := client.Send(post(t, "http://"+address), 100)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, result.StatusCode)
	<-closed
}

func TestCallersContext(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 2)
	server, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	client := localClient(t, Config{})

	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		result, err := client.Send(post(t, server.URL).WithContext(ctx), 100)
		requireContextError(t, err, context.Canceled)
		require.True(t, result.Sent)
		require.Equal(t, server.Listener.Addr().String(), result.RemoteAddr)
	})
	t.Run("cancelled with a cause", func(t *testing.T) {
		stopping := errors.New("worker is stopping")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(stopping)
		result, err := client.Send(post(t, server.URL).WithContext(ctx), 100)
		requireContextError(t, err, context.Canceled)
		require.ErrorIs(t, err, stopping)
		require.False(t, result.Sent)
	})
	t.Run("its own deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := client.Send(post(t, server.URL).WithContext(ctx), 100)
		requireContextError(t, err, context.DeadlineExceeded)
	})
}

func requireContextError(t testing.TB, err, want error) {
	t.Helper()
	require.ErrorIs(t, err, want)
	var failure *Error
	require.NotErrorAs(t, err, &failure, "a context that ended is no class of failure")
}

func TestTargetsThatNoRequestIsMadeFor(t *testing.T) {
	t.Parallel()
	client := localClient(t, Config{HTTPSOnly: true})
	tests := map[string]string{
		"ftp://host.example/":            "expected a URL that begins with https:// or http://",
		"file:///etc/passwd":             "expected a URL that begins with https:// or http://",
		"/path":                          "expected a URL that begins with https:// or http://",
		"http://host.example/":           "only https URLs are called",
		"https://":                       "expected a URL with a host, such as https://example.com/webhooks",
		"https://:443/":                  "expected a URL with a host, such as https://example.com/webhooks",
		"https://u:p@host.example/":      "expected a URL without user name and password; send credentials in headers",
		"https://host.example/#part":     "expected a URL without #fragment: it is never sent; write %23 for the character",
		"https://host.example:0/":        "expected a port from 1 to 65535",
		"https://host.example:70000/":    "expected a port from 1 to 65535",
		"https://2130706433/":            "the URL's host is a number: write an IPv4 address as four numbers from 0 to 255, such as 192.0.2.1",
		"https://10.0.0.5/hook?key=very": refusal,
		"https://[fd00:ec2::254]/latest": refusal,
	}
	for raw, message := range tests {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			_, _, err := client.CheckURL(raw)
			require.Equal(t, "blocked: "+message, requireClass(t, err, ClassBlocked))
			body := &closeRecorder{Reader: strings.NewReader("{}")}
			request := unchecked(t, raw)
			request.Body = body
			_, err = client.Send(request, 10)
			require.Equal(t, "blocked: "+message, requireClass(t, err, ClassBlocked))
			require.True(t, body.closed.Load())
		})
	}
	for _, raw := range []string{"https://host.example", "https://host.example:8443/hook?key=1", "https://93.184.215.14/", "https://127.0.0.1:9999/"} {
		stored, _, err := client.CheckURL(raw)
		require.NoError(t, err, raw)
		require.Equal(t, raw, stored)
	}
	_, _, err := client.CheckURL("https://93.184.215.14:22/")
	require.Equal(t, "port 22 is not one of the permitted ports (80, 443)", requireRefused(t, err))
	_, _, err = client.CheckURL("https://host.example/" + strings.Repeat("x", MaxURL))
	requireClass(t, err, ClassBlocked)
}

type closeRecorder struct {
	io.Reader
	closed atomic.Bool
}

func (c *closeRecorder) Close() error {
	c.closed.Store(true)
	return nil
}
