package egress

import (
	"bufio"
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// connectProxy is an HTTP proxy that knows CONNECT and keeps what it was asked.
type connectProxy struct {
	*httptest.Server
	// refuse answers with a status instead of connecting, unless it is 0.
	refuse int
	mu     sync.Mutex
	asked  []string
	auth   []string
}

func newProxy(t *testing.T, secure bool, refuse int) *connectProxy {
	t.Helper()
	p := &connectProxy{refuse: refuse}
	p.Server = httptest.NewUnstartedServer(p)
	if secure {
		p.StartTLS()
	} else {
		p.Start()
	}
	t.Cleanup(p.Close)
	return p
}

func (p *connectProxy) url(t *testing.T, user *url.Userinfo) *url.URL {
	t.Helper()
	parsed, err := url.Parse(p.URL)
	require.NoError(t, err)
	parsed.User = user
	return parsed
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.Host)
	p.auth = append(p.auth, r.Header.Get("Proxy-Authorization"))
	p.mu.Unlock()
	if p.refuse != 0 {
		w.WriteHeader(p.refuse)
		return
	}
	target, err := new(net.Dialer).DialContext(r.Context(), "tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = target.Close() }()
	conn, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		_, _ = io.Copy(conn, target)
		_ = conn.Close()
	}()
	_, _ = io.Copy(target, buffered)
}

func (p *connectProxy) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func TestProxyGetsTheCheckedAddress(t *testing.T) {
	t.Parallel()
	for _, secureProxy := range []bool{false, true} {
		for _, secureReceiver := range []bool{false, true} {
			t.Run(map[bool]string{true: "https", false: "http"}[secureProxy]+" to "+map[bool]string{true: "https", false: "http"}[secureReceiver], func(t *testing.T) {
				t.Parallel()
				receiver := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.WriteString(w, r.Host)
				}))
				if secureReceiver {
					receiver.StartTLS()
				} else {
					receiver.Start()
				}
				t.Cleanup(receiver.Close)
				proxy := newProxy(t, secureProxy, 0)
				roots := x509.NewCertPool()
				for _, server := range []*httptest.Server{receiver, proxy.Server} {
					if server.Certificate() != nil {
						roots.AddCert(server.Certificate())
					}
				}
				client := localClient(t, Config{
					Proxy:    proxy.url(t, url.UserPassword("user", "p:w")),
					Resolver: resolve(t, func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("127.0.0.1")} }),
					RootCAs:  roots,
				})
				scheme := "http"
				if secureReceiver {
					scheme = "https"
				}
				// httptest's certificate is good for example.com.
				address := "example.com:" + portOf(t, receiver.URL)
				if secureProxy {
					client.transport.TLSClientConfig.RootCAs = roots
				}
				for range 2 {
					result, err := client.Send(post(t, scheme+"://"+address+"/hook"), 100)
					require.NoError(t, err)
					require.Equal(t, address, string(result.Body))
					require.Equal(t, receiver.Listener.Addr().String(), result.RemoteAddr, "not the proxy's")
				}
				require.Equal(t, []string{"CONNECT " + receiver.Listener.Addr().String()}, proxy.requests(), "once: the connection is used again")
				require.Equal(t, "Basic dXNlcjpwOnc=", proxy.auth[0])
			})
		}
	}
}

// What the guard refuses is not even asked of the proxy; of a name with several addresses the permitted ones
// are tried.
func TestProxyDoesNotGoPastTheGuard(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t, false, 0)
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	client := localClient(t, Config{
		Proxy: proxy.url(t, nil),
		Resolver: resolve(t, func(name string) []netip.Addr {
			if name == "both.example" {
				return []netip.Addr{netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("127.0.0.1")}
			}
			return []netip.Addr{netip.MustParseAddr("169.254.169.254")}
		}),
	})
	for _, target := range []string{"http://10.0.0.5/", "http://[::ffff:10.0.0.5]/", "http://metadata.example/", "http://93.184.216.34:22/"} {
		result, err := client.Send(post(t, target), 100)
		requireClass(t, err, ClassBlocked)
		require.False(t, result.Sent)
	}
	require.Empty(t, proxy.requests())

	_, err := client.Send(post(t, "http://both.example:"+portOf(t, receiver.URL)+"/"), 100)
	require.NoError(t, err)
	require.Equal(t, []string{"CONNECT " + receiver.Listener.Addr().String()}, proxy.requests())
}

