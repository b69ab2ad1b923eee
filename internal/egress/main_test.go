package egress

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"
)

// TestMain points the proxy variables at a port where nothing listens: a client
// that obeyed them would fail every test that uses a name.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		if err := os.Setenv(name, "http://127.0.0.1:1"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(m)
}

func loopback() []Network { return mustParseNetworks("127.0.0.0/8", "::1/128") }

// localClient makes a client that may reach loopback.
func localClient(t testing.TB, cfg Config) *Client {
	t.Helper()
	if cfg.AllowTargets == nil {
		cfg.AllowTargets = loopback()
	}
	client, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func post(t testing.TB, target string) *http.Request {
	t.Helper()
	req, err := NewRequest(t.Context(), http.MethodPost, target, strings.NewReader(`{"id":"dlv_1"}`))
	require.NoError(t, err)
	return req
}

// unchecked makes a request as package http does, for what NewRequest refuses.
func unchecked(t testing.TB, raw string) *http.Request {
	t.Helper()
	target, err := url.Parse(raw)
	require.NoError(t, err)
	request := &http.Request{Method: http.MethodPost, URL: target, Header: http.Header{}, Body: http.NoBody}
	return request.WithContext(t.Context())
}

// requireRefused asserts that err says no more than that its target may not be reached, and returns the reason.
func requireRefused(t testing.TB, err error) string {
	t.Helper()
	require.Equal(t, "blocked: "+refusal, requireClass(t, err, ClassBlocked))
	var failure *Error
	require.ErrorAs(t, err, &failure)
	return failure.Detail
}

// requireClass asserts that err is an *Error of the class and returns its message.
func requireClass(t testing.TB, err error, class Class) string {
	t.Helper()
	var failure *Error
	require.ErrorAs(t, err, &failure)
	require.Equal(t, class, failure.Class, failure.Message)
	return failure.Message
}

// listen accepts TCP connections on loopback and hands each to serve, which
// must return when the connection ends. It returns the address and the count.
func listen(t testing.TB, serve func(net.Conn)) (string, *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var accepted atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			serve(conn)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return listener.Addr().String(), &accepted
}

// closedPort returns an address on loopback where nothing listens.
func closedPort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// resolve starts a DNS server on loopback and returns a resolver that asks only
// it. answer gives the addresses of a name, lower case and without the final
// dot; no addresses mean that there is no such name. It is called once for each
// question, so twice for a look-up: for A and for AAAA.
func resolve(t testing.TB, answer func(name string) []netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			if reply, err := dnsReply(buffer[:n], answer); err == nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return resolverAt(t, conn.LocalAddr().String())
}

func dnsReply(query []byte, answer func(string) []netip.Addr) ([]byte, error) {
	var message dnsmessage.Message
	if err := message.Unpack(query); err != nil {
		return nil, err
	}
	message.Response, message.RecursionAvailable = true, true
	message.Additionals = nil
	question := message.Questions[0]
	addrs := answer(strings.ToLower(strings.TrimSuffix(question.Name.String(), ".")))
	if len(addrs) == 0 {
		message.RCode = dnsmessage.RCodeNameError
	}
	for _, addr := range addrs {
		header := dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class}
		switch {
		case question.Type == dnsmessage.TypeA && addr.Is4():
			message.Answers = append(message.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}})
		case question.Type == dnsmessage.TypeAAAA && addr.Is6():
			message.Answers = append(message.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
		}
	}
	return message.Pack()
}

// mustParseNetworks is ParseNetwork for texts that are known to be right.
func mustParseNetworks(texts ...string) []Network {
	networks := make([]Network, len(texts))
	for i, text := range texts {
		network, err := ParseNetwork(text)
		if err != nil {
			panic(err)
		}
		networks[i] = network
	}
	return networks
}
