package egress

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// maxProxyAnswer is how many bytes of a proxy's answer are read at most.
const maxProxyAnswer = 16 << 10

// CheckProxy says what is wrong with the URL of a proxy: it is http or https, has a host and nothing behind it
// but a port. It may hold a user name and password.
func CheckProxy(proxy *url.URL) error {
	switch {
	case proxy.Scheme != "http" && proxy.Scheme != "https":
		return errors.New("a proxy's URL begins with http:// or https://")
	case proxy.Hostname() == "":
		return errors.New("a proxy's URL names a host")
	case strings.Trim(proxy.Path, "/") != "" || proxy.RawQuery != "" || proxy.Fragment != "":
		return errors.New("a proxy's URL ends behind the port")
	}
	return nil
}

// tunnel connects to receivers through a proxy, by CONNECT (RFC 9110, section 9.3.6). The guard stays here:
// names are resolved and checked on this side, and the proxy is asked for the address that was checked, so
// that its own look-up cannot lead elsewhere.
type tunnel struct {
	proxy    *url.URL
	guard    *guard
	resolver *net.Resolver
	rootCAs  *x509.CertPool
	timeout  time.Duration
}

// dial is an http.Transport's DialContext.
func (t *tunnel) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	targets, err := t.resolve(ctx, absolute(ctx, address))
	if err != nil {
		return nil, err
	}
	var first error
	for _, target := range targets {
		conn, err := t.open(ctx, receiver{target, t.guard.shown(target, address)})
		if err == nil {
			if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.ConnectDone != nil {
				trace.ConnectDone(network, target.String(), nil)
			}
			return conn, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// resolve returns the addresses that a host:port stands for.
func (t *tunnel) resolve(ctx context.Context, address string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := t.resolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return nil, err
	}
	addrs, err := t.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	targets := make([]netip.AddrPort, len(addrs))
	for i, addr := range addrs {
		targets[i] = netip.AddrPortFrom(addr.Unmap(), uint16(port)) // LookupPort returns 0 to 65535
	}
	return targets, nil
}

// receiver is where a tunnel is to lead, with what it is called in a message.
type receiver struct {
	netip.AddrPort
	shown string
}

// failed makes the error of a tunnel that did not come about; the format's first verb is for the receiver.
func (r receiver) failed(class Class, format string, args ...any) *Error {
	return told(class, r.shown, r.String(), format, args...)
}

// open makes a tunnel to an address, if the guard permits it.
func (t *tunnel) open(ctx context.Context, target receiver) (net.Conn, error) {
	if err := t.guard.check(target.AddrPort); err != nil {
		return nil, err
	}
	conn, err := t.connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProxy, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	reader, err := t.ask(conn, target)
	if !stop() && err == nil {
		err = t.late(target)
	}
	if err != nil {
		_ = conn.Close()
		if ctx.Err() != nil {
			return nil, t.late(target)
		}
		return nil, err
	}
	return &tunnelled{Conn: conn, reader: reader, target: net.TCPAddrFromAddrPort(target.AddrPort)}, nil
}

func (t *tunnel) late(target receiver) error {
	return target.failed(ClassConnectTimeout, "no connection to %s within %s", t.timeout)
}

// connect connects to the proxy itself, which the operator chose: the guard has no say in it.
func (t *tunnel) connect(ctx context.Context) (net.Conn, error) {
	port := t.proxy.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[t.proxy.Scheme]
	}
	address := net.JoinHostPort(t.proxy.Hostname(), port)
	// The trace belongs to the receiver's connection.
	ctx = untraced{ctx}
	dialer := &net.Dialer{Resolver: t.resolver}
	if t.proxy.Scheme == "http" {
		return dialer.DialContext(ctx, "tcp", address)
	}
	secure := &tls.Dialer{NetDialer: dialer, Config: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.rootCAs}}
	return secure.DialContext(ctx, "tcp", address)
}

// ask sends the CONNECT and reads the answer. What the reader holds when it returns belongs to the tunnel.
func (t *tunnel) ask(conn net.Conn, target receiver) (*bufio.Reader, error) {
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: target.String()}, Host: target.String(), Header: http.Header{}}
	if user := t.proxy.User; user != nil {
		password, _ := user.Password()
		credentials := base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))
		request.Header.Set("Proxy-Authorization", "Basic "+credentials)
	}
	if err := request.Write(conn); err != nil {
		return nil, fmt.Errorf("%w: it does not read", ErrProxy)
	}
	limited := &io.LimitedReader{R: conn, N: maxProxyAnswer}
	reader := bufio.NewReader(limited)
	response, err := http.ReadResponse(reader, request)
	if err != nil {
		return nil, fmt.Errorf("%w: it does not answer in HTTP", ErrProxy)
	}
	_ = response.Body.Close()
	limited.N = 1<<63 - 1
	return reader, answered(response.StatusCode, target)
}

// answered says what a proxy's status code means: the receiver cannot be reached, it may not be reached, or
// the proxy does not serve this installation, which is no fault of the receiver's.
func answered(status int, target receiver) error {
	switch {
	case status >= 200 && status <= 299:
		return nil
	case status == http.StatusForbidden, status == http.StatusUnavailableForLegalReasons:
		return notPermitted("the egress proxy does not permit %s (%d)", target, status)
	case status == http.StatusGatewayTimeout, status == http.StatusRequestTimeout:
		return target.failed(ClassConnectTimeout, "the egress proxy got no connection to %s in time (%d)", status)
	case status == http.StatusBadGateway, status == http.StatusServiceUnavailable:
		return target.failed(ClassConnectionRefused, "the egress proxy cannot connect to %s (%d)", status)
	}
	return fmt.Errorf("%w: it answers %d to CONNECT", ErrProxy, status)
}

// tunnelled is a connection to a receiver through a proxy.
type tunnelled struct {
	net.Conn
	reader *bufio.Reader
	target net.Addr
}

func (c *tunnelled) Read(p []byte) (int, error) { return c.reader.Read(p) }

// RemoteAddr is the receiver's address, not the proxy's.
func (c *tunnelled) RemoteAddr() net.Addr { return c.target }

// untraced is a context without the values of the one that it wraps.
type untraced struct{ context.Context }

func (untraced) Value(any) any { return nil }
