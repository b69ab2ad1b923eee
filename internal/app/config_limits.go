package app

import (
	"errors"
	"fmt"

	"github.com/postrider/postrider/api"
	"github.com/postrider/postrider/internal/service"
)

// Limits are the flags of what one caller may ask of the API. Each process counts for itself.
type Limits struct {
	RateLimit      float64        `env:"POSTRIDER_RATE_LIMIT" default:"200" placeholder:"N" help:"API requests per second from one key to this process; 0 is no limit. Default: ${default}."`
	RateBurst      int            `env:"POSTRIDER_RATE_BURST" placeholder:"N" help:"API requests from one key at once. Default: two seconds of --rate-limit."`
	MaxInboundBody byteSize       `env:"POSTRIDER_MAX_INBOUND_BODY" default:"5MiB" placeholder:"SIZE" help:"Largest body of an inbound request, up to 25MiB. Default: ${default}."`
	TrustedProxies []proxyNetwork `env:"POSTRIDER_TRUSTED_PROXIES" placeholder:"CIDR" help:"Proxies whose X-Forwarded-For is believed. Default: none."`

	MaxWebhooksPerOwner        int      `env:"POSTRIDER_MAX_WEBHOOKS_PER_OWNER" default:"500" placeholder:"N" help:"Webhooks that an owner's own keys may create; 0 is no limit. Default: ${default}."`
	MaxSourcesPerOwner         int      `env:"POSTRIDER_MAX_SOURCES_PER_OWNER" default:"100" placeholder:"N" help:"Sources that an owner's own keys may create; 0 is no limit. Default: ${default}."`
	MaxEventsPerSecondPerOwner float64  `env:"POSTRIDER_MAX_EVENTS_PER_SECOND_PER_OWNER" default:"0" placeholder:"N" help:"Events per second that an owner's keys may publish to this process; 0 is no limit. Default: ${default}."`
	MaxStoredBytesPerOwner     byteSize `env:"POSTRIDER_MAX_STORED_BYTES_PER_OWNER" default:"0" placeholder:"SIZE" help:"Stored data, such as 10GiB, from which an owner's keys may not publish; 0 is no limit. Default: ${default}."`
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
	if l.MaxWebhooksPerOwner < 0 || l.MaxSourcesPerOwner < 0 || l.MaxStoredBytesPerOwner < 0 || !(l.MaxEventsPerSecondPerOwner >= 0 && l.MaxEventsPerSecondPerOwner <= maxRate) {
		faults = append(faults, errors.New("--max-webhooks-per-owner, --max-sources-per-owner, --max-events-per-second-per-owner (up to 1000000) and --max-stored-bytes-per-owner "+
			"($POSTRIDER_MAX_…_PER_OWNER) must not be negative; 0 is no limit"))
	}
	return faults
}

func (l Limits) quotas() service.Quotas {
	return service.Quotas{
		Webhooks: l.MaxWebhooksPerOwner, Sources: l.MaxSourcesPerOwner, EventsPerSecond: l.MaxEventsPerSecondPerOwner, StoredBytes: int64(l.MaxStoredBytesPerOwner),
	}
}

// maxRate is more than a process can answer.
const maxRate = 1_000_000
