package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Network is a private network that may be reached: on one port, or on any when the port is 0.
type Network struct {
	Prefix netip.Prefix
	Port   uint16
}

// ParseNetwork reads 10.0.0.0/24, 10.0.0.0/24:9000, fd00::/8 or [fd00::/8]:443.
func ParseNetwork(text string) (Network, error) {
	prefix, port, err := splitNetwork(text)
	if err != nil {
		return Network{}, err
	}
	network := Network{}
	if network.Prefix, err = netip.ParsePrefix(prefix); err != nil {
		if addr, err := netip.ParseAddr(prefix); err == nil {
			return network, fmt.Errorf("%q has no length: write %s/%d for this address alone", text, addr, addr.BitLen())
		}
		return network, fmt.Errorf("%q is not a network: write it as 10.0.0.0/24, and with a port as 10.0.0.0/24:9000 or [fd00::/8]:443", text)
	}
	if port == "" {
		return network, nil
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return network, fmt.Errorf("%q: the port behind the network is a number from 1 to 65535", text)
	}
	network.Port = uint16(number)
	return network, nil
}

// splitNetwork takes the port away; it is empty when there is none.
func splitNetwork(text string) (prefix, port string, err error) {
	if inside, found := strings.CutPrefix(text, "["); found {
		prefix, behind, closed := strings.Cut(inside, "]")
		port, colon := strings.CutPrefix(behind, ":")
		if !closed || !colon && behind != "" || colon && port == "" {
			return "", "", fmt.Errorf("%q is not a network: write IPv6 as [fd00::/8]:443, or as fd00::/8 for any port", text)
		}
		return prefix, port, nil
	}
	addr, length, slash := strings.Cut(text, "/")
	bits, port, colon := strings.Cut(length, ":")
	switch {
	case !slash && strings.Count(text, ":") == 1:
		return "", "", fmt.Errorf("%q has no length: write an address with a port as 10.0.0.1/32:9000", text)
	case !slash, !colon:
		return text, "", nil
	case strings.Contains(addr, ":"):
		return "", "", fmt.Errorf("%q is not a network: with a port, IPv6 is in brackets: [%s/%s]:%s", text, addr, bits, port)
	case port == "":
		return "", "", errors.New(strconv.Quote(text) + " ends with a colon: write a port behind it, or take it away for any port")
	}
	return addr + "/" + bits, port, nil
}

// UnmarshalText reads what ParseNetwork reads.
func (n *Network) UnmarshalText(text []byte) (err error) {
	*n, err = ParseNetwork(string(text))
	return err
}

// String is what ParseNetwork reads.
func (n Network) String() string {
	switch {
	case n.Port == 0:
		return n.Prefix.String()
	case n.Prefix.Addr().Is6():
		return fmt.Sprintf("[%s]:%d", n.Prefix, n.Port)
	}
	return fmt.Sprintf("%s:%d", n.Prefix, n.Port)
}

// contains says that the network opens a target.
func (n Network) contains(target netip.AddrPort) bool {
	return n.opens(target.Port()) && n.Prefix.Contains(target.Addr())
}

func (n Network) opens(port uint16) bool { return n.Port == 0 || n.Port == port }
