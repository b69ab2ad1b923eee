package egress

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"strings"
)

// MaxURL is the longest URL, in bytes and as it is stored, that CheckURL accepts.
const MaxURL = 2048

// CheckURL says early, when a URL is configured, what Send would refuse later, and returns the form in which
// the URL is stored and goes out, with its host and port. An address is judged as if it were connected to; a
// name is left to the check at dial time, which cannot be deceived, but for its port. The error is an *Error
// of class blocked.
func (c *Client) CheckURL(raw string) (stored, host string, err error) {
	if err := CheckEnds(raw); err != nil {
		return "", "", blocked("the URL %s", err)
	}
	t, err := parseTarget(raw)
	if err != nil {
		return "", "", err
	}
	// The scheme keeps its upper case, if it has any.
	stored = raw[:len(t.scheme)] + t.String()[len(t.scheme):]
	if len(stored) > MaxURL {
		return "", "", blocked("expected at most %d bytes, with what is not ASCII as %%XX", MaxURL)
	}
	if err := c.checkScheme(t); err != nil {
		return "", "", err
	}
	if addr, err := netip.ParseAddr(t.name); err == nil {
		return stored, t.host, c.guard.check(netip.AddrPortFrom(addr, t.port))
	}
	return stored, t.host, c.guard.checkPort(t.port)
}

// NewRequest makes a request whose target goes out exactly as the URL says. Its error is an *Error of class
// blocked. It accepts what CheckURL returned, and URLs of a time when less was checked.
func NewRequest(ctx context.Context, method, rawURL string, body io.Reader) (*http.Request, error) {
	t, err := parseTarget(strings.TrimSuffix(rawURL, "#"))
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, t.scheme+"://"+t.host, body)
	if err != nil {
		return nil, blocked("the URL cannot be read")
	}
	request.URL = t.url()
	return request, nil
}

func (c *Client) checkScheme(t target) error {
	if c.httpsOnly && t.scheme != "https" {
		return blocked("only https URLs are called")
	}
	return nil
}