func TestProxyThatRefuses(t *testing.T) {
	t.Parallel()
	for status, class := range map[int]Class{
		http.StatusForbidden: ClassBlocked, http.StatusBadGateway: ClassConnectionRefused,
		http.StatusServiceUnavailable: ClassConnectionRefused, http.StatusGatewayTimeout: ClassConnectTimeout,
	} {
		client := localClient(t, Config{Proxy: newProxy(t, false, status).url(t, nil)})
		result, err := client.Send(post(t, "http://127.0.0.1:8080/"), 100)
		message := requireClass(t, err, class)
		if class == ClassBlocked {
			message = requireRefused(t, err)
		}
		require.Contains(t, message, "127.0.0.1:8080")
		require.False(t, result.Sent)
	}
}

// A proxy that does not do its part is no failed attempt of the receiver's.
func TestProxyIsBroken(t *testing.T) {
	t.Parallel()
	gibberish, _ := listen(t, func(conn net.Conn) {
		_, _ = bufio.NewReader(conn).ReadString('\n')
		_, _ = io.WriteString(conn, "220 mail.example ESMTP\r\n")
		_ = conn.Close()
	})
	for name, address := range map[string]string{
		"nothing listens":    "http://" + closedPort(t),
		"another protocol":   "http://" + gibberish,
		"wants a password":   newProxy(t, false, http.StatusProxyAuthRequired).URL,
		"a web server":       newProxy(t, false, http.StatusMethodNotAllowed).URL,
		"an unknown issuer":  newProxy(t, true, 0).URL,
		"too busy for us":    newProxy(t, false, http.StatusTooManyRequests).URL,
		"a broken web proxy": newProxy(t, false, http.StatusInternalServerError).URL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy, err := url.Parse(address)
			require.NoError(t, err)
			proxy.User = url.UserPassword("user", "secret")
			client := localClient(t, Config{Proxy: proxy})
			_, err = client.Send(post(t, "http://127.0.0.1:8080/"), 100)
			require.ErrorIs(t, err, ErrProxy)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestProxyThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	silent, _ := listen(t, func(conn net.Conn) {
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	})
	client := localClient(t, Config{Proxy: &url.URL{Scheme: "http", Host: silent}, ConnectTimeout: 50 * time.Millisecond})
	_, err := client.Send(post(t, "http://127.0.0.1:8080/"), 100)
	require.Contains(t, requireClass(t, err, ClassConnectTimeout), "within 50ms")
}

// A receiver that speaks at once, before it is asked, is heard.
func TestProxyPassesOnEarlyBytes(t *testing.T) {
	t.Parallel()
	const greeting = "HTTP/1.1 200 Connection established\r\n\r\nearly"
	address, _ := listen(t, func(conn net.Conn) {
		_, _ = bufio.NewReader(conn).ReadString('\n')
		_, _ = io.WriteString(conn, greeting)
		_ = conn.Close()
	})
	rules, err := newGuard(loopback(), nil, nil)
	require.NoError(t, err)
	through := &tunnel{proxy: &url.URL{Scheme: "http", Host: address}, guard: rules, resolver: net.DefaultResolver, timeout: time.Minute}
	conn, err := through.dial(context.Background(), "tcp", "127.0.0.1:9")
	require.NoError(t, err)
	early, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Equal(t, "early", string(early))
	require.Equal(t, "127.0.0.1:9", conn.RemoteAddr().String())
	require.NoError(t, conn.Close())
}

func TestCheckProxy(t *testing.T) {
	t.Parallel()
	for text, valid := range map[string]bool{
		"http://proxy:3128": true, "https://user:password@proxy/": true, "http://[::1]:3128": true,
		"socks5://proxy:1080": false, "proxy:3128": false, "http://": false, "http://proxy/path": false, "http://proxy?x=1": false,
	} {
		proxy, err := url.Parse(text)
		require.NoError(t, err)
		_, err = New(Config{Proxy: proxy})
		require.Equal(t, valid, err == nil, text)
	}
}
