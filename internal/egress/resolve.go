package egress

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
)

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// absolutely dials names as they are: the system's search domains, which in a cluster make internal services of
// short names, are not tried.
func absolutely(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return dial(ctx, network, absolute(ctx, address))
	}
}

// absolute gives the name in a host:port its final dot. A name of one label that the file of hosts has, such as
// localhost, stays as it is: it is found there without a dot only.
func absolute(ctx context.Context, address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || strings.HasSuffix(host, ".") {
		return address
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return address
	}
	if !strings.Contains(host, ".") && inHostsFile(ctx, host) {
		return address
	}
	return net.JoinHostPort(host+".", port)
}

// hostsFile looks names up in the system's file of hosts, and asks no DNS server.
var hostsFile = &net.Resolver{
	PreferGo: true,
	Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no DNS server is asked")
	},
}

func inHostsFile(ctx context.Context, name string) bool {
	_, err := hostsFile.LookupHost(ctx, name)
	return err == nil
}
