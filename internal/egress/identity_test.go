package egress_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/egress/egresstest"
)

// demanding is a server that wants a certificate of an authority, and answers with its subject and the address it came from.
func demanding(t *testing.T, authority *egresstest.Authority) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName+" "+r.RemoteAddr)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.TLS = authority.Demands(t)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	authority := egresstest.NewAuthority(t, "authority")
	server := demanding(t, authority)
	client, err := egress.New(egress.Config{AllowTargets: egresstest.Networks(t, "127.0.0.0/8")})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	identity := func(name string) *egress.Identity {
		certificate, key := authority.Issue(t, name, time.Now().Add(time.Hour))
		return &egress.Identity{Certificate: certificate, Key: key, CA: authority.CA}
	}
	send := func(by *egress.Identity) (name, connection string, err error) {
		request, err := egress.NewRequest(t.Context(), http.MethodPost, server.URL, strings.NewReader("{}"))
		require.NoError(t, err)
		result, err := client.Do(request, egress.Options{Keep: 100, Identity: by})
		name, connection, _ = strings.Cut(string(result.Body), " ")
		return name, connection, err
	}
	refused := func(by *egress.Identity, says string) {
		t.Helper()
		_, _, err := send(by)
		var failure *egress.Error
		require.ErrorAs(t, err, &failure)
		require.Equal(t, egress.ClassTLS, failure.Class)
		require.Contains(t, failure.Message, says)
	}

	alice, bob := identity("alice"), identity("bob")
	name, first, err := send(alice)
	require.NoError(t, err)
	require.Equal(t, "alice", name)
	_, again, err := send(&egress.Identity{Certificate: alice.Certificate, Key: alice.Key, CA: alice.CA})
	require.NoError(t, err)
	require.Equal(t, first, again, "the connection is kept")
	name, other, err := send(bob)
	require.NoError(t, err)
	require.Equal(t, "bob", name)
	require.NotEqual(t, first, other, "no other identity uses it")

	refused(nil, "unknown authority")
	refused(&egress.Identity{CA: authority.CA}, "refused by the receiver")
	refused(&egress.Identity{Certificate: alice.Certificate, Key: alice.Key}, "unknown authority")
	strangers := egresstest.NewAuthority(t, "stranger")
	certificate, key := strangers.Issue(t, "mallory", time.Now().Add(time.Hour))
	refused(&egress.Identity{Certificate: certificate, Key: key, CA: authority.CA}, "refused by the receiver")
	refused(&egress.Identity{Certificate: alice.Certificate, Key: bob.Key, CA: authority.CA}, "cannot be used")
	refused(&egress.Identity{CA: "no PEM"}, "cannot be used")
}
