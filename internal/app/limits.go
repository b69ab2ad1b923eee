package app

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/postrider/postrider/api"
)

// Limits are the flags of what one caller may ask of the API. Each process counts for itself.
type Limits struct {
	RateLimit      float64        `env:"POSTRIDER_RATE_LIMIT" default:"200" placeholder:"N" help:"How many API requests a second one key may make of this process; 0 for as many as it likes. Default: ${default}."`
	RateBurst      int            `env:"POSTRIDER_RATE_BURST" placeholder:"N" help:"How many of them may come at once. Default: what comes in two seconds."`
	MaxInboundBody byteSize       `env:"POSTRIDER_MAX_INBOUND_BODY" default:"5MiB" placeholder:"SIZE" help:"The largest body that a source receives, at most 25MiB; GitHub sends up to 25 MB. Default: ${default}."`
	TrustedProxies []netip.Prefix `env:"POSTRIDER_TRUSTED_PROXIES" placeholder:"CIDR" help:"Proxies before the API whose X-Forwarded-For is believed. Default: none."`
}

func (l Limits) faults() []error {
	var faults []error
	if l.MaxInboundBody < 1<<10 || l.MaxInboundBody > api.MostMaxInboundBody {
		faults = append(faults, fmt.Errorf("--max-inbound-body ($POSTRIDER_MAX_INBOUND_BODY) must be from 1KiB to %s, not %s",
			byteSize(api.MostMaxInboundBody), l.MaxInboundBody))
	}
	// Not a number is neither.
	if !(l.RateLimit >= 0 && l.RateLimit <= maxRate) {
		faults = append(faults, errors.New("--rate-limit ($POSTRIDER_RATE_LIMIT) must be requests a second from 0, which is no limit, to 1000000"))
	}
	if l.RateBurst < 0 || l.RateBurst > maxRate {
		faults = append(faults, errors.New("--rate-burst ($POSTRIDER_RATE_BURST) must be from 1 to 1000000 requests, or 0 for what comes in two seconds"))
	}
	return faults
}

// maxRate is more than a process can answer.
const maxRate = 1_000_000
