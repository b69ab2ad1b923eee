package egress

import (
	"fmt"
	"net/netip"
	"slices"
)

// special names an address range for messages. Whether an address is refused
// is not decided here.
type special struct {
	prefix netip.Prefix
	name   string
}

// specials lists ranges of the IANA special-purpose address registries, a
// narrow one before a wide one that contains it.
func specials() []special {
	return []special{
		{netip.MustParsePrefix("0.0.0.0/32"), "the unspecified address"},
		{netip.MustParsePrefix("0.0.0.0/8"), `an address of "this network"`},
		{netip.MustParsePrefix("10.0.0.0/8"), "a private address"},
		{netip.MustParsePrefix("100.64.0.0/10"), "a shared carrier (CGNAT) address"},
		{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address"},
		{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address"},
		{netip.MustParsePrefix("172.16.0.0/12"), "a private address"},
		{netip.MustParsePrefix("192.0.0.0/24"), "an address for protocol assignments"},
		{netip.MustParsePrefix("192.0.2.0/24"), "an address for documentation"},
		{netip.MustParsePrefix("192.168.0.0/16"), "a private address"},
		{netip.MustParsePrefix("198.18.0.0/15"), "an address for benchmarks"},
		{netip.MustParsePrefix("198.51.100.0/24"), "an address for documentation"},
		{netip.MustParsePrefix("203.0.113.0/24"), "an address for documentation"},
		{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address"},
		{netip.MustParsePrefix("255.255.255.255/32"), "the broadcast address"},
		{netip.MustParsePrefix("240.0.0.0/4"), "a reserved address"},
		{netip.MustParsePrefix("::/128"), "the unspecified address"},
		{netip.MustParsePrefix("::1/128"), "a loopback address"},
		{netip.MustParsePrefix("64:ff9b::/96"), "a NAT64 address"},
		{netip.MustParsePrefix("64:ff9b:1::/48"), "a local NAT64 address"},
		{netip.MustParsePrefix("2001::/32"), "a Teredo address"},
		{netip.MustParsePrefix("2001:db8::/32"), "an address for documentation"},
		{netip.MustParsePrefix("2002::/16"), "a 6to4 address"},
		{netip.MustParsePrefix("3fff::/20"), "an address for documentation"},
		{netip.MustParsePrefix("fc00::/7"), "a private address"},
		{netip.MustParsePrefix("fe80::/10"), "a link-local address"},
		{netip.MustParsePrefix("fec0::/10"), "a site-local address"},
		{netip.MustParsePrefix("ff00::/8"), "a multicast address"},
	}
}

// describe says in words why addr is not public.
func describe(addr netip.Addr) string {
	for _, s := range specials() {
		if s.prefix.Contains(addr) {
			return fmt.Sprintf("%s (%s)", s.name, s.prefix)
		}
	}
	return "not a public address"
}

// isMetadata reports whether a cloud hands out credentials at addr. Most of
// these lie in ranges that are refused anyway; they are listed so that an
// allowed range does not open them by accident.
func isMetadata(addr netip.Addr) bool {
	return slices.Contains([]netip.Addr{
		netip.AddrFrom4([4]byte{169, 254, 169, 254}), // AWS, Azure, Google Cloud, Oracle, DigitalOcean and others
		netip.AddrFrom4([4]byte{169, 254, 170, 2}),   // AWS ECS task credentials
		netip.AddrFrom4([4]byte{169, 254, 170, 23}),  // AWS EKS pod identity
		netip.AddrFrom4([4]byte{169, 254, 0, 23}),    // Tencent Cloud
		netip.AddrFrom4([4]byte{169, 254, 42, 42}),   // Scaleway
		netip.AddrFrom4([4]byte{100, 100, 100, 200}), // Alibaba Cloud
		netip.AddrFrom4([4]byte{168, 63, 129, 16}),   // Azure's host agent, a public address
		netip.AddrFrom4([4]byte{192, 0, 0, 192}),     // Oracle Cloud, first generation
		netip.MustParseAddr("fd00:ec2::254"),         // AWS
		netip.MustParseAddr("fd00:ec2::23"),          // AWS EKS pod identity
		netip.MustParseAddr("fd20:ce::254"),          // Google Cloud
		netip.MustParseAddr("fd00:42::42"),           // Scaleway
		netip.MustParseAddr("fd00:c1::a9fe:a9fe"),    // Oracle Cloud
	}, addr)
}

// embeddedIPv4 returns the IPv4 address that a packet to addr ends up at when a
// translator or tunnel stands on the way.
func embeddedIPv4(addr netip.Addr) (netip.Addr, bool) {
	if !addr.Is6() {
		return netip.Addr{}, false
	}
	b := addr.As16()
	at := func(i int) (netip.Addr, bool) {
		return netip.AddrFrom4([4]byte(b[i : i+4])), true
	}
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(addr): // NAT64, RFC 6052
		return at(12)
	case netip.MustParsePrefix("2002::/16").Contains(addr): // 6to4, RFC 3056
		return at(2)
	case netip.MustParsePrefix("2001::/32").Contains(addr): // Teredo, RFC 4380: the client's address, inverted
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), true
	case netip.MustParsePrefix("::/96").Contains(addr) && b[12] != 0: // IPv4-compatible, RFC 4291; not :: and ::1
		return at(12)
	case netip.MustParsePrefix("::ffff:0:0:0/96").Contains(addr): // IPv4-translated, RFC 2765
		return at(12)
	case b[8]&^3 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP, RFC 5214
		return at(12)
	}
	return netip.Addr{}, false
}
