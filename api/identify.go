package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"

	"github.com/postrider/postrider/models"
)

type identity struct {
	id, eventType, contentType string
	handshake                  []byte
}

func identify(source models.Source, header http.Header, body []byte) (identity, error) {
	sum := sha256.Sum256(body)
	return identity{id: hex.EncodeToString(sum[:]), eventType: "event"}, nil
}

func confirmation(token string, query url.Values) (string, bool) { return "", false }
