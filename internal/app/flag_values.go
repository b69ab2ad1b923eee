package app

import (
	"errors"
	"log/slog"
	"net/netip"
	"strconv"
)

// The types of flags whose faults are told in the flags' own words.
type (
	logLevel     slog.Level
	portNumber   int
	proxyNetwork netip.Prefix
)

// UnmarshalText reads a level of the log.
func (l *logLevel) UnmarshalText(text []byte) error {
	if (*slog.Level)(l).UnmarshalText(text) != nil {
		return errors.New("expected debug, info, warn or error")
	}
	return nil
}

// UnmarshalText reads the number of a port; 0 is any free one.
func (p *portNumber) UnmarshalText(text []byte) error {
	number, err := strconv.ParseUint(string(text), 10, 16)
	if err != nil {
		return errors.New("expected a port from 1 to 65535, or 0 for any free one")
	}
	*p = portNumber(number)
	return nil
}

// UnmarshalText reads a network.
func (n *proxyNetwork) UnmarshalText(text []byte) error {
	prefix, err := netip.ParsePrefix(string(text))
	if err != nil {
		return errors.New("expected networks such as 10.0.0.0/24, separated by commas; a single proxy is 10.0.0.1/32")
	}
	*n = proxyNetwork(prefix)
	return nil
}

// prefixes are the networks as the API takes them.
func prefixes(networks []proxyNetwork) []netip.Prefix {
	of := make([]netip.Prefix, len(networks))
	for i, network := range networks {
		of[i] = netip.Prefix(network)
	}
	return of
}
