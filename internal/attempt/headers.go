package attempt

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/headerlog"
	"github.com/postrider/postrider/models"
)

// shown are headers that every request has from us, whatever its webhook sets, and that the log shows.
var shown = map[string]bool{
	"Content-Type": true, "User-Agent": true, "Webhook-Id": true, "Webhook-Timestamp": true, "X-Webhook-Attempt": true,
	"X-Webhook-Delivery": true, "X-Webhook-Event": true,
}

// shownOfEvents begin the names of headers that tell of the event. All others may be secret.
var shownOfEvents = []string{"Ce-", "Traceparent", "Tracestate", "X-Webhook-Event-", metaPrefix}

// plainAnswer are names of headers of answers that hold no credential; usual ones, so that most need no closer look.
var plainAnswer = map[string]bool{
	"Cache-Control": true, "Connection": true, "Content-Length": true, "Content-Type": true, "Date": true, "Etag": true,
	"Server": true, "Vary": true, "Via": true,
}

// secretWords are in the names of headers of answers whose values the log does not keep.
var secretWords = []string{"cookie", "authorization", "token", "secret", "password", "api-key", "apikey", "session", "signature", "credential"}

// leastSecret is how long a value must be for it to be looked for in an answer: a shorter one is there by chance.
const leastSecret = 8

// logHeaders adds to an attempt what the log keeps of the headers, as far as there were a request and an answer.
func logHeaders(attempt *models.Attempt, job models.Job, request *http.Request, response egress.Result) {
	if !response.Sent {
		return
	}
	var secrets []string
	attempt.RequestHeaders, secrets = requestLog(request.Header, job, *attempt)
	if response.StatusCode != 0 {
		attempt.ResponseHeaders = answerLog(response.Header, secrets)
	}
}

// requestLog is what the log keeps of a request's headers, and the values that must not be in the log.
func requestLog(header http.Header, job models.Job, attempt models.Attempt) (packed []byte, secrets []string) {
	fields := make([]headerlog.Field, 0, len(header))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			if hidden(name, job.Webhook.Headers) {
				secrets = append(secrets, secretsIn(value)...)
				value = headerlog.Masked
			}
			fields = append(fields, headerlog.Field{Name: name, Value: value})
		}
	}
	return sentBy(job, attempt).Pack(fields), secrets
}

func sentBy(job models.Job, attempt models.Attempt) headerlog.Sent {
	return headerlog.Sent{DeliveryID: job.Delivery.ID, Event: job.Event.Type, Number: attempt.Number, StartedAt: attempt.StartedAt}
}

// hidden says that a request's header may hold a secret. Of a webhook's own headers, every one may.
func hidden(name string, own models.Headers) bool {
	if shown[name] {
		return false
	}
	for ownName := range own {
		if http.CanonicalHeaderKey(ownName) == name {
			return true
		}
	}
	return !slices.ContainsFunc(shownOfEvents, func(begin string) bool { return strings.HasPrefix(name, begin) })
}

// secretsIn are the parts of a value that an answer may repeat: Bearer and a token, for one, are looked for apart.
func secretsIn(value string) (secrets []string) {
	for _, part := range strings.Fields(value) {
		if len(part) >= leastSecret {
			secrets = append(secrets, part)
		}
	}
	return secrets
}

// answerLog is what the log keeps of an answer's headers: none that says a credential, and no secret that the request
// had and the receiver repeats.
func answerLog(header http.Header, secrets []string) []byte {
	fields := make([]headerlog.Field, 0, len(header))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			if saysSecret(name) || slices.ContainsFunc(secrets, func(secret string) bool { return strings.Contains(value, secret) }) {
				value = headerlog.Masked
			}
			fields = append(fields, headerlog.Field{Name: name, Value: value})
		}
	}
	return headerlog.Pack(fields)
}

func saysSecret(name string) bool {
	if plainAnswer[name] {
		return false
	}
	name = strings.ToLower(name)
	return slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, word) })
}
