package egress

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	address := closedPort(t)
	client := localClient(t, Config{})
	result, err := client.Send(post(t, "http://"+address+"/hook?token=secret"), 100)
	require.Equal(t, "connection refused by "+address, requireClass(t, err, ClassConnectionRefused))
	require.False(t, result.Sent)
	require.Empty(t, result.RemoteAddr)
}

// A listener whose queue is full answers no further connection at all.
func TestConnectTimeout(t *testing.T) {
	t.Parallel()
	address := fullListener(t)
	client := localClient(t, Config{ConnectTimeout: 50 * time.Millisecond})
	result, err := client.Send(post(t, "http://"+address), 100)
	require.Equal(t, "no connection to "+address+" within 50ms", requireClass(t, err, ClassConnectTimeout))
	require.False(t, result.Sent)
}

// fullListener listens with the shortest queue there is, fills it and accepts
// nothing.
func fullListener(t testing.TB) string {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Close(socket) })
	require.NoError(t, syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(socket, 0))
	name, err := syscall.Getsockname(socket)
	require.NoError(t, err)
	bound, ok := name.(*syscall.SockaddrInet4)
	require.True(t, ok)
	address := (&net.TCPAddr{IP: bound.Addr[:], Port: bound.Port}).String()
	for range 64 {
		conn, err := net.DialTimeout("tcp", address, 100*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	t.Skip("this kernel queues connections without limit")
	return ""
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		handler http.HandlerFunc
		status  int
		body    string
		message string
	}{
		"no answer": {
			handler: func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
			},
			message: "no answer within 300ms",
		},
		"body stops": {
			handler: func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(w, "so far")
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			},
			status: 200, body: "so far", message: "response body not finished within 300ms",
		},
		"body drips": {
			handler: func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				tick := time.NewTicker(5 * time.Millisecond)
				defer tick.Stop()
				for {
					_, _ = io.WriteString(w, "x")
					_ = http.NewResponseController(w).Flush()
					select {
					case <-tick.C:
					case <-r.Context().Done():
						return
					}
				}
			},
			status: 200, body: "x", message: "response body not finished within 300ms",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _ := serve(t, test.handler)
			client := localClient(t, Config{Timeout: 300 * time.Millisecond})
			result, err := client.Send(post(t, server.URL), 100)
			require.Equal(t, test.message, requireClass(t, err, ClassTimeout))
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
			require.Equal(t, test.status, result.StatusCode)
			require.True(t, strings.HasPrefix(string(result.Body), test.body), "%q", result.Body)
			require.Equal(t, server.Listener.Addr().String(), result.RemoteAddr)
			require.True(t, result.Sent)
		})
	}
}

// A receiver that accepts and then reads nothing stops a large request midway.
func TestRequestThatIsNotRead(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	address, _ := listen(t, func(conn net.Conn) {
		<-release
		_ = conn.Close()
	})
	client := localClient(t, Config{Timeout: 300 * time.Millisecond})
	req := post(t, "http://"+address)
	req.Body, req.ContentLength = io.NopCloser(io.LimitReader(zeros{}, 64<<20)), 64<<20
	_, err := client.Send(req, 100)
	close(release)
	require.Equal(t, "request not read by the receiver within 300ms", requireClass(t, err, ClassTimeout))
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// answer reads one request from a connection, writes raw bytes and closes.
func answer(raw string) func(net.Conn) {
	return func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.Copy(io.Discard, req.Body)
			_, _ = io.WriteString(conn, raw)
		}
	}
}

