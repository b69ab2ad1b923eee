package notify

import (
	"errors"
	"fmt"
	netmail "net/mail"
	"net/netip"
	"strings"

	"github.com/postrider/postrider/internal/egress"
)

const (
	maxAddress   = 254 // bytes; RFC 5321, section 4.5.3.1.3
	maxLocalPart = 64  // bytes; RFC 5321, section 4.5.3.1.1
)

// CheckAddress refuses what Send could not send to, or some mail server on the way would not take. The error is
// for whoever typed the address.
func CheckAddress(address string) error {
	if err := egress.CheckEnds(address); err != nil {
		return fmt.Errorf("the address %w", err)
	}
	parsed, err := netmail.ParseAddress(address)
	if err != nil || parsed.Address != address {
		return errors.New("expected one address such as ops@example.com, without a name")
	}
	local, domain := address[:strings.LastIndexByte(address, '@')], address[strings.LastIndexByte(address, '@')+1:]
	if len(address) > maxAddress || len(local) > maxLocalPart {
		return fmt.Errorf("expected an address of at most %d bytes, %d of them before the @", maxAddress, maxLocalPart)
	}
	if err := egress.CheckASCII(local); err != nil {
		return fmt.Errorf("the address has %w: not every mail server takes it before the @", err)
	}
	err = egress.CheckHost(domain)
	if _, number := netip.ParseAddr(domain); err == nil && number == nil {
		err = errors.New("is an IP address")
	}
	if err != nil {
		return fmt.Errorf("expected an address whose domain is a name such as example.com, an international one in its xn-- form: %w", err)
	}
	return nil
}
