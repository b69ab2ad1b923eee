package egress

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func prefixes(texts ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		parsed[i] = netip.MustParsePrefix(text)
	}
	return parsed
}

const guardHint = "; add it to --allow-targets to permit it"

var guardDecisions = []struct {
	name    string
	allow   []Network
	deny    []netip.Prefix
	ports   []uint16
	target  string
	message string // empty: permitted
}{
	{name: "public IPv4", target: "93.184.215.14:443"},
	{name: "public IPv4, plain port", target: "93.184.215.14:80"},
	{name: "public IPv6", target: "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:443"},
	{name: "public IPv4 as IPv6", target: "[::ffff:93.184.215.14]:443"},
	{name: "public, other port", target: "93.184.215.14:22", message: "port 22 is not one of the permitted ports (80, 443)"},
	{name: "public, port zero", target: "93.184.215.14:0", message: "port 0 is not one of the permitted ports (80, 443)"},
	{name: "public, port list", ports: []uint16{8443, 443}, target: "93.184.215.14:80", message: "port 80 is not one of the permitted ports (443, 8443)"},
	{name: "public, listed port", ports: []uint16{8443, 443}, target: "93.184.215.14:8443"},

	{name: "private", target: "10.0.0.5:443", message: "10.0.0.5 is a private address (10.0.0.0/8)" + guardHint},
	{name: "private, first of range", target: "172.16.0.0:443", message: "172.16.0.0 is a private address (172.16.0.0/12)" + guardHint},
	{name: "private, last of range", target: "172.31.255.255:443", message: "172.31.255.255 is a private address (172.16.0.0/12)" + guardHint},
	{name: "just after the range", target: "172.32.0.0:443"},
	{name: "mapped private", target: "[::ffff:10.0.0.5]:443", message: "10.0.0.5 is a private address (10.0.0.0/8)" + guardHint},
	{name: "CGNAT", target: "100.64.0.1:443", message: "100.64.0.1 is a shared carrier (CGNAT) address (100.64.0.0/10)" + guardHint},
	{name: "loopback", target: "127.255.255.254:80", message: "127.255.255.254 is a loopback address (127.0.0.0/8)" + guardHint},
	{name: "loopback IPv6", target: "[::1]:80", message: "::1 is a loopback address (::1/128)" + guardHint},
	{name: "unspecified", target: "0.0.0.0:80", message: "0.0.0.0 is the unspecified address (0.0.0.0/32)" + guardHint},
	{name: "unspecified IPv6", target: "[::]:80", message: ":: is the unspecified address (::/128)" + guardHint},
	{name: "this network", target: "0.1.2.3:80", message: `0.1.2.3 is an address of "this network" (0.0.0.0/8)` + guardHint},
	{name: "link-local", target: "169.254.1.1:80", message: "169.254.1.1 is a link-local address (169.254.0.0/16)" + guardHint},
	{name: "link-local IPv6 with a zone", target: "[fe80::1%eth0]:80", message: "fe80::1 is a link-local address (fe80::/10)" + guardHint},
	{name: "unique local", target: "[fd12::1]:80", message: "fd12::1 is a private address (fc00::/7)" + guardHint},
	{name: "site-local", target: "[fec0::1]:80", message: "fec0::1 is a site-local address (fec0::/10)" + guardHint},
	{name: "multicast", target: "224.0.0.1:80", message: "224.0.0.1 is a multicast address (224.0.0.0/4)" + guardHint},
	{name: "multicast IPv6", target: "[ff02::1]:80", message: "ff02::1 is a multicast address (ff00::/8)" + guardHint},
	{name: "broadcast", target: "255.255.255.255:80", message: "255.255.255.255 is the broadcast address (255.255.255.255/32)" + guardHint},
	{name: "NAT64", target: "[64:ff9b::7f00:1]:80", message: "64:ff9b::7f00:1 is a NAT64 address (64:ff9b::/96)" + guardHint},
	{name: "NAT64 of a public address", target: "[64:ff9b::5db8:d70e]:80", message: "64:ff9b::5db8:d70e is a NAT64 address (64:ff9b::/96)" + guardHint},
	{name: "local NAT64", target: "[64:ff9b:1::1]:80", message: "64:ff9b:1::1 is a local NAT64 address (64:ff9b:1::/48)" + guardHint},
	{name: "6to4", target: "[2002:7f00:1::]:80", message: "2002:7f00:1:: is a 6to4 address (2002::/16)" + guardHint},
	{name: "Teredo", target: "[2001:0:1::1]:80", message: "2001:0:1::1 is a Teredo address (2001::/32)" + guardHint},
	{name: "IPv4-compatible", target: "[::7f00:1]:80", message: "::7f00:1 is not a public address" + guardHint},
	{name: "IPv4-translated", target: "[::ffff:0:7f00:1]:80", message: "::ffff:0:7f00:1 is not a public address" + guardHint},
	{name: "ISATAP of a private address", target: "[2606:4700::5efe:a00:5]:80", message: "2606:4700::5efe:a00:5 carries the address 10.0.0.5, which may not be reached"},
	{name: "ISATAP of a public address", target: "[2606:4700::200:5efe:5db8:d70e]:80"},

	{name: "metadata", target: "169.254.169.254:80", message: "169.254.169.254 is a cloud metadata address"},
	{name: "metadata IPv6", target: "[fd00:ec2::254]:80", message: "fd00:ec2::254 is a cloud metadata address"},
	{name: "metadata, Alibaba", target: "100.100.100.200:80", message: "100.100.100.200 is a cloud metadata address"},
	{name: "metadata, Azure, public", target: "168.63.129.16:80", message: "168.63.129.16 is a cloud metadata address"},
	{name: "metadata, mapped", target: "[::ffff:169.254.169.254]:80", message: "169.254.169.254 is a cloud metadata address"},
	{name: "metadata in a wide allowed range", allow: mustParseNetworks("0.0.0.0/0"), target: "169.254.169.254:80", message: "169.254.169.254 is a cloud metadata address"},
	{name: "metadata allowed by name", allow: mustParseNetworks("169.254.169.254/32"), target: "169.254.169.254:80"},

	{name: "allowed", allow: mustParseNetworks("10.0.0.0/24"), target: "10.0.0.5:443"},
	{name: "allowed, any port", allow: mustParseNetworks("10.0.0.0/24"), target: "10.0.0.5:9999"},
	{name: "allowed, host bits in the prefix", allow: mustParseNetworks("10.0.0.77/24"), target: "10.0.0.5:443"},
	{name: "allowed, written as mapped prefix", allow: mustParseNetworks("::ffff:10.0.0.0/120"), target: "10.0.0.5:443"},
	{name: "allowed, mapped target", allow: mustParseNetworks("10.0.0.0/24"), target: "[::ffff:10.0.0.5]:443"},
	{name: "allowed IPv6 loopback", allow: mustParseNetworks("::1/128"), target: "[::1]:9999"},
	{name: "beside the allowed", allow: mustParseNetworks("10.0.0.0/24"), target: "10.0.1.5:443", message: "10.0.1.5 is a private address (10.0.0.0/8)" + guardHint},
	{name: "allowed IPv4 does not open NAT64", allow: mustParseNetworks("127.0.0.0/8"), target: "[64:ff9b::7f00:1]:80", message: "64:ff9b::7f00:1 is a NAT64 address (64:ff9b::/96)" + guardHint},
	{name: "allowed NAT64 of a public address", allow: mustParseNetworks("64:ff9b::/96"), target: "[64:ff9b::5db8:d70e]:443"},
	{name: "allowed NAT64 of loopback", allow: mustParseNetworks("64:ff9b::/96"), target: "[64:ff9b::7f00:1]:443", message: "127.0.0.1 is a loopback address (127.0.0.0/8)" + guardHint},
	{name: "all IPv6 allowed, 6to4 of loopback", allow: mustParseNetworks("::/0"), target: "[2002:7f00:1::]:443", message: "127.0.0.1 is a loopback address (127.0.0.0/8)" + guardHint},

	{name: "denied public", deny: prefixes("93.184.215.0/24"), target: "93.184.215.14:443", message: "93.184.215.14 is a denied target (93.184.215.0/24)"},
	{name: "denied wins over allowed", allow: mustParseNetworks("10.0.0.0/8"), deny: prefixes("10.1.0.0/16"), target: "10.1.2.3:443", message: "10.1.2.3 is a denied target (10.1.0.0/16)"},
	{name: "denied, mapped target", deny: prefixes("93.184.215.0/24"), target: "[::ffff:93.184.215.14]:443", message: "93.184.215.14 is a denied target (93.184.215.0/24)"},
	{name: "denied, with a zone", allow: mustParseNetworks("fe80::/10"), deny: prefixes("fe80::1/128"), target: "[fe80::1%1]:80", message: "fe80::1 is a denied target (fe80::1/128)"},
	{name: "denied behind allowed NAT64", allow: mustParseNetworks("64:ff9b::/96"), deny: prefixes("93.184.215.0/24"), target: "[64:ff9b::5db8:d70e]:443", message: "93.184.215.14 is a denied target (93.184.215.0/24)"},
}

