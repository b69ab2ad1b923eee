package api

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientAddress is the address that a request comes from, as it is logged: see clientOf.
func ClientAddress(request *http.Request, trusted []netip.Prefix) string {
	return clientOf(request, trusted).String()
}

// clientOf is the address that a request comes from. X-Forwarded-For is trusted as far as trusted proxies wrote it: read
// from its end, the first address that is not a trusted proxy's is the client's. Anyone may have made up what stands
// before it. The address is not valid when the connection has none.
func clientOf(request *http.Request, trusted []netip.Prefix) netip.Addr {
	client := addressOf(request.RemoteAddr)
	// Some proxies add to the field's line, others add a line.
	chain := strings.Split(strings.Join(request.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(chain) {
		if !slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(client) }) {
			break
		}
		before := addressOf(strings.TrimSpace(text))
		if !before.IsValid() {
			break
		}
		client = before
	}
	return client
}

// addressOf reads an address with or without a port.
func addressOf(text string) netip.Addr {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap().WithZone("")
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return address.Unmap().WithZone("")
}

// countedAs names the rate-limit bucket of a client. The addresses of an IPv6 /64 share one: they belong to one client.
func countedAs(client netip.Addr) string {
	if client.Is6() {
		if prefix, err := client.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return client.String()
}
