package api

import (
	"net/http"

	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

// providerOf says where a source's requests hold the event's ID and type.
func providerOf(source models.Source) receiver.Provider {
	if provider, ok := receiver.ForScheme(signature.Scheme(source.Scheme)); ok {
		return provider
	}
	return receiver.HMAC(receiver.HMACOptions{IDHeader: source.Options.IDHeader, TypeHeader: source.Options.TypeHeader})
}

// handshake answers requests with which a provider only tests the endpoint.
func handshake(source models.Source, header http.Header, body []byte) (receiver.Reply, bool) {
	return providerOf(source).Handshake(header, body)
}

func identify(source models.Source, header http.Header, body []byte) (receiver.Identity, *Problem) {
	identity, err := providerOf(source).Identify(header, body)
	if err != nil {
		return identity, newProblem(http.StatusBadRequest, codeBadRequest, err.Error())
	}
	if !storable(identity.ID) || !storable(identity.Type) {
		return identity, newProblem(http.StatusBadRequest, codeBadRequest, "the event's ID and type must be UTF-8 without NUL")
	}
	return identity, nil
}
