package egress

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// certificate makes a self-signed certificate for name.
func certificate(t testing.TB, name string, from, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		DNSNames:              []string{name},
		NotBefore:             from,
		NotAfter:              until,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// secureServer serves HTTPS on loopback with the given settings.
func secureServer(t testing.TB, config *tls.Config) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok")
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // failed handshakes are the point
	server.TLS = config
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestTLS(t *testing.T) {
	t.Parallel()
	now := time.Now()
	day := 24 * time.Hour
	good := certificate(t, "receiver.example", now.Add(-day), now.Add(day))
	expired := certificate(t, "receiver.example", now.Add(-2*day), time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC))
	early := certificate(t, "receiver.example", time.Date(2124, 5, 6, 7, 8, 9, 0, time.UTC), time.Date(2125, 1, 1, 0, 0, 0, 0, time.UTC))
	other := certificate(t, "someone-else.example", now.Add(-day), now.Add(day))

	tests := map[string]struct {
		config  *tls.Config
		trust   tls.Certificate
		message string // empty: succeeds
	}{
		"trusted":       {config: &tls.Config{Certificates: []tls.Certificate{good}}, trust: good},
		"unknown":       {config: &tls.Config{Certificates: []tls.Certificate{good}}, trust: other, message: "certificate is signed by an unknown authority"},
		"wrong name":    {config: &tls.Config{Certificates: []tls.Certificate{other}}, trust: other, message: "certificate is not valid for receiver.example, only for someone-else.example"},
		"expired":       {config: &tls.Config{Certificates: []tls.Certificate{expired}}, trust: expired, message: "certificate expired on 2024-05-06T07:08:09Z"},
		"not yet valid": {config: &tls.Config{Certificates: []tls.Certificate{early}}, trust: early, message: "certificate is not valid before 2124-05-06T07:08:09Z"},
		"TLS 1.1":       {config: &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, trust: good, message: "TLS refused by the receiver: protocol version not supported"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := secureServer(t, test.config)
			roots := x509.NewCertPool()
			roots.AddCert(test.trust.Leaf)
			resolver := resolve(t, func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("127.0.0.1")} })
			client := localClient(t, Config{RootCAs: roots, Resolver: resolver})
			result, err := client.Send(post(t, "https://receiver.example:"+portOf(t, server.URL)+"/hook"), 100)
			require.Equal(t, server.Listener.Addr().String(), result.RemoteAddr, "a connection was made, though no request")
			if test.message == "" {
				require.NoError(t, err)
				require.Equal(t, "ok", string(result.Body))
				return
			}
			require.Equal(t, test.message, requireClass(t, err, ClassTLS))
		})
	}
}

func TestPlainServerOnHTTPS(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, func(http.ResponseWriter, *http.Request) {})
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	client := localClient(t, Config{})
	result, err := client.Send(post(t, strings.Replace(server.URL, "http:", "https:", 1)), 10)
	require.Equal(t, "the receiver does not speak TLS on this port", requireClass(t, err, ClassTLS))
	require.False(t, result.Sent)
}

func TestClosedDuringHandshake(t *testing.T) {
	t.Parallel()
	address, _ := listen(t, func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1<<10))
		_ = conn.Close()
	})
	client := localClient(t, Config{})
	_, err := client.Send(post(t, "https://"+address), 10)
	require.Equal(t, "connection closed by the receiver during the TLS handshake", requireClass(t, err, ClassTLS))
}

func TestHandshakeThatIsNotAnswered(t *testing.T) {
	t.Parallel()
	address, _ := listen(t, func(conn net.Conn) {
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	})
	client := localClient(t, Config{ConnectTimeout: 50 * time.Millisecond})
	result, err := client.Send(post(t, "https://"+address), 10)
	require.Equal(t, "TLS handshake with 127.0.0.1 not finished within 50ms", requireClass(t, err, ClassConnectTimeout))
	require.Equal(t, address, result.RemoteAddr)
	require.False(t, result.Sent)
}

// A receiver that asks for a client certificate says so in TLS 1.3 only after
// the handshake, when the request is already under way.
func TestClientCertificateRequired(t *testing.T) {
	t.Parallel()
	now := time.Now()
	cert := certificate(t, "receiver.example", now.Add(-time.Hour), now.Add(time.Hour))
	for version, message := range map[uint16]string{
		tls.VersionTLS12: "TLS refused by the receiver: handshake failure",
		tls.VersionTLS13: "TLS refused by the receiver: certificate required",
	} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			config := &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: version}
			address, _ := listen(t, func(conn net.Conn) {
				_ = tls.Server(conn, config).Handshake()
				_, _ = io.Copy(io.Discard, conn) // unread bytes would turn the close into a reset
				_ = conn.Close()
			})
			roots := x509.NewCertPool()
			roots.AddCert(cert.Leaf)
			resolver := resolve(t, func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("127.0.0.1")} })
			client := localClient(t, Config{RootCAs: roots, Resolver: resolver})
			_, err := client.Send(post(t, "https://receiver.example:"+portOf(t, "https://"+address)), 100)
			require.Equal(t, message, requireClass(t, err, ClassTLS))
		})
	}
}

func TestHTTP2LargeHeaders(t *testing.T) {
	t.Parallel()
	for size, message := range map[int]string{
		2 << 10:  "response headers are larger than 64 KiB",
		16 << 10: "answer breaks the HTTP/2 protocol, or its headers are far larger than 64 KiB",
	} {
		t.Run(message, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for range MaxResponseHeader/size + 2 {
					w.Header().Add("X", strings.Repeat("x", size))
				}
			}))
			server.EnableHTTP2 = true
			server.StartTLS()
			t.Cleanup(server.Close)
			client := localClient(t, Config{RootCAs: rootsOf(server)})
			_, err := client.Send(post(t, server.URL), 10)
			require.Equal(t, message, requireClass(t, err, ClassReset))
		})
	}
}