func TestGuardDecision(t *testing.T) {
	t.Parallel()
	for _, test := range guardDecisions {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			guard, err := newGuard(test.allow, test.deny, test.ports)
			require.NoError(t, err)
			err = guard.check(netip.MustParseAddrPort(test.target))
			if test.message == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, test.message, requireRefused(t, err))
		})
	}
}

func TestGuardControl(t *testing.T) {
	t.Parallel()
	guard, err := newGuard(nil, nil, nil)
	require.NoError(t, err)
	require.NoError(t, guard.control("tcp4", "93.184.215.14:443", nil))
	require.NoError(t, guard.control("tcp6", "[2606:2800:21f::1]:443", nil))
	for _, network := range []string{"tcp", "udp4", "unix", "ip4:icmp"} {
		requireClass(t, guard.control(network, "93.184.215.14:443", nil), ClassBlocked)
	}
	for _, address := range []string{"", "93.184.215.14", "name:443", "/run/docker.sock"} {
		requireClass(t, guard.control("tcp4", address, nil), ClassBlocked)
	}
	requireClass(t, guard.check(netip.AddrPort{}), ClassBlocked)
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	_, err := New(Config{AllowTargets: []Network{{}}, DenyTargets: append(prefixes("10.0.0.0/8"), netip.Prefix{})})
	require.ErrorContains(t, err, "allowed target 1 is not a valid prefix")
	require.ErrorContains(t, err, "denied target 2 is not a valid prefix")
	_, err = New(Config{Timeout: AttemptTimeout + 1})
	require.ErrorContains(t, err, "timeout")
	_, err = New(Config{ConnectTimeout: -1})
	require.ErrorContains(t, err, "must not be negative")
}

