package app

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/first"
	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/models"
)

// Sending are the flags of what makes requests and tells owners.
type Sending struct {
	RetrySchedule          models.RetrySchedule `env:"POSTRIDER_RETRY_SCHEDULE" default:"${retry_schedule}" placeholder:"WAITS" help:"Waits after the failed attempts; none for a single attempt. Default: ${default}."`
	RetryJitter            float64              `env:"POSTRIDER_RETRY_JITTER" default:"0" placeholder:"PART" help:"Lengthens each wait at random by up to this part of it, from 0 to 1. Default: ${default}."`
	AttemptTimeout         time.Duration        `env:"POSTRIDER_ATTEMPT_TIMEOUT" default:"30s" placeholder:"DURATION" help:"Time limit of an attempt, from 1s to 60s, for webhooks without their own. Default: ${default}."`
	FirstAttempt           string               `env:"POSTRIDER_FIRST_ATTEMPT" default:"workflow" enum:"workflow,direct" placeholder:"HOW" help:"Who makes first attempts: workflow, or direct for the process that published. Default: ${default}."`
	WebhookConcurrency     int                  `env:"POSTRIDER_WEBHOOK_CONCURRENCY" default:"100" placeholder:"N" help:"Requests of this process to one webhook at once; fewer while many webhooks fail. Default: ${default}."`
	DisableAfter           time.Duration        `env:"POSTRIDER_DISABLE_AFTER" default:"120h" placeholder:"DURATION" help:"Disables a webhook when nothing has succeeded for this long; 0 is never. Default: ${default}."`
	DisableAfterDeliveries int                  `env:"POSTRIDER_DISABLE_AFTER_DELIVERIES" default:"10" placeholder:"N" help:"Deliveries that must have failed for good in that time. Default: ${default}."`
	Retention              time.Duration        `env:"POSTRIDER_RETENTION" default:"720h" placeholder:"DURATION" help:"How long events and finished deliveries are kept, at least 72h; 0 is for ever. Default: ${default}."`
	InboundRetention       time.Duration        `env:"POSTRIDER_INBOUND_RETENTION" default:"168h" placeholder:"DURATION" help:"How long inbound events are kept; 0 is for ever. Default: ${default}."`
	AllowTargets           []egress.Network     `env:"POSTRIDER_ALLOW_TARGETS" default:"${allow_targets}" placeholder:"CIDR[:PORT]" help:"Private networks that may be delivered to: 10.0.0.0/24, [fd00::/8]:443. Default: ${allow_targets_default}."`
	DenyTargets            []netip.Prefix       `env:"POSTRIDER_DENY_TARGETS" placeholder:"CIDR" help:"Networks that are never delivered to."`
	AllowPorts             []uint16             `env:"POSTRIDER_ALLOW_PORTS" default:"80,443" placeholder:"PORT" help:"Ports that may be delivered to outside --allow-targets. Default: ${default}."`
	HTTPSOnly              bool                 `name:"https-only" env:"POSTRIDER_HTTPS_ONLY" help:"Deliver to https URLs only."`
	EgressProxy            string               `env:"POSTRIDER_EGRESS_PROXY" secret:"" placeholder:"URL" help:"HTTP proxy for deliveries, by CONNECT: http://user:password@host:3128."`
	SMTPURL                string               `name:"smtp-url" env:"POSTRIDER_SMTP_URL" secret:"" placeholder:"URL" help:"SMTP server for mail to owners: smtp://user:password@host:587 or smtps://…:465."`
	SMTPFrom               string               `name:"smtp-from" env:"POSTRIDER_SMTP_FROM" default:"Postrider <postrider@localhost>" placeholder:"ADDRESS" help:"Sender of mail to owners. Default: ${default}."`
}

// makesFirstAttempts says that the process which publishes an event makes the first attempts, without workflows.
func (s Sending) makesFirstAttempts() bool { return s.FirstAttempt == "direct" }

