package egress

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// resolverAt asks the DNS server at address, whatever the system is set to. The
// standard library's look-ups outlive the request that needed them by seconds;
// here they end with the test.
func resolverAt(t testing.TB, address string) *net.Resolver {
	t.Helper()
	ended := t.Context()
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			if err := ended.Err(); err != nil {
				return nil, err
			}
			var dialer net.Dialer
			conn, err := dialer.DialContext(ctx, "udp", address)
			if err == nil {
				context.AfterFunc(ended, func() { _ = conn.Close() })
			}
			return conn, err
		},
	}
}

func TestNameOfAllowedAddress(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
	t.Cleanup(server.Close)
	resolver := resolve(t, func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("127.0.0.1")} })
	client := localClient(t, Config{Resolver: resolver})

	result, err := client.Send(post(t, "http://receiver.example:"+portOf(t, server.URL)+"/"), 100)
	require.NoError(t, err, "a proxy of the environment must not be used")
	require.Equal(t, "ok", string(result.Body))
	require.Equal(t, "127.0.0.1:"+portOf(t, server.URL), result.RemoteAddr)
}

func TestNameOfPrivateAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"10.0.0.5", "192.168.1.1", "169.254.169.254", "fd00::1", "::1", "64:ff9b::a00:5", "127.0.0.1"} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			resolver := resolve(t, func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(address)} })
			client := localClient(t, Config{Resolver: resolver, AllowTargets: []Network{}})
			result, err := client.Send(post(t, "http://inside.example/"), 100)
			require.Contains(t, requireRefused(t, err), address+" is ")
			require.False(t, result.Sent)
			require.Empty(t, result.RemoteAddr)
		})
	}
}

// A name that pointed at a permitted address when it was first asked for and at
// another one the next time gets no further than a name that always did.
func TestNameThatChangesBetweenLookUps(t *testing.T) {
	t.Parallel()
	target, reached := listen(t, func(conn net.Conn) { _ = conn.Close() })
	first := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
	}))
	listener, err := net.Listen("tcp", "127.0.0.2:"+portOf(t, "http://"+target))
	require.NoError(t, err)
	require.NoError(t, first.Listener.Close())
	first.Listener = listener
	first.Start()
	t.Cleanup(first.Close)

	var rebound atomic.Bool
	resolver := resolve(t, func(string) []netip.Addr {
		if rebound.Load() {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.2")}
	})
	client := localClient(t, Config{Resolver: resolver, AllowTargets: mustParseNetworks("127.0.0.2/32")})
	address := "http://rebind.example:" + portOf(t, "http://"+target) + "/"

	result, err := client.Send(post(t, address), 0)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, result.StatusCode)

	rebound.Store(true)
	_, err = client.Send(post(t, address), 0)
	require.Contains(t, requireRefused(t, err), "127.0.0.1 is a loopback address (127.0.0.0/8)")
	require.Zero(t, reached.Load())
}

// A redirect leads nowhere, whether it points at metadata, at an address of the inside or at a name of one.
func TestRedirectsToTheInside(t *testing.T) {
	t.Parallel()
	inside, reached := listen(t, func(conn net.Conn) { _ = conn.Close() })
	var asked atomic.Int64
	resolver := resolve(t, func(name string) []netip.Addr {
		if name == "inside.example" {
			asked.Add(1)
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	})
	client := localClient(t, Config{Resolver: resolver})
	for _, location := range []string{
		"http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://" + inside + "/", "//" + inside + "/",
		"http://localhost:" + portOf(t, "http://"+inside) + "/", "http://inside.example:" + portOf(t, "http://"+inside) + "/",
		"http://2130706433:" + portOf(t, "http://"+inside) + "/", "file:///etc/passwd", "gopher://" + inside + "/", "",
	} {
		for _, code := range []int{301, 302, 303, 307, 308, 300, 305} {
			server, requests := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", location)
				w.Header().Set("Refresh", "0; url="+location)
				w.WriteHeader(code)
			})
			result, err := client.Send(post(t, "http://receiver.example:"+portOf(t, server.URL)+"/"), 100)
			require.NoError(t, err)
			require.Equal(t, code, result.StatusCode)
			require.EqualValues(t, 1, requests.Load())
		}
	}
	require.Zero(t, reached.Load())
	require.Zero(t, asked.Load())
}

// Of the several addresses of a name only those that are permitted are tried.
func TestNameOfPrivateAndAllowedAddress(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	resolver := resolve(t, func(string) []netip.Addr {
		return []netip.Addr{netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("127.0.0.1")}
	})
	client := localClient(t, Config{Resolver: resolver})
	result, err := client.Send(post(t, "http://both.example:"+portOf(t, server.URL)), 0)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:"+portOf(t, server.URL), result.RemoteAddr)
}

func TestUnknownName(t *testing.T) {
	t.Parallel()
	client := localClient(t, Config{Resolver: resolve(t, func(string) []netip.Addr { return nil })})
	_, err := client.Send(post(t, "https://foo.example/private?token=secret"), 0)
	require.Equal(t, "no such host: foo.example", requireClass(t, err, ClassDNS))
}

func TestResolverThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	client := localClient(t, Config{Resolver: resolverAt(t, silent.LocalAddr().String()), ConnectTimeout: 50 * time.Millisecond})
	_, err = client.Send(post(t, "https://foo.example/"), 0)
	require.Equal(t, "look-up of foo.example not answered within 50ms", requireClass(t, err, ClassDNS))
}

func portOf(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u.Port()
}
