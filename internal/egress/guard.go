package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

// guard decides which addresses may be connected to. The IANA special-purpose
// registries are left to package ssrf; what it does not know is added here:
// the order deny before allow, addresses that carry an IPv4 address inside,
// cloud metadata services on public addresses, and messages that tell the
// reader what to do.
type guard struct {
	allow    []netip.Prefix
	deny     []netip.Prefix
	ports    []uint16
	registry *ssrf.Guardian
}

func newGuard(allow, deny []netip.Prefix, ports []uint16) (*guard, error) {
	allowed, allowErr := normalize("allowed", allow)
	denied, denyErr := normalize("denied", deny)
	if err := errors.Join(allowErr, denyErr); err != nil {
		return nil, err
	}
	return &guard{
		allow:    allowed,
		deny:     denied,
		ports:    checkPorts(ports),
		registry: ssrf.New(ssrf.WithAnyPort()),
	}, nil
}

// normalize brings prefixes into the form that addresses are compared in: no
// host bits, and IPv4 not dressed as IPv6.
func normalize(kind string, prefixes []netip.Prefix) ([]netip.Prefix, error) {
	var faults []error
	normal := make([]netip.Prefix, 0, len(prefixes))
	for i, prefix := range prefixes {
		if !prefix.IsValid() {
			faults = append(faults, fmt.Errorf("%s target %d is not a valid prefix", kind, i+1))
			continue
		}
		if prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
		}
		normal = append(normal, prefix.Masked())
	}
	return normal, errors.Join(faults...)
}

// control is a net.Dialer.Control: it runs once the address is final and before
// the first packet.
func (g *guard) control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return blocked("network %s is not used for requests", network)
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return blocked("the target is not an address and port")
	}
	return g.check(target)
}

// check returns nil when target may be connected to, otherwise an *Error of
// class blocked.
func (g *guard) check(target netip.AddrPort) error {
	// A zone names one of our own interfaces and would keep the address from
	// matching any prefix.
	addr := target.Addr().WithZone("").Unmap()
	if !addr.IsValid() {
		return blocked("the target is not an address")
	}
	inner, hasInner := embeddedIPv4(addr)

	if prefix, found := containing(g.deny, addr); found {
		return blocked("%s is a denied target (%s)", addr, prefix)
	}
	if isMetadata(addr) && !slices.Contains(g.allow, single(addr)) {
		return blocked("%s is a cloud metadata address", addr)
	}
	if _, found := containing(g.allow, addr); found {
		if hasInner {
			// Allowing a NAT64 prefix must not open what lies behind it.
			return g.check(netip.AddrPortFrom(inner, target.Port()))
		}
		return nil
	}
	if g.registry.SafeAddr(addr) != nil {
		return blocked("%s is %s; add it to --allow-targets to permit it", addr, describe(addr))
	}
	if hasInner {
		if err := g.check(netip.AddrPortFrom(inner, target.Port())); err != nil {
			return blocked("%s carries the address %s, which may not be reached", addr, inner)
		}
	}
	if !slices.Contains(g.ports, target.Port()) {
		return blocked("port %d is not one of the permitted ports (%s)", target.Port(), joinPorts(g.ports))
	}
	return nil
}

func containing(prefixes []netip.Prefix, addr netip.Addr) (netip.Prefix, bool) {
	for _, prefix := range prefixes {
		if prefix.Contains(addr) {
			return prefix, true
		}
	}
	return netip.Prefix{}, false
}

// single is the prefix that holds addr alone.
func single(addr netip.Addr) netip.Prefix { return netip.PrefixFrom(addr, addr.BitLen()) }

func joinPorts(ports []uint16) string {
	words := make([]string, len(ports))
	for i, port := range ports {
		words[i] = fmt.Sprint(port)
	}
	return strings.Join(words, ", ")
}