// storeConfig says how a process of a role uses the database.
func (s Sending) storeConfig(role role, keyring *keyring.Keyring) store.Config {
	cfg := store.Config{Keyring: keyring, Health: s.healthPolicy(), MostDeliveries: dispatch.MostStarts}
	if role.api && s.makesFirstAttempts() {
		cfg.Lease, cfg.MostDeliveries = first.Lease, dispatch.MostAttempts
	}
	return cfg
}

// minRetention is for owners: they are told of a final failure for up to three days, with what the log says.
const minRetention = 72 * time.Hour

func (s Sending) faults() []error {
	var faults []error
	if _, err := s.egressProxy(); err != nil {
		faults = append(faults, err)
	}
	if !(s.RetryJitter >= 0 && s.RetryJitter <= 1) { // nor NaN
		faults = append(faults, fmt.Errorf("--retry-jitter ($POSTRIDER_RETRY_JITTER) must be from 0 to 1, not %v", s.RetryJitter))
	}
	if s.AttemptTimeout != 0 && (s.AttemptTimeout < models.MinTimeout || s.AttemptTimeout > models.MaxTimeout) {
		faults = append(faults, fmt.Errorf("--attempt-timeout ($POSTRIDER_ATTEMPT_TIMEOUT) must be from %s to %s, not %s",
			models.FormatDuration(models.MinTimeout), models.FormatDuration(models.MaxTimeout), models.FormatDuration(s.AttemptTimeout)))
	}
	if s.Retention != 0 && s.Retention < minRetention {
		faults = append(faults, fmt.Errorf("--retention ($POSTRIDER_RETENTION) must be at least %s, or 0 to keep everything, not %s",
			models.FormatDuration(minRetention), models.FormatDuration(s.Retention)))
	}
	if s.InboundRetention < 0 {
		faults = append(faults, fmt.Errorf("--inbound-retention ($POSTRIDER_INBOUND_RETENTION) must not be negative, not %s; 0 keeps everything",
			models.FormatDuration(s.InboundRetention)))
	}
	if s.WebhookConcurrency < 1 {
		faults = append(faults, fmt.Errorf("--webhook-concurrency ($POSTRIDER_WEBHOOK_CONCURRENCY) must be at least 1, not %d", s.WebhookConcurrency))
	}
	if s.DisableAfter < 0 {
		faults = append(faults, fmt.Errorf("--disable-after ($POSTRIDER_DISABLE_AFTER) must not be negative; 0 disables no webhook"))
	}
	if s.DisableAfterDeliveries < 1 {
		faults = append(faults, fmt.Errorf("--disable-after-deliveries ($POSTRIDER_DISABLE_AFTER_DELIVERIES) must be at least 1, not %d", s.DisableAfterDeliveries))
	}
	return faults
}

func (s Sending) healthPolicy() *models.HealthPolicy {
	policy := models.DefaultHealthPolicy()
	policy.DisableAfter, policy.DisableDeliveries = s.DisableAfter, s.DisableAfterDeliveries
	return &policy
}

// egressClient makes the way out, which is also asked what may be sent to.
func (s Sending) egressClient() (*egress.Client, error) {
	proxy, err := s.egressProxy()
	if err != nil {
		return nil, err
	}
	return egress.New(egress.Config{
		AllowTargets: s.AllowTargets, DenyTargets: s.DenyTargets, AllowPorts: s.AllowPorts, HTTPSOnly: s.HTTPSOnly,
		Proxy: proxy,
	})
}

// egressProxy returns nil when none is set. Its error does not repeat the URL, which may hold a password.
func (s Sending) egressProxy() (*url.URL, error) {
	if s.EgressProxy == "" {
		return nil, nil //nolint:nilnil // no proxy is no error
	}
	proxy, err := url.Parse(s.EgressProxy)
	if err != nil {
		return nil, errors.New("--egress-proxy ($POSTRIDER_EGRESS_PROXY) cannot be read as a URL such as http://proxy.internal:3128")
	}
	if err := egress.CheckProxy(proxy); err != nil {
		return nil, fmt.Errorf("--egress-proxy ($POSTRIDER_EGRESS_PROXY): %w", err)
	}
	return proxy, nil
}