// Every spelling of an inside address that a URL can hold is refused, though
// something listens at that port on loopback and the port is permitted.
func TestHostileTargets(t *testing.T) {
	t.Parallel()
	target, reached := listen(t, func(conn net.Conn) { _ = conn.Close() })
	port := netip.MustParseAddrPort(target).Port()

	// The C library's look-up reads numbers with fewer than four parts, octal and
	// hexadecimal ones as addresses; this name server does the same for the
	// spellings that reach it.
	local := netip.MustParseAddr("127.0.0.1")
	resolver := resolve(t, func(name string) []netip.Addr {
		switch {
		case strings.HasPrefix(name, "0x"), strings.HasSuffix(name, ".nip.example"), strings.HasPrefix(name, "localhost"):
			return []netip.Addr{local}
		}
		return nil
	})
	byName := localClient(t, Config{AllowTargets: []Network{}, AllowPorts: []uint16{port}, Resolver: resolver})
	bySystem := localClient(t, Config{AllowTargets: []Network{}, AllowPorts: []uint16{port}})

	addresses := []string{
		"127.0.0.1", "127.0.0.2", "127.255.255.255", "0.0.0.0", "0.1.2.3",
		"10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1",
		"169.254.169.254", "169.254.170.2", "169.254.1.1", "100.64.0.1", "100.100.100.200",
		"168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
		"224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
		"[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
		"[::ffff:169.254.169.254]", "[::ffff:10.0.0.1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
		"[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]", "[64:ff9b:1::1]",
		"[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
		"[fd00:ec2::254]", "[fd20:ce::254]", "[fc00::1]", "[fe80::1]", "[fe80::1%25lo]", "[fec0::1]",
		"[ff02::1]", "[2001:db8::1]", "[100::1]", "[3fff::1]",
		// Digits and dots of other scripts, which the HTTP client maps to ASCII.
		"①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.０.０.１",
		// Names.
		"localhost", "localhost.", "LOCALHOST", "0x7f.1", "0x7f000001", "0x7F.0x0.0x0.0x1", "127.0.0.1.nip.example",
	}
	for _, host := range addresses {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			address := "http://" + host + ":" + portOf(t, "http://"+target) + "/"
			result, err := byName.Send(unchecked(t, address), 10)
			requireClass(t, err, ClassBlocked)
			require.False(t, result.Sent)
			if !strings.Contains(strings.ToLower(host), "localhost") && !strings.HasSuffix(host, ".example") {
				_, _, err = byName.CheckURL(address)
				requireClass(t, err, ClassBlocked)
			}
		})
	}
	// These hold digits only, so Go's own resolver knows no such name, and the C
	// library's reads them as addresses; neither asks a name server.
	for _, host := range []string{"2130706433", "017700000001", "127.1", "127.0.1", "0177.0.0.1", "0", "10.1", "2852039166"} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			address := "http://" + host + ":" + portOf(t, "http://"+target) + "/"
			result, err := bySystem.Send(unchecked(t, address), 10)
			requireClass(t, err, ClassBlocked)
			require.False(t, result.Sent)
			_, _, err = bySystem.CheckURL(address)
			requireClass(t, err, ClassBlocked)
		})
	}
	t.Cleanup(func() { require.Zero(t, reached.Load()) })
}

func TestHostilePorts(t *testing.T) {
	t.Parallel()
	client := localClient(t, Config{AllowTargets: []Network{}})
	for _, port := range []string{"22", "25", "3306", "6379", "7233", "8233", "65535"} {
		_, err := client.Send(post(t, "http://127.0.0.1:"+port+"/"), 10)
		requireClass(t, err, ClassBlocked)
		for _, host := range []string{"93.184.215.14", "receiver.example"} {
			_, _, err := client.CheckURL("http://" + host + ":" + port + "/")
			require.Equal(t, "port "+port+" is not one of the permitted ports (80, 443)", requireRefused(t, err))
		}
	}
}