func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxResponseHeader+1)
	tests := map[string]struct {
		serve   func(net.Conn)
		status  int
		body    string
		message string
	}{
		"reset at once": {
			serve: func(conn net.Conn) {
				buffer := make([]byte, 1)
				_, _ = conn.Read(buffer)
				if tcp, ok := conn.(*net.TCPConn); ok {
					_ = tcp.SetLinger(0)
				}
				_ = conn.Close()
			},
			message: "connection reset by the receiver before it answered",
		},
		"closed without a word": {serve: answer(""), message: "connection closed by the receiver before it answered"},
		"half a status line":    {serve: answer("HTTP/1.1 2"), message: "no valid HTTP answer from the receiver"},
		"not HTTP":              {serve: answer("SSH-2.0-OpenSSH_9.6 secret\r\n"), message: "no valid HTTP answer from the receiver"},
		"bad status":            {serve: answer("HTTP/1.1 abc secret\r\n\r\n"), message: "no valid HTTP answer from the receiver"},
		"bad header":            {serve: answer("HTTP/1.1 200 OK\r\ninvalid header field secret\r\n\r\n"), message: "the answer has a header line that is not valid HTTP"},
		"bad length":            {serve: answer("HTTP/1.1 200 OK\r\nContent-Length: secret\r\n\r\n"), message: "the answer's Content-Length is not one number"},
		"negative length":       {serve: answer("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), message: "the answer's Content-Length is not one number"},
		"two lengths":           {serve: answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nsecret"), message: "the answer's Content-Length is not one number"},
		"unknown encoding":      {serve: answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: secret\r\n\r\n"), message: "the answer's Transfer-Encoding is not one that HTTP/1.1 has"},
		"words of ours":         {serve: answer("bad Content-Length secret\r\n\r\n"), message: "no valid HTTP answer from the receiver"},
		"large headers":         {serve: answer("HTTP/1.1 200 OK\r\nX: " + long + "\r\n\r\n"), message: "response headers are larger than 64 KiB"},
		"body breaks off": {
			serve:  answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsecret"),
			status: 200, body: "secret", message: "connection closed before the response body was complete",
		},
		"chunked body breaks off": {
			serve:  answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecret\r\n"),
			status: 200, body: "secret", message: "connection closed before the response body was complete",
		},
		"chunks are malformed": {
			serve:  answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n"),
			status: 200, message: "response body is not valid HTTP",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, _ := listen(t, test.serve)
			client := localClient(t, Config{})
			result, err := client.Send(post(t, "http://"+address+"/path?query=secret"), 200)
			require.Equal(t, test.message, requireClass(t, err, ClassReset))
			require.Equal(t, test.status, result.StatusCode)
			require.Equal(t, test.body, string(result.Body))
			require.Equal(t, address, result.RemoteAddr)
			require.True(t, result.Sent)
		})
	}
}

func TestInvalidRequestHeader(t *testing.T) {
	t.Parallel()
	client := localClient(t, Config{})
	for name, value := range map[string]string{"X-Custom": "a\r\nHost: inside", "X Custom": "a"} {
		req := post(t, "http://"+closedPort(t))
		req.Header[name] = []string{value}
		_, err := client.Send(req, 10)
		require.Equal(t, "blocked: the request has a header that is not valid HTTP", requireClass(t, err, ClassBlocked))
	}
}

// Failures that a test cannot bring about on a healthy host.
func TestClassifyRareFailures(t *testing.T) {
	t.Parallel()
	dial := func(ip net.IP, err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: ip, Port: 443}, Err: os.NewSyscallError("connect", err)}
	}
	ip4, ip6 := net.IPv4(93, 184, 215, 14), net.ParseIP("2606:4700::1")
	ours := map[string]error{
		"file descriptors":          dial(ip4, syscall.EMFILE),
		"file descriptors, system":  dial(ip4, syscall.ENFILE),
		"buffers":                   dial(ip4, syscall.ENOBUFS),
		"memory":                    dial(ip6, syscall.ENOMEM),
		"local ports":               dial(ip4, syscall.EADDRNOTAVAIL),
		"file descriptors, look-up": &net.DNSError{Err: "dial udp 192.0.2.53:53: socket: too many open files", Name: "a.example"},
	}
	for name, cause := range ours {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := failure{err: cause, host: "a.example"}.classify()
			require.ErrorIs(t, err, ErrOwnHost)
			var attempt *Error
			require.NotErrorAs(t, err, &attempt)
		})
	}
	theirs := []struct {
		err     error
		class   Class
		message string
	}{
		{dial(ip4, syscall.EHOSTUNREACH), ClassConnectionRefused, "no route to 93.184.215.14:443"},
		{dial(ip6, syscall.ENETUNREACH), ClassConnectionRefused, "no route to [2606:4700::1]:443"},
		{dial(ip6, syscall.EADDRNOTAVAIL), ClassConnectionRefused, "no route to [2606:4700::1]:443"},
		{dial(ip4, syscall.ETIMEDOUT), ClassConnectTimeout, "no connection to 93.184.215.14:443 within 10s"},
		{dial(ip4, syscall.ECONNRESET), ClassReset, "connection reset by 93.184.215.14:443"},
		{&net.DNSError{Err: "server misbehaving", Name: "a.example", IsTemporary: true}, ClassDNS, "look-up of a.example failed"},
		{errors.New("http2: client connection lost"), ClassReset, "connection closed by the receiver before it answered"},
		{errors.New(`http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=ENHANCE_YOUR_CALM, debug="secret"`), ClassReset, "HTTP/2 connection given up by the receiver (GOAWAY) before it answered"},
		{errors.New("stream error: stream ID 1; INTERNAL_ERROR; received from peer"), ClassReset, "HTTP/2 stream reset by the receiver"},
		{errors.New("something new"), ClassReset, "no valid HTTP answer from the receiver"},
	}
	rules, err := newGuard(nil, nil, nil)
	require.NoError(t, err)
	for _, test := range theirs {
		t.Run(test.message, func(t *testing.T) {
			t.Parallel()
			err := failure{err: test.err, host: "a.example", address: "a.example:443", guard: rules, limits: limits{connect: ConnectTimeout, attempt: AttemptTimeout}}.classify()
			require.Equal(t, test.message, requireClass(t, err, test.class))
		})
	}
}

func TestForeignText(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a?b?c", foreign("a\nb\u202ec"))
	require.Equal(t, "a?", foreign("a\xff"))
	require.Equal(t, strings.Repeat("é", maxForeignText)+"…", foreign(strings.Repeat("é", maxForeignText+1)))
}
