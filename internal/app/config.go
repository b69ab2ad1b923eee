// Package app is the composition root: it reads the configuration, connects the parts and runs them as
// processes. It is the only package that knows every other one, except the embedded Temporal server, which
// its caller brings along so that the production binary does not carry it.
package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/first"
	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/models"
)

// Version of Postrider: receivers see it in the User-Agent.
const Version = "0.1.0"

// Database are the flags of what needs the database.
type Database struct {
	DatabaseURL            string `name:"database-url" env:"POSTRIDER_DATABASE_URL" placeholder:"URL" help:"Where everything is stored: postgres://… or sqlite://<file>.${database_default}"`
	DatabaseMaxConnections int    `env:"POSTRIDER_DATABASE_MAX_CONNECTIONS" default:"30" help:"The most connections that this process opens to PostgreSQL."`
}

func (d Database) faults() []error {
	if d.DatabaseURL == "" {
		return []error{errors.New("--database-url ($POSTRIDER_DATABASE_URL) is missing, such as postgres://user:password@host:5432/postrider")}
	}
	if d.DatabaseMaxConnections < 2 {
		return []error{errors.New("--database-max-connections must be at least 2")}
	}
	return nil
}

// Keys are the flags that hold secrets.
type Keys struct {
	AdminKey string `env:"POSTRIDER_ADMIN_KEY" placeholder:"KEY" help:"An administrator's API key, at least 16 characters.${admin_key_default}"`
	Encryption
}

// Encryption is the flag of what reads or writes webhooks' and sources' secrets.
type Encryption struct {
	EncryptionKey []string `env:"POSTRIDER_ENCRYPTION_KEY" placeholder:"BASE64" help:"Encrypts webhook secrets at rest: 32 bytes in base64. Of several keys the first encrypts and all decrypt.${encryption_key_default}"`
}

func (k Keys) faults() []error {
	var faults []error
	if k.AdminKey != "" && len(k.AdminKey) < 16 {
		faults = append(faults, errors.New("--admin-key ($POSTRIDER_ADMIN_KEY) must have at least 16 characters"))
	}
	return append(faults, k.Encryption.faults()...)
}

func (e Encryption) faults() []error {
	if len(e.EncryptionKey) == 0 {
		return []error{errors.New("--encryption-key ($POSTRIDER_ENCRYPTION_KEY) is missing; make one with: openssl rand -base64 32")}
	}
	if _, err := e.keyring(); err != nil {
		return []error{fmt.Errorf("--encryption-key ($POSTRIDER_ENCRYPTION_KEY): %w", err)}
	}
	return nil
}

