package egress

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Identity is what a request shows of its sender in TLS, and whom it trusts, as PEM texts. Each may be empty, the
// certificate together with its key.
type Identity struct {
	// Certificate and Key are the sender's.
	Certificate, Key string
	// CA replaces the certificate authorities of the system.
	CA string
}

// mostIdentities is how many identities keep connections and need not be read again.
const mostIdentities = 500

// road is a transport with its connections, and how to make another like it, without any.
type road struct {
	*http.Transport

	fresh func() *http.Transport
}

// identities are the roads of requests with an identity. No two identities share a connection.
type identities struct {
	kept *lru.Cache[[sha256.Size]byte, road]
}

func newIdentities() (identities, error) {
	kept, err := lru.NewWithEvict(mostIdentities, func(_ [sha256.Size]byte, old road) { old.CloseIdleConnections() })
	return identities{kept}, err
}

// digest tells identities apart. Each text ends with a byte that PEM has none of.
func (i Identity) digest() [sha256.Size]byte {
	return sha256.Sum256([]byte(i.Certificate + "\x00" + i.Key + "\x00" + i.CA))
}

// config is the identity as package tls takes it.
func (i Identity) config(base *tls.Config) (*tls.Config, error) {
	config := base.Clone()
	if i.Certificate != "" {
		certificate, err := tls.X509KeyPair([]byte(i.Certificate), []byte(i.Key))
		if err != nil {
			return nil, errors.New("the client certificate cannot be used")
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	if i.CA != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(i.CA)) {
			return nil, errors.New("the certificate authority cannot be used")
		}
	}
	return config, nil
}

// roadOf is the road of requests with an identity; of all others when it is nil.
func (c *Client) roadOf(identity *Identity) (road, error) {
	if identity == nil {
		return road{c.transport, c.newTransport}, nil
	}
	digest := identity.digest()
	if known, ok := c.identities.kept.Get(digest); ok {
		return known, nil
	}
	config, err := identity.config(c.newTransport().TLSClientConfig)
	if err != nil {
		return road{}, &Error{Class: ClassTLS, Message: err.Error()}
	}
	fresh := func() *http.Transport {
		transport := c.newTransport()
		transport.TLSClientConfig = config.Clone()
		return transport
	}
	made := road{fresh(), fresh}
	if earlier, found, _ := c.identities.kept.PeekOrAdd(digest, made); found {
		return earlier, nil // another request was faster
	}
	return made, nil
}
