package service

import (
	"time"

	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

// providerOf says how a source's requests are signed, and where they hold the event's ID and type.
func providerOf(source models.Source) receiver.Provider {
	options := source.Options
	if provider, ok := receiver.ForScheme(signature.Scheme(source.Scheme)); ok {
		return provider.WithFields(receiver.Fields{ID: options.IDField, Type: options.TypeField})
	}
	return receiver.HMAC(receiver.HMACOptions{
		Signature: signature.HMACConfig{
			Header: options.Header, Prefix: options.Prefix,
			Encoding: signature.Encoding(options.Encoding), Hash: signature.Hash(options.Hash),
		},
		IDField: options.IDField, IDHeader: options.IDHeader, TypeField: options.TypeField, TypeHeader: options.TypeHeader,
	})
}

// ToleranceOf is how far a source's signed timestamps may be off; 0 for the scheme's default.
func ToleranceOf(source models.Source) time.Duration {
	return time.Duration(source.Options.ToleranceSeconds) * time.Second
}
