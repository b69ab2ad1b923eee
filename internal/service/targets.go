package service

import (
	"errors"
	"net/netip"

	"github.com/postrider/postrider/models"
)

// Targets judges what requests and mail are sent to, by the rules that sending goes by. Its errors are
// *TargetError.
type Targets interface {
	// CheckURL returns the form in which a URL is stored and goes out, with its host and port.
	CheckURL(url string) (stored, host string, err error)
	CheckEmail(address string) error
}

// TargetError says why nothing is sent to a target.
type TargetError struct {
	// Message is for everybody, Reason for administrators: it may tell what lies inside.
	Message, Reason string
}

// Error returns the message.
func (e *TargetError) Error() string { return e.Message }

// judge judges targets for a caller.
type judge struct {
	Targets
	who Caller
}

// url checks a webhook's URL, and sets the form in which it is stored and its host.
func (f *faults) url(webhook *models.Webhook, by judge) {
	stored, host, err := by.CheckURL(webhook.URL)
	if err != nil {
		f.add("url", by.explain(err))
		return
	}
	webhook.URL, webhook.Host = stored, host
}

func (j judge) explain(err error) string {
	var refused *TargetError
	if errors.As(err, &refused) && j.who.Admin() {
		return refused.Reason
	}
	return err.Error()
}

// public says that an address with a port is one of the internet.
func public(address string) bool {
	at, err := netip.ParseAddrPort(address)
	addr := at.Addr().WithZone("").Unmap()
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10)
	return err == nil && addr.IsGlobalUnicast() && !addr.IsPrivate() && !shared.Contains(addr)
}