func (e Encryption) keyring() (*keyring.Keyring, error) {
	keys := make([][]byte, len(e.EncryptionKey))
	for i, text := range e.EncryptionKey {
		key, err := keyring.ParseKey(text)
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	return keyring.New(keys...)
}

// Sending are the flags of what makes requests and tells owners.
type Sending struct {
	RetrySchedule          models.RetrySchedule `env:"POSTRIDER_RETRY_SCHEDULE" default:"${retry_schedule}" placeholder:"WAITS" help:"The waits after the first, second … failed attempt; none for a single attempt. Default: ${default}."`
	RetryJitter            float64              `env:"POSTRIDER_RETRY_JITTER" default:"0" placeholder:"PART" help:"By what part of itself a wait may be longer, at random, so that what failed together does not come again together: 0.1 for up to a tenth, 1 at most. Default: ${default}."`
	FirstAttempt           string               `env:"POSTRIDER_FIRST_ATTEMPT" default:"workflow" enum:"workflow,direct" placeholder:"HOW" help:"Who makes first attempts: workflow, each delivery's own from the start; or direct, the process that published the event, and the workflow begins when that fails. Default: ${default}."`
	WebhookConcurrency     int                  `env:"POSTRIDER_WEBHOOK_CONCURRENCY" default:"100" placeholder:"N" help:"How many requests to one webhook each process has under way at once, fewer when many webhooks are slow or fail. Default: ${default}."`
	DisableAfter           time.Duration        `env:"POSTRIDER_DISABLE_AFTER" default:"120h" placeholder:"DURATION" help:"A webhook is disabled when nothing has succeeded for so long; 0 for never. Default: ${default}."`
	DisableAfterDeliveries int                  `env:"POSTRIDER_DISABLE_AFTER_DELIVERIES" default:"10" placeholder:"N" help:"And when at least so many deliveries were given up in that time. Default: ${default}."`
	Retention              time.Duration        `env:"POSTRIDER_RETENTION" default:"720h" placeholder:"DURATION" help:"How long events, finished deliveries and their attempts are kept, at least 72h; 0 for ever. Default: ${default}, 30 days."`
	InboundRetention       time.Duration        `env:"POSTRIDER_INBOUND_RETENTION" default:"168h" placeholder:"DURATION" help:"How long received webhooks are kept; 0 for ever. Default: ${default}."`
	AllowTargets           []egress.Network     `env:"POSTRIDER_ALLOW_TARGETS" default:"${allow_targets}" placeholder:"CIDR[:PORT]" help:"Private networks that deliveries may reach, on any port or on one: 10.0.0.0/24:9000, [fd00::/8]:443. Default: ${allow_targets_default}."`
	DenyTargets            []netip.Prefix       `env:"POSTRIDER_DENY_TARGETS" placeholder:"CIDR" help:"Networks that deliveries may never reach."`
	AllowPorts             []uint16             `env:"POSTRIDER_ALLOW_PORTS" default:"80,443" placeholder:"PORT" help:"Ports that deliveries may reach outside --allow-targets. Default: ${default}."`
	HTTPSOnly              bool                 `name:"https-only" env:"POSTRIDER_HTTPS_ONLY" help:"Deliver to https URLs only."`
	EgressProxy            string               `env:"POSTRIDER_EGRESS_PROXY" placeholder:"URL" help:"An HTTP proxy that deliveries go through, by CONNECT: http://user:password@host:3128 or https://…. Names are still resolved and checked here."`
	SMTPURL                string               `name:"smtp-url" env:"POSTRIDER_SMTP_URL" placeholder:"URL" help:"Sends owners mail about final failures: smtp://user:password@host:587 or smtps://…:465."`
	SMTPFrom               string               `name:"smtp-from" env:"POSTRIDER_SMTP_FROM" default:"Postrider <postrider@localhost>" placeholder:"ADDRESS" help:"Whom that mail is from. Default: ${default}."`
}

// directly says that first attempts are made without a workflow.
func (s Sending) directly() bool { return s.FirstAttempt == "direct" }

// storeConfig says how a process of a role uses the database.
func (s Sending) storeConfig(role role, keyring *keyring.Keyring) store.Config {
	cfg := store.Config{Keyring: keyring, Health: s.healthPolicy(), MostDeliveries: dispatch.MostStarts}
	if role.api && s.directly() {
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

// Serving are the flags of what people reach.
type Serving struct {
	Listen        string `env:"POSTRIDER_LISTEN" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where the API listens; a worker serves only /healthz, /readyz and /metrics there. Default: ${default}."`
	MetricsListen string `env:"POSTRIDER_METRICS_LISTEN" placeholder:"HOST:PORT" help:"Where /metrics listens, alone, for who must not reach the API or must not see it. Default: on --listen, for everybody."`
	PublicURL     string `name:"public-url" env:"POSTRIDER_PUBLIC_URL" placeholder:"URL" help:"The API's address as its users see it, for links in messages. Default: http://<listen>."`
	TemporalUIURL string `name:"temporal-ui-url" env:"POSTRIDER_TEMPORAL_UI_URL" placeholder:"URL" help:"The Temporal Web UI's address as users see it, for links to deliveries.${temporal_ui_default}"`
}

func (s Serving) faults() []error {
	var faults []error
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		faults = append(faults, fmt.Errorf("--listen ($POSTRIDER_LISTEN) must be host:port, not %q", s.Listen))
	}
	if s.MetricsListen != "" {
		if _, _, err := net.SplitHostPort(s.MetricsListen); err != nil {
			faults = append(faults, fmt.Errorf("--metrics-listen ($POSTRIDER_METRICS_LISTEN) must be host:port, not %q", s.MetricsListen))
		}
	}
	for flag, text := range map[string]string{"--public-url": s.PublicURL, "--temporal-ui-url": s.TemporalUIURL} {
		if text != "" && !isBaseURL(text) {
			faults = append(faults, fmt.Errorf("%s must be a URL such as https://postrider.example.com, not %q", flag, text))
		}
	}
	return faults
}

// isBaseURL says that a path can be written behind a URL.
func isBaseURL(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && parsed.Host != "" && (parsed.Scheme == "http" || parsed.Scheme == "https") && !strings.ContainsAny(text, "?#")
}

func (s Serving) publicURL() string {
	if s.PublicURL != "" {
		return strings.TrimSuffix(s.PublicURL, "/")
	}
	return "http://" + s.Listen
}

// workflowURL returns a function that links to the Temporal Web UI, or to nothing when its address is not
// known.
func (s Serving) workflowURL(namespace string) func(workflowID, runID string) string {
	base := strings.TrimSuffix(s.TemporalUIURL, "/")
	return func(workflowID, runID string) string {
		if base == "" {
			return ""
		}
		page := base + "/namespaces/" + url.PathEscape(namespace) + "/workflows/" + url.PathEscape(workflowID)
		if runID == "" {
			return page
		}
		return page + "/" + url.PathEscape(runID)
	}
}

// Logging are the flags of the log, which goes to the standard error.
type Logging struct {
	LogLevel  slog.Level `env:"POSTRIDER_LOG_LEVEL" default:"info" placeholder:"LEVEL" help:"The least level that is logged: debug, info, warn or error. Default: ${default}."`
	LogFormat string     `env:"POSTRIDER_LOG_FORMAT" default:"${log_format}" enum:"text,json" help:"How it is logged: text or json."`
}

// Logger makes the process's logger and makes it slog's default.
func (l Logging) Logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: l.LogLevel}
	var handler slog.Handler = slog.NewTextHandler(os.Stderr, options)
	if l.LogFormat == "json" {
		handler = slog.NewJSONHandler(os.Stderr, options)
	}
	logger := slog.New(handler)
	slog.SetDefault(logger)
	takeStandardLog(logger) // after SetDefault, which takes it too, unfiltered
	return logger
}

// temporalOptions reads TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_* and the
// profile file, as every Temporal tool does.
func temporalOptions() (client.Options, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return options, fmt.Errorf("temporal connection: %w", err)
	}
	if options.HostPort == "" {
		options.HostPort = client.DefaultHostPort
	}
	if options.Namespace == "" {
		options.Namespace = client.DefaultNamespace
	}
	return options, nil
}

// temporalLogger passes on what the SDK says of our faults; the rest is for debugging.
func temporalLogger(logger *slog.Logger) log.Logger {
	return log.NewStructuredLogger(slog.New(atLeast{Handler: logger.Handler(), level: slog.LevelWarn}))
}
