package egresstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Authority signs certificates. CA is its own, as PEM.
type Authority struct {
	CA string

	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority makes a certificate authority.
func NewAuthority(t testing.TB, name string) *Authority {
	t.Helper()
	a := &Authority{certificate: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	var key string
	a.CA, key, a.key = issue(t, a.certificate, nil, nil)
	require.NotEmpty(t, key)
	block, _ := pem.Decode([]byte(a.CA))
	var err error
	a.certificate, err = x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return a
}

// Issue makes a certificate for a client, or for a server on loopback, with its key, as PEM.
func (a *Authority) Issue(t testing.TB, name string, until time.Time) (certificate, key string) {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	certificate, key, _ = issue(t, &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: until,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, a.certificate, a.key)
	return certificate, key
}

// Demands is what a server on loopback needs that has a certificate of the authority and lets in only who shows one.
func (a *Authority) Demands(t testing.TB) *tls.Config {
	t.Helper()
	certificate, key := a.Issue(t, "server", time.Now().Add(time.Hour))
	own, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	require.NoError(t, err)
	clients := x509.NewCertPool()
	clients.AddCert(a.certificate)
	return &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
	}
}

func issue(t testing.TB, template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (certificate, key string, private *ecdsa.PrivateKey) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	if parent == nil {
		parent, signer = template, private
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, private.Public(), signer)
	require.NoError(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})), private
}
