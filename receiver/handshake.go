package receiver

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/url"
)

const (
	typeJSON = "application/json"
	typeText = "text/plain; charset=utf-8"
)

// maxChallenge bounds the bytes of a challenge that is sent back. Meta's has ten
// digits, Slack's fifty characters.
const maxChallenge = 1024

// Reply is a successful answer to a handshake.
type Reply struct {
	ContentType string
	Body        []byte
}

// HubChallenge reads the query of the GET request with which Meta, and hubs of
// WebSub, ask whether an endpoint wants a subscription. It returns hub.challenge,
// which has to be answered as plain text, and false when the request is another
// one or does not know the token. Source:
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started.
func HubChallenge(query url.Values, verifyToken string) (challenge string, ok bool) {
	// Equal lengths keep the comparison from telling the token's.
	given, want := sha256.Sum256([]byte(query.Get("hub.verify_token"))), sha256.Sum256([]byte(verifyToken))
	knows := subtle.ConstantTimeCompare(given[:], want[:]) == 1
	challenge = query.Get("hub.challenge")
	if verifyToken == "" || !knows || query.Get("hub.mode") != "subscribe" || challenge == "" || len(challenge) > maxChallenge {
		return "", false
	}
	return challenge, true
}

// slackChallenge answers Slack's check of a new request URL, and that of the
// certificate of a slash command's. Sources:
// https://docs.slack.dev/reference/events/url_verification,
// https://docs.slack.dev/interactivity/implementing-slash-commands.
func slackChallenge(header http.Header, body []byte) (Reply, bool) {
	if bytes.Contains(body, []byte("ssl_check")) && contentOf(header, body).text("ssl_check") == "1" {
		return Reply{ContentType: typeJSON, Body: []byte(bodyReceived)}, true
	}
	if !bytes.Contains(body, []byte("url_verification")) {
		return Reply{}, false // every event comes by here
	}
	fields, err := parseObject(body)
	if err != nil || fields.text("type") != "url_verification" {
		return Reply{}, false
	}
	challenge := fields.text("challenge")
	if challenge == "" || len(challenge) > maxChallenge {
		return Reply{}, false
	}
	answer, err := json.Marshal(map[string]string{"challenge": challenge})
	if err != nil {
		return Reply{}, false
	}
	return Reply{ContentType: typeJSON, Body: answer}, true
}

// gitHubPing answers the event that a new webhook begins with. Source:
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#ping.
func gitHubPing(header http.Header, _ []byte) (Reply, bool) {
	event, err := singleValue(header, headerGitHubType)
	if err != nil || event != "ping" {
		return Reply{}, false
	}
	return Reply{ContentType: typeJSON, Body: []byte(bodyReceived)}, true
}
