package api

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

// providerOf says where a source's requests hold the event's ID and type.
func providerOf(source models.Source) receiver.Provider {
	options := source.Options
	if provider, ok := receiver.ForScheme(signature.Scheme(source.Scheme)); ok {
		return provider.WithFields(receiver.Fields{ID: options.IDField, Type: options.TypeField})
	}
	return receiver.HMAC(receiver.HMACOptions{
		IDField: options.IDField, IDHeader: options.IDHeader, TypeField: options.TypeField, TypeHeader: options.TypeHeader,
	})
}

// handshake answers requests with which a provider only tests the endpoint.
func handshake(source models.Source, header http.Header, body []byte) (receiver.Reply, bool) {
	return providerOf(source).Handshake(header, body)
}

// identify says which event a request is. What will be wrong with it when it is published is wrong with it now: it must
// not be acknowledged.
func identify(source models.Source, header http.Header, body []byte) (receiver.Event, *Problem) {
	event, err := providerOf(source).Parse(header, body)
	if err == nil {
		_, err = source.EventType(event.Type)
	}
	if err != nil {
		return event, newProblem(http.StatusBadRequest, codeBadRequest, err.Error())
	}
	if !storable(event.ID) || !storable(event.Type) {
		return event, newProblem(http.StatusBadRequest, codeBadRequest, "the event's ID and type must be UTF-8 without NUL")
	}
	return event, nil
}

// storable says that a database can hold a text: PostgreSQL refuses NUL and what is not UTF-8.
func storable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }
