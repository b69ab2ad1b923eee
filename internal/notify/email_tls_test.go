package notify

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// serverCertificate borrows the self-signed certificate of httptest, which is
// valid for 127.0.0.1 and example.com.
func serverCertificate(t testing.TB) (*tls.Config, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return &tls.Config{Certificates: server.TLS.Certificates}, roots
}

func TestEmailOverTLS(t *testing.T) {
	t.Parallel()
	config, roots := serverCertificate(t)
	t.Run("STARTTLS", func(t *testing.T) {
		t.Parallel()
		server := (&mailbox{tls: config, extensions: []string{"STARTTLS", "AUTH PLAIN"}}).start(t)
		email := newEmail(t, EmailConfig{URL: "smtp://us%40er:p%3Ass@" + server.address, RootCAs: roots})
		require.NoError(t, email.Send(t.Context(), testRecipient, sampleNotice()))
		require.True(t, server.received()[0].tls)
		require.Equal(t, "\x00us@er\x00p:ss", server.received()[0].login)
	})
	t.Run("from the start", func(t *testing.T) {
		t.Parallel()
		server := (&mailbox{tls: config, implicitTLS: true, extensions: []string{"AUTH PLAIN"}}).start(t)
		email := newEmail(t, EmailConfig{URL: "smtps://user:pass@" + server.address, RootCAs: roots})
		require.NoError(t, email.Send(t.Context(), testRecipient, sampleNotice()))
		require.True(t, server.received()[0].tls)
		require.Equal(t, "\x00user\x00pass", server.received()[0].login)
	})
	t.Run("untrusted", func(t *testing.T) {
		t.Parallel()
		server := (&mailbox{tls: config, extensions: []string{"STARTTLS", "AUTH PLAIN"}}).start(t)
		email := newEmail(t, EmailConfig{URL: "smtp://user:hush@" + server.address})
		err := email.Send(t.Context(), testRecipient, sampleNotice())
		require.ErrorContains(t, err, "unknown authority")
		require.Equal(t, "retryable", kindOf(err))
		require.NotContains(t, err.Error(), "hush")
	})
}

// A server, or somebody on the way to it, that offers no TLS does not get the
// password.
func TestPasswordIsNotSentInTheClear(t *testing.T) {
	t.Parallel()
	server := (&mailbox{host: "127.0.0.2", extensions: []string{"AUTH PLAIN LOGIN"}}).start(t)
	email := newEmail(t, EmailConfig{URL: "smtp://user:hush@" + server.address})
	err := email.Send(t.Context(), testRecipient, sampleNotice())
	require.ErrorContains(t, err, "unencrypted")
	require.Equal(t, "retryable", kindOf(err))
	for len(server.reached) > 0 {
		require.NotEqual(t, "AUTH", <-server.reached)
	}
}

func TestRefusedPassword(t *testing.T) {
	t.Parallel()
	server := (&mailbox{extensions: []string{"AUTH PLAIN"}, replies: map[string]string{"AUTH": "535 5.7.8 wrong"}}).start(t)
	email := newEmail(t, EmailConfig{URL: "smtp://user:hush@" + server.address})
	err := email.Send(t.Context(), testRecipient, sampleNotice())
	require.ErrorContains(t, err, `535 "5.7.8 wrong`)
	require.Equal(t, "retryable", kindOf(err))
	require.NotContains(t, err.Error(), "hush")
}
