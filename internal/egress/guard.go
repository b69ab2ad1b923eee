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
	allow    []Network
	deny     []netip.Prefix
	ports    []uint16
	registry *ssrf.Guardian
}

func newGuard(allow []Network, deny []netip.Prefix, ports []uint16) (*guard, error) {
	prefixes := make([]netip.Prefix, len(allow))
	for i, network := range allow {
		prefixes[i] = network.Prefix
	}
	opened, allowErr := normalize("allowed", prefixes)
	denied, denyErr := normalize("denied", deny)
	if err := errors.Join(allowErr, denyErr); err != nil {
		return nil, err
	}
	allowed := make([]Network, len(allow))
	for i, prefix := range opened {
		allowed[i] = Network{Prefix: prefix, Port: allow[i].Port}
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
		return notPermitted("network %s is not used for requests", network)
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return notPermitted("the target is not an address and port")
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
		return notPermitted("the target is not an address")
	}
	target = netip.AddrPortFrom(addr, target.Port())
	inner, hasInner := embeddedIPv4(addr)

	if prefix, found := containing(g.deny, addr); found {
		return notPermitted("%s is a denied target (%s)", addr, prefix)
	}
	if isMetadata(addr) && !slices.ContainsFunc(g.allow, func(n Network) bool { return n.Prefix == single(addr) && n.contains(target) }) {
		return notPermitted("%s is a cloud metadata address", addr)
	}
	if slices.ContainsFunc(g.allow, func(n Network) bool { return n.contains(target) }) {
		if hasInner {
			// Allowing a NAT64 prefix must not open what lies behind it.
			return g.check(netip.AddrPortFrom(inner, target.Port()))
		}
		return nil
	}
	if g.registry.SafeAddr(addr) != nil {
		return notPermitted("%s is %s; %s", addr, describe(addr), g.toPermit(target))
	}
	if hasInner {
		if err := g.check(netip.AddrPortFrom(inner, target.Port())); err != nil {
			return notPermitted("%s carries the address %s, which may not be reached", addr, inner)
		}
	}
	return g.checkPublicPort(target.Port())
}

// toPermit says what would open a target that is not public.
func (g *guard) toPermit(target netip.AddrPort) string {
	for _, network := range g.allow {
		if network.Prefix.Contains(target.Addr()) {
			return fmt.Sprintf("--allow-targets permits %s, not port %d", network, target.Port())
		}
	}
	return "add it to --allow-targets to permit it"
}

// checkPort returns nil when something may be connected to on a port.
func (g *guard) checkPort(port uint16) error {
	if slices.ContainsFunc(g.allow, func(n Network) bool { return n.opens(port) }) {
		return nil
	}
	return g.checkPublicPort(port)
}

func (g *guard) checkPublicPort(port uint16) error {
	if slices.Contains(g.ports, port) {
		return nil
	}
	return notPermitted("port %d is not one of the permitted ports (%s)", port, joinPorts(g.ports))
}

func containing(prefixes []netip.Prefix, addr netip.Addr) (netip.Prefix, bool) {
	for _, prefix := range prefixes {
		if prefix.Contains(addr) {
			return prefix, true
		}
	}
	return netip.Prefix{}, false
}

// public says that an address is one of the internet's, which may be told.
func (g *guard) public(addr netip.Addr) bool {
	addr = addr.WithZone("").Unmap()
	return addr.IsValid() && g.registry.SafeAddr(addr) == nil
}

// shown is what a message calls a target: the address when it is public, otherwise what the URL says.
func (g *guard) shown(target netip.AddrPort, asWritten string) string {
	if g.public(target.Addr()) {
		return target.String()
	}
	return foreign(asWritten)
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
