package egress

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseNetwork(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Network{
		"10.213.57.0/24:9000": {netip.MustParsePrefix("10.213.57.0/24"), 9000},
		"10.0.0.0/8":          {netip.MustParsePrefix("10.0.0.0/8"), 0},
		"127.0.0.1/32:65535":  {netip.MustParsePrefix("127.0.0.1/32"), 65535},
		"[fd00::/8]:443":      {netip.MustParsePrefix("fd00::/8"), 443},
		"fd00::/8":            {netip.MustParsePrefix("fd00::/8"), 0},
		"::1/128":             {netip.MustParsePrefix("::1/128"), 0},
	} {
		var network Network
		require.NoError(t, network.UnmarshalText([]byte(text)))
		require.Equal(t, want, network)
		require.Equal(t, text, network.String())
	}
	network, err := ParseNetwork("[fd00::/8]")
	require.NoError(t, err)
	require.Equal(t, "fd00::/8", network.String())
	for text, says := range map[string]string{
		"":                    "write it as 10.0.0.0/24",
		"10.0.0.1":            "write 10.0.0.1/32",
		"fd00::1":             "write fd00::1/128",
		"10.0.0.1:9000":       "10.0.0.1/32:9000",
		"10.0.0.0/24:":        "ends with a colon",
		"10.0.0.0/24:0":       "a number from 1 to 65535",
		"10.0.0.0/24:99999":   "a number from 1 to 65535",
		"10.0.0.0/24:80-90":   "a number from 1 to 65535",
		"10.0.0.0/24:http":    "a number from 1 to 65535",
		"10.0.0.0/33":         "write it as 10.0.0.0/24",
		"fd00::/8:443":        "[fd00::/8]:443",
		"[fd00::/8":           "[fd00::/8]:443",
		"[fd00::/8]443":       "[fd00::/8]:443",
		"[fd00::/8]:":         "[fd00::/8]:443",
		"receiver:9000":       "write",
		"10.0.0.0/24:9000/80": "a number from 1 to 65535",
	} {
		_, err := ParseNetwork(text)
		require.ErrorContains(t, err, says, "%q", text)
	}
}

// A network with a port opens that port and no other: not at its gateway, which is often this host, and not of
// a metadata address.
func TestAllowedPort(t *testing.T) {
	t.Parallel()
	guard, err := newGuard(mustParseNetworks("10.213.57.0/24:9000", "10.213.58.0/24:80", "10.213.58.0/24:443", "169.254.169.254/32:80", "[fd00::/8]:443"), nil, nil)
	require.NoError(t, err)
	for _, target := range []string{"10.213.57.2:9000", "10.213.58.9:80", "10.213.58.9:443", "169.254.169.254:80", "[fd00::1]:443", "[::ffff:10.213.57.2]:9000"} {
		require.NoError(t, guard.check(netip.MustParseAddrPort(target)), target)
	}
	for target, reason := range map[string]string{
		"10.213.57.1:22":       "10.213.57.1 is a private address (10.0.0.0/8); --allow-targets permits 10.213.57.0/24:9000, not port 22",
		"10.213.57.1:443":      "10.213.57.1 is a private address (10.0.0.0/8); --allow-targets permits 10.213.57.0/24:9000, not port 443",
		"169.254.169.254:8080": "169.254.169.254 is a cloud metadata address",
		"[fd00::1]:80":         "fd00::1 is a private address (fc00::/7); --allow-targets permits [fd00::/8]:443, not port 80",
		"93.184.215.14:9000":   "port 9000 is not one of the permitted ports (80, 443)",
	} {
		require.Equal(t, reason, requireRefused(t, guard.check(netip.MustParseAddrPort(target))))
	}
}

// A name is looked up as it is: the search domains of a cluster would make an internal service of it.
func TestNamesAreAbsolute(t *testing.T) {
	t.Parallel()
	for given, dialed := range map[string]string{
		"internal-db:80": "internal-db.:80", "a.example:443": "a.example.:443", "a.example.:443": "a.example.:443",
		"10.0.0.1:80": "10.0.0.1:80", "[::1]:80": "[::1]:80", "[fe80::1%lo]:80": "[fe80::1%lo]:80",
		"localhost:80": "localhost:80", "LocalHost:80": "LocalHost:80",
	} {
		require.Equal(t, dialed, absolute(t.Context(), given))
	}
	client := localClient(t, Config{Resolver: resolve(t, func(string) []netip.Addr { return nil })})
	_, err := client.transport.DialContext(t.Context(), "tcp", "internal-db:80")
	var lookup *net.DNSError
	require.ErrorAs(t, err, &lookup)
	require.Equal(t, "internal-db.", lookup.Name)
}

// The name that developers write is one of the file of hosts, with and without a proxy.
func TestLocalhostIsFound(t *testing.T) {
	t.Parallel()
	server, requests := serve(t, func(http.ResponseWriter, *http.Request) {})
	client := localClient(t, Config{})
	_, err := client.Send(post(t, "http://localhost:"+portOf(t, server.URL)+"/"), 0)
	require.NoError(t, err)
	require.EqualValues(t, 1, requests.Load())

	targets, err := (&tunnel{resolver: net.DefaultResolver}).resolve(t.Context(), absolute(t.Context(), "localhost:80"))
	require.NoError(t, err)
	require.NotEmpty(t, targets)
}

// What a name stands for inside is told to administrators only.
func TestPrivateAddressIsNotTold(t *testing.T) {
	t.Parallel()
	address := closedPort(t)
	resolver := resolve(t, func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("127.0.0.1")} })
	target := "http://inside.example:" + portOf(t, "http://"+address) + "/"
	_, err := localClient(t, Config{Resolver: resolver}).Send(post(t, target), 10)
	require.Equal(t, "connection refused by inside.example:"+portOf(t, target), requireClass(t, err, ClassConnectionRefused))
	var told *Error
	require.ErrorAs(t, err, &told)
	require.Equal(t, "connection refused by "+address, told.Reason())

	proxy := newProxy(t, false, http.StatusBadGateway)
	_, err = localClient(t, Config{Resolver: resolver, Proxy: proxy.url(t, nil)}).Send(post(t, target), 10)
	require.NotContains(t, requireClass(t, err, ClassConnectionRefused), "127.0.0.1")
	require.ErrorAs(t, err, &told)
	require.Contains(t, told.Reason(), address)

	rules, err := newGuard(nil, nil, nil)
	require.NoError(t, err)
	inside := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 443}, Err: syscall.EHOSTUNREACH}
	err = failure{err: inside, host: "inside.example", address: "inside.example:443", guard: rules}.classify()
	require.Equal(t, "no route to inside.example:443", requireClass(t, err, ClassConnectionRefused))
}

func TestCertificateWithoutNames(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	defer server.Close()
	certificate := *server.Certificate()
	require.Contains(t, certificateNames(&certificate), ", only for example.com")
	certificate.DNSNames, certificate.IPAddresses = nil, nil
	require.Equal(t, ": it names no host", certificateNames(&certificate))
	require.Equal(t, ", only for other names", certificateNames(nil))
}
