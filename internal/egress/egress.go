// Package egress is the only way out of the process: an HTTP client that
// strangers may give URLs to, because it cannot be pointed at the inside.
//
// Every connection is checked at the moment it is made, on the resolved address
// that the kernel is about to connect to. What a name resolved to earlier, how
// the address was spelled in the URL and what a redirect says therefore do not
// matter: redirects are never followed, proxies of the environment are not
// used, and a name that changes its answer between look-ups is checked anew. A
// proxy of the configuration is asked for the checked address, not for the name.
//
// Transport failures come back as an *Error with a Class from a fixed list and
// a message for the person who must fix the receiver. Neither ever holds a
// URL's path, query or userinfo, nor any part of a body.
package egress

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Limits of the wire contract and their defaults.
const (
	// AttemptTimeout is the time that one request may take unless its Options say
	// otherwise: look-up, connection, response headers and body together.
	AttemptTimeout = 30 * time.Second
	// MaxAttemptTimeout is the most that Options may say.
	MaxAttemptTimeout = 60 * time.Second
	// ConnectTimeout is the default time for making a connection.
	ConnectTimeout = 10 * time.Second
	// MaxResponseBody is how many bytes of a response body are read at most.
	MaxResponseBody = 64 << 10
	// MaxResponseHeader is how many bytes of response headers are read at most.
	MaxResponseHeader = 64 << 10
)

const (
	defaultIdlePerHost = 32
	maxIdleConns       = 1024
	// defaultIdleTimeout is below the 5 s after which Node.js and Apache close an
	// idle connection: a POST sent while the receiver is closing is lost and
	// may not be repeated, so this side has to let go first.
	defaultIdleTimeout = 4 * time.Second
	// pingAfter and pingTimeout find HTTP/2 connections whose peer is gone, which
	// would otherwise swallow every request until the kernel gives up on them.
	pingAfter   = 10 * time.Second
	pingTimeout = 10 * time.Second
)

// errAttemptTimeout is the cause of a context that ended because the attempt
// used up its own time, which tells it from a deadline of the caller.
var errAttemptTimeout = errors.New("attempt timed out")

// Config says what the client may reach and how long it waits. The zero value
// is a client that reaches public addresses on ports 80 and 443 only.
type Config struct {
	// AllowTargets may be reached although they are private, on the port that they
	// name or on any. A cloud metadata address is only reached when a network here
	// names it alone (169.254.169.254/32): a wide one does not include it.
	AllowTargets []Network
	// DenyTargets are never reached, whatever AllowTargets says.
	DenyTargets []netip.Prefix
	// AllowPorts are the ports of targets outside AllowTargets; 80 and 443 when empty.
	AllowPorts []uint16
	// HTTPSOnly refuses http URLs.
	HTTPSOnly bool
	// Proxy, unless nil, is an HTTP proxy that all connections go through, http
	// URLs too; see CheckProxy.
	Proxy *url.URL

	// Timeout bounds an attempt whose Options do not; AttemptTimeout when zero. It can only be shortened.
	Timeout time.Duration
	// ConnectTimeout bounds the look-up with the TCP connection, and again the
	// TLS handshake; 10 s when zero.
	ConnectTimeout time.Duration
	// MaxIdleConnsPerHost is how many connections to one receiver are kept for
	// reuse; 32 when zero.
	MaxIdleConnsPerHost int
	// IdleTimeout is how long an unused connection is kept; 4 s when zero.
	IdleTimeout time.Duration

	// RootCAs replaces the certificate authorities of the system.
	RootCAs *x509.CertPool
	// Resolver replaces the resolver of the system.
	Resolver *net.Resolver
}

// Client sends requests. It is safe for concurrent use; make one for the whole
// process, since connections are kept and reused inside it.
type Client struct {
	guard     *guard
	transport *http.Transport
	// newTransport makes another transport like the one above.
	newTransport func() *http.Transport
	identities   identities
	limits       limits
	httpsOnly    bool
	buffers      sync.Pool
}

// limits are the times that messages about a timeout name.
type limits struct {
	attempt time.Duration
	connect time.Duration
}

// New makes a client. It fails on a prefix that is not valid and on a time that
// is negative or longer than the wire contract allows.
func New(cfg Config) (*Client, error) {
	rules, err := newGuard(cfg.AllowTargets, cfg.DenyTargets, cfg.AllowPorts)
	if err != nil {
		return nil, fmt.Errorf("egress: %w", err)
	}
	if cfg.Timeout < 0 || cfg.Timeout > AttemptTimeout {
		return nil, fmt.Errorf("egress: timeout %s is not between 0 and %s", cfg.Timeout, AttemptTimeout)
	}
	if cfg.ConnectTimeout < 0 || cfg.IdleTimeout < 0 || cfg.MaxIdleConnsPerHost < 0 {
		return nil, errors.New("egress: connect timeout, idle timeout and idle connections must not be negative")
	}
	times := limits{
		attempt: valueOr(cfg.Timeout, AttemptTimeout),
		connect: valueOr(cfg.ConnectTimeout, ConnectTimeout),
	}
	dial := absolutely((&net.Dialer{Timeout: times.connect, Control: rules.control, Resolver: cfg.Resolver}).DialContext)
	if cfg.Proxy != nil {
		if err := CheckProxy(cfg.Proxy); err != nil {
			return nil, fmt.Errorf("egress: %w", err)
		}
		through := &tunnel{proxy: cfg.Proxy, guard: rules, resolver: valueOr(cfg.Resolver, net.DefaultResolver), rootCAs: cfg.RootCAs, timeout: times.connect}
		dial = through.dial
	}
	newTransport := func() *http.Transport { return transportOf(cfg, times, dial) }
	kept, err := newIdentities()
	if err != nil {
		return nil, fmt.Errorf("egress: %w", err)
	}
	return &Client{identities: kept, guard: rules, limits: times, httpsOnly: cfg.HTTPSOnly, transport: newTransport(), newTransport: newTransport}, nil
}

func transportOf(cfg Config, times limits, dial dialFunc) *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // it would connect on our behalf, past the guard; see tunnel
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs},
		TLSHandshakeTimeout:    times.connect,
		DisableCompression:     true, // the log keeps what the receiver sent, and nothing is inflated
		MaxIdleConns:           maxIdleConns,
		MaxIdleConnsPerHost:    valueOr(cfg.MaxIdleConnsPerHost, defaultIdlePerHost),
		IdleConnTimeout:        valueOr(cfg.IdleTimeout, defaultIdleTimeout),
		MaxResponseHeaderBytes: MaxResponseHeader,
		ForceAttemptHTTP2:      true, // a dialer of our own would otherwise switch it off
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
}

func valueOr[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// Close closes the connections that are kept for reuse.
func (c *Client) Close() {
	c.transport.CloseIdleConnections()
	c.identities.kept.Purge()
}

// checkPorts copies the port list, sorted for messages, or gives the default.
func checkPorts(ports []uint16) []uint16 {
	if len(ports) == 0 {
		return []uint16{80, 443}
	}
	sorted := slices.Clone(ports)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
