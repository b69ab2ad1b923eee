package service

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/postrider/postrider/models"
)

// maxPEM is the longest PEM text, in bytes.
const maxPEM = 64 << 10

// TLSSetting changes a certificate with its key, or the authorities that are trusted.
type TLSSetting struct{ Certificate, Key, CA Patch[string] }

// CertificateShown is what is shown of a certificate.
type CertificateShown struct {
	Subject, Issuer string
	ExpiresAt       time.Time
}

// tls checks what requests show and trust in TLS, and returns it as it is stored; nil when nothing is left.
func (f *faults) tls(in TLSSetting, before *models.TLS, now time.Time) *models.TLS {
	made := orZero(before)
	in.Certificate.to(&made.Certificate)
	in.Key.to(&made.Key)
	in.CA.to(&made.CA)
	for _, given := range []struct {
		location string
		patch    Patch[string]
	}{{"tls.certificate", in.Certificate}, {"tls.key", in.Key}, {"tls.ca", in.CA}} {
		if given.patch.Set && !given.patch.Null && (given.patch.Value == "" || len(given.patch.Value) > maxPEM) {
			f.add(given.location, fmt.Sprintf("expected a PEM text of at most %d KiB, or null for none", maxPEM>>10))
			return before
		}
	}
	f.keyPair(made, now)
	if made.CA != "" {
		f.certificates("tls.ca", made.CA)
	}
	if made == (models.TLS{}) {
		return nil
	}
	return &made
}

// keyPair checks a certificate and its key.
func (f *faults) keyPair(of models.TLS, now time.Time) {
	switch {
	case of.Certificate == "" && of.Key == "":
		return
	case of.Certificate == "":
		f.add("tls.certificate", "expected the certificate that belongs to the key")
		return
	case of.Key == "":
		f.add("tls.key", "expected the private key that belongs to the certificate")
		return
	}
	chain := f.certificates("tls.certificate", of.Certificate)
	if len(chain) == 0 || !f.privateKey(of.Key) {
		return
	}
	if _, err := tls.X509KeyPair([]byte(of.Certificate), []byte(of.Key)); err != nil {
		f.add("tls.key", "the key does not belong to the certificate, or is of a kind that TLS does not use")
	}
	if end := chain[0].NotAfter; !now.Before(end) {
		f.add("tls.certificate", "the certificate expired on "+end.UTC().Format(time.RFC3339))
	}
}

// certificates reads the certificates of a PEM text; the first is the sender's.
func (f *faults) certificates(location, text string) []*x509.Certificate {
	var found []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil {
			f.add(location, fmt.Sprintf("block %d, %.30q, is no certificate", len(found)+1, block.Type))
			return nil
		}
		found = append(found, certificate)
	}
	if len(found) == 0 {
		f.add(location, "expected PEM: -----BEGIN CERTIFICATE----- and lines of base64")
	}
	return found
}

// privateKey says whether a text looks like a private key that can be read.
func (f *faults) privateKey(text string) bool {
	block, _ := pem.Decode([]byte(text))
	switch {
	case block == nil || !strings.HasSuffix(block.Type, "PRIVATE KEY"):
		f.add("tls.key", "expected PEM: -----BEGIN PRIVATE KEY----- and lines of base64")
	case strings.Contains(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "":
		f.add("tls.key", "the key is encrypted: give it without a passphrase; it is sealed here")
	default:
		return true
	}
	return false
}

// shownCertificates is what is shown of the certificates of a PEM text.
func shownCertificates(text string) []CertificateShown {
	var unheard faults
	var shown []CertificateShown
	for _, certificate := range unheard.certificates("", text) {
		shown = append(shown, CertificateShown{certificate.Subject.String(), certificate.Issuer.String(), certificate.NotAfter.UTC()})
	}
	return shown
}

// ShownTLS is what is shown of a webhook's TLS: its certificate, nil when it has none, and the authorities it trusts.
func (w Webhook) ShownTLS() (certificate *CertificateShown, authorities []CertificateShown) {
	of := w.Credentials.TLS
	if of == nil {
		return nil, nil
	}
	if chain := shownCertificates(of.Certificate); of.Certificate != "" && len(chain) > 0 {
		certificate = &chain[0]
	}
	if of.CA != "" {
		authorities = shownCertificates(of.CA)
	}
	return certificate, authorities
}
