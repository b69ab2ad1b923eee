package service

import (
	"time"

	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// VerifierOf makes the verifier of a source's requests. now is the clock of signed timestamps.
func VerifierOf(source models.Source, secrets []string, now func() time.Time) (*signature.Verifier, error) {
	options := source.Options
	cfg := signature.Config{Scheme: signature.Scheme(source.Scheme), Secrets: secrets, Now: now, Tolerance: ToleranceOf(source)}
	if cfg.Scheme == signature.SchemeHMAC {
		cfg.HMAC = &signature.HMACConfig{
			Header: options.Header, Prefix: options.Prefix,
			Encoding: signature.Encoding(options.Encoding), Hash: signature.Hash(options.Hash),
		}
	}
	return signature.NewVerifier(cfg)
}

// ToleranceOf is how far a source's signed timestamps may be off; 0 for the scheme's default.
func ToleranceOf(source models.Source) time.Duration {
	return time.Duration(source.Options.ToleranceSeconds) * time.Second
}
