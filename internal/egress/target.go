package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// target is a URL that requests are sent to, taken apart but not decoded: what it says is what goes out.
type target struct {
	scheme string // http or https
	host   string // host and port as written, in ASCII
	name   string // the host alone, an IPv6 address without its brackets
	port   uint16
	// path is the path and query: what HTTP forbids in them is percent-encoded, the rest is as written.
	path string
}

var (
	errUserinfo = blocked("expected a URL without user name and password; send credentials in headers")
	errFragment = blocked("expected a URL without #fragment: it is never sent; write %%23 for the character")
)

// parseTarget takes a URL apart. Package net/url is not used for it, because it decodes a path and encodes it
// anew in its own way.
func parseTarget(raw string) (target, error) {
	scheme, rest, found := strings.Cut(raw, "://")
	t := target{scheme: strings.ToLower(scheme)}
	switch {
	case raw == "":
		return t, blocked("expected a URL such as https://example.com/webhooks")
	case !found || t.scheme != "http" && t.scheme != "https":
		return t, blocked("expected a URL that begins with https:// or http://")
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if err := t.readHost(rest[:end]); err != nil {
		return t, err
	}
	if strings.Contains(rest[end:], "#") {
		return t, errFragment
	}
	return t, t.readPath(rest[end:])
}

// readHost reads what stands between the scheme and the path.
func (t *target) readHost(authority string) error {
	if strings.Contains(authority, "@") {
		return errUserinfo
	}
	host, port := authority, ""
	colon := strings.LastIndexByte(authority, ':')
	if colon > strings.LastIndexByte(authority, ']') {
		host, port = authority[:colon], authority[colon:]
	}
	host, err := t.checkHost(host)
	if err != nil {
		return err
	}
	t.host = host + port
	t.port = map[string]uint16{"http": 80, "https": 443}[t.scheme]
	if port != "" {
		number, err := strconv.ParseUint(port[1:], 10, 16)
		if err != nil || number == 0 {
			return blocked("expected a port from 1 to 65535")
		}
		t.port = uint16(number)
	}
	return nil
}

// checkHost returns the host as it is sent, and keeps its name.
func (t *target) checkHost(host string) (string, error) {
	switch {
	case host == "":
		return "", blocked("expected a URL with a host, such as https://example.com/webhooks")
	case strings.HasPrefix(host, "["):
		return t.checkAddress(host)
	case strings.Contains(host, ":"):
		return "", blocked("the URL's host has several colons: write an IPv6 address in brackets, and a port once")
	}
	// Some invisible characters would otherwise be dropped on the way to ASCII.
	if err := checkCharacters(host, func(r rune) bool { return !invisible(r) }); err != nil {
		return "", blocked("the URL's host has %s: remove it", err)
	}
	if !isASCII(host) {
		ascii, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return "", blocked("the URL's host is not a valid international name: write it in its xn-- form")
		}
		host = ascii
	}
	if err := CheckHost(host); err != nil {
		return "", blocked("the URL's host %s", err)
	}
	t.name = host
	return host, nil
}

func (t *target) checkAddress(host string) (string, error) {
	addr, err := netip.ParseAddr(strings.TrimSuffix(host[1:], "]"))
	switch {
	case err != nil || !strings.HasSuffix(host, "]") || !addr.Is6():
		return "", blocked("what the URL has in brackets is not an IPv6 address")
	case addr.Zone() != "":
		return "", blocked("the URL's address has a zone, which means nothing outside its sender's machine")
	}
	t.name = addr.String()
	return host, nil
}

const (
	maxName  = 253 // bytes; RFC 1035, without the final dot
	maxLabel = 63
)

// CheckHost refuses names that no look-up can find, and numbers that some look-ups take for addresses. It
// accepts IPv4 addresses. The error's subject is the host.
func CheckHost(host string) error {
	allowed := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_'
	}
	if err := checkCharacters(host, allowed); err != nil {
		return fmt.Errorf("has %w: expected letters, digits, dots, - and _", err)
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	for _, label := range labels {
		if label == "" || len(label) > maxLabel || len(host) > maxName+1 {
			return fmt.Errorf("is not a name: its parts have 1 to %d characters, and it has at most %d", maxLabel, maxName)
		}
	}
	if _, err := netip.ParseAddr(host); err != nil && isNumber(labels[len(labels)-1]) {
		return errors.New("is a number: write an IPv4 address as four numbers from 0 to 255, such as 192.0.2.1")
	}
	return nil
}

// isNumber says that a name's last label makes look-ups take the whole for an IPv4 address (WHATWG URL, "ends
// in a number").
func isNumber(label string) bool {
	digits := "0123456789"
	if len(label) >= 2 && strings.EqualFold(label[:2], "0x") {
		label, digits = label[2:], "0123456789abcdefABCDEF"
	}
	return strings.Trim(label, digits) == ""
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > 0x7f }) < 0
}

// readPath reads path and query.
func (t *target) readPath(raw string) error {
	path, query, hasQuery := strings.Cut(raw, "?")
	if at := brokenPercent(path); at >= 0 {
		return blocked("the URL's path has a %% without two hexadecimal digits behind it, at its character %d: write %%25 for a percent sign", at+1)
	}
	t.path = encode(path, forbidden)
	if strings.HasPrefix(path, "//") {
		// See url: such a path goes out by another way, which permits less.
		t.path = encode(path, func(c byte) bool { return forbidden(c) || strings.IndexByte("\"<>\\^`{|}", c) >= 0 })
	}
	if hasQuery {
		t.path += "?" + encode(query, forbidden)
	}
	return nil
}

// brokenPercent returns where a percent sign encodes nothing, or -1.
func brokenPercent(path string) int {
	for i := range len(path) {
		if path[i] != '%' {
			continue
		}
		if _, err := strconv.ParseUint(path[min(i+1, len(path)):min(i+3, len(path))], 16, 8); err != nil || i+3 > len(path) {
			return i
		}
	}
	return -1
}

// forbidden says that HTTP allows no such byte in a request's target: blanks, controls and what is not ASCII.
func forbidden(c byte) bool { return c <= ' ' || c >= 0x7f }

func encode(text string, which func(byte) bool) string {
	const digits = "0123456789ABCDEF"
	var encoded strings.Builder
	for i := range len(text) {
		if c := text[i]; which(c) {
			encoded.Write([]byte{'%', digits[c>>4], digits[c&15]})
		} else {
			encoded.WriteByte(c)
		}
	}
	return encoded.String()
}

// url returns what net/http sends unchanged: an opaque URL is written as it is, but must not begin with //,
// because a host would be looked for behind it. A raw path may, and is written as it is when nothing in it
// could be encoded.
func (t target) url() *url.URL {
	u := &url.URL{Scheme: t.scheme, Host: t.host, Opaque: t.path}
	switch {
	case strings.HasPrefix(t.path, "//"):
		path, query, hasQuery := strings.Cut(t.path, "?")
		u.Opaque, u.RawPath, u.RawQuery, u.ForceQuery = "", path, query, hasQuery
		u.Path, _ = url.PathUnescape(path) // readPath has seen every percent sign
	case !strings.HasPrefix(t.path, "/"):
		u.Opaque = "/" + t.path
	}
	return u
}

// String is the URL as it is stored. Parsing it gives the same target again.
func (t target) String() string { return t.scheme + "://" + t.host + t.path }
