package egress

import (
	"context"
	"net"
	"net/netip"
	"strings"
)

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// absolutely dials names as they are: the system's search domains, which in a cluster make internal services of
// short names, are not tried.
func absolutely(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return dial(ctx, network, absolute(address))
	}
}

// absolute gives the name in a host:port its final dot.
func absolute(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || strings.HasSuffix(host, ".") {
		return address
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return address
	}
	return net.JoinHostPort(host+".", port)
}
