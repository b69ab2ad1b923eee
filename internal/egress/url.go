package egress

import (
	"net/netip"
	"net/url"
	"strconv"
)

// MaxURL is the longest URL, in bytes, that CheckURL accepts.
const MaxURL = 2048

// CheckURL tells early, when a URL is configured, what Send would refuse later:
// a URL that is not absolute, of another scheme than http and https (https only,
// when so set), without a host, with userinfo or a fragment, or longer than
// MaxURL bytes. A host that is an address in the usual notation is checked
// against the guard too. Every other spelling and every name is left to the
// check at dial time, which cannot be deceived. The error is an *Error of class
// blocked.
func (c *Client) CheckURL(raw string) error {
	if len(raw) > MaxURL {
		return blocked("the URL is longer than %d bytes", MaxURL)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return blocked("the URL cannot be read") // the parser's error would repeat the URL
	}
	if err := c.checkTarget(u); err != nil {
		return err
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		return c.guard.check(netip.AddrPortFrom(addr, targetPort(u)))
	}
	return nil
}

// checkTarget refuses URLs that no request is made for.
func (c *Client) checkTarget(u *url.URL) error {
	switch {
	case u == nil || u.Scheme == "" && u.Host == "":
		return blocked("the URL is not absolute")
	case u.Scheme != "http" && u.Scheme != "https":
		return blocked("only http and https URLs are called")
	case c.httpsOnly && u.Scheme != "https":
		return blocked("only https URLs are called")
	case u.Hostname() == "":
		return blocked("the URL has no host")
	case u.User != nil:
		return blocked("the URL holds a user name or password")
	case u.Fragment != "":
		return blocked("the URL has a fragment, which is never sent")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return blocked("the URL's port is not between 1 and 65535")
		}
	}
	return nil
}

// targetPort is the port that a request for u, which checkTarget has accepted,
// connects to.
func targetPort(u *url.URL) uint16 {
	if n, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		return uint16(n)
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}
