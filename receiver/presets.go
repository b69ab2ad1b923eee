package receiver

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/signature"
)

// Headers that the providers put IDs, types and times in.
const (
	headerPostriderID   = "X-Webhook-Delivery"
	headerPostriderType = "X-Webhook-Event"
	headerSvixID        = "svix-id"
	headerSvixTimestamp = "svix-timestamp"
	headerSvixSignature = "svix-signature"
	headerGitHubID      = "X-GitHub-Delivery"
	headerGitHubType    = "X-GitHub-Event"
)

// Shopify has two families of headers: that of webhooks and, since 2026, that of
// events. While it changes over, it sends both.
var (
	headersShopifyID          = []string{"X-Shopify-Webhook-Id", "shopify-webhook-id"}
	headersShopifyEventID     = []string{"X-Shopify-Event-Id", "shopify-event-id"}
	headersShopifyTopic       = []string{"X-Shopify-Topic", "shopify-topic"}
	headersShopifyTriggeredAt = []string{"X-Shopify-Triggered-At", "shopify-triggered-at"}
	headersShopifyAction      = []string{"shopify-action"}
)

// typeFields are what senders of Standard Webhooks call the type of an event.
// Postrider calls it "event", and signs in this way too.
var typeFields = []string{"type", "event_type", "eventType", "event"}

// parsePostrider trusts the body, which is signed. The headers name the event
// where a body does not, and must not contradict it.
func parsePostrider(header http.Header, body []byte) (Event, error) {
	object, err := parseObject(body)
	if err != nil {
		return Event{}, err
	}
	id, err := agreeing(header, object.text("id"), headerPostriderID, signature.HeaderID)
	if err != nil {
		return Event{}, err
	}
	eventType, err := agreeing(header, object.text("event"), headerPostriderType)
	if err != nil {
		return Event{}, err
	}
	return Event{ID: id, Type: eventType, Timestamp: object.time("timestamp"), Data: object.part("data", body)}, nil
}

// agreeing returns the text or, when it is empty, the first of the headers that
// is there. All that are there must be equal.
func agreeing(header http.Header, text string, names ...string) (string, error) {
	for _, name := range names {
		value, err := singleValue(header, name)
		if err != nil {
			return "", err
		}
		if text == "" {
			text = value
		}
		if value != "" && value != text {
			return "", malformed(name + " differs from what else names the event")
		}
	}
	return text, nil
}

// parseStandard takes the ID and the time from the family of headers that
// package signature verifies: Svix's only when webhook-signature is absent. An ID
// of the other family would be unsigned. The specification recommends a body with a
// type and demands none.
func parseStandard(header http.Header, body []byte) (Event, error) {
	idName, timeName := signature.HeaderID, signature.HeaderTimestamp
	signed, err := singleValue(header, signature.HeaderSignature)
	if err != nil {
		return Event{}, err
	}
	if signed == "" {
		if signed, err = singleValue(header, headerSvixSignature); err != nil {
			return Event{}, err
		}
		if signed != "" {
			idName, timeName = headerSvixID, headerSvixTimestamp
		}
	}
	id, err := singleValue(header, idName)
	if err != nil {
		return Event{}, err
	}
	event := Event{ID: id, Type: DefaultType, Data: contentOf(header, body).data}
	fields, err := parseObject(event.Data)
	if err == nil {
		event.Timestamp, event.Data = fields.time("timestamp"), fields.part("data", event.Data)
	}
	for _, name := range typeFields {
		if text := fields.text(name); text != "" {
			event.Type = text
			break
		}
	}
	if event.Timestamp.IsZero() {
		sent, err := singleValue(header, timeName)
		if err != nil {
			return Event{}, err
		}
		event.Timestamp = unixTime(sent)
	}
	return event, nil
}

func parseStripe(_ http.Header, body []byte) (Event, error) {
	object, err := parseObject(body)
	if err != nil {
		return Event{}, err
	}
	event := Event{
		ID: object.text("id"), Type: object.text("type"), Timestamp: object.time("created"), Data: object.part("data", body),
	}
	event.BodyHash, err = stripeHash(object)
	return event, err
}

// stripeHash leaves out how many endpoints the event has yet to reach, which is
// another number in a copy that is sent later.
func stripeHash(event object) (string, error) {
	rest := maps.Clone(event)
	delete(rest, "pending_webhooks")
	body, err := json.Marshal(rest)
	if err != nil {
		return "", malformed("body is not a JSON object")
	}
	return bodyHash(body), nil
}

// parseGitHub reads JSON and the form that GitHub sends when a webhook's content
// type was left as it is: payload=<JSON>.
func parseGitHub(header http.Header, body []byte) (Event, error) {
	contentType, err := singleValue(header, "Content-Type")
	if err != nil {
		return Event{}, err
	}
	data := json.RawMessage(body)
	if MediaType(contentType) == typeForm {
		form, ok := parseForm(body)
		if !ok {
			return Event{}, malformed("form is unreadable")
		}
		data = nil
		if len(form) == 1 {
			data = payloadOf(form)
		}
	}
	object, err := parseObject(data)
	if err != nil {
		return Event{}, err
	}
	id, err := singleValue(header, headerGitHubID)
	if err != nil {
		return Event{}, err
	}
	eventType, err := singleValue(header, headerGitHubType)
	if err != nil {
		return Event{}, err
	}
	if action := object.text("action"); eventType != "" && action != "" {
		eventType += "." + action
	}
	return Event{ID: id, Type: eventType, Data: data}, nil
}

// parseShopify prefers the ID of the webhook, Shopify's idempotency key. The ID
// of the event is shared by all topics that one action of a merchant sets off, so
// that it names an event only together with the topic. The topics of the newer
// family, such as Product, are no more than a kind of thing: what was done with it
// is in a header of its own.
func parseShopify(header http.Header, body []byte) (Event, error) {
	if !json.Valid(body) {
		return Event{}, malformed("body is not JSON")
	}
	topic, err := firstValue(header, headersShopifyTopic)
	if err != nil {
		return Event{}, err
	}
	action, err := firstValue(header, headersShopifyAction)
	if err != nil {
		return Event{}, err
	}
	if topic != "" && action != "" && !strings.Contains(topic, "/") {
		topic += "/" + action
	}
	id, err := firstValue(header, headersShopifyID)
	if err != nil {
		return Event{}, err
	}
	if id == "" {
		if id, err = firstValue(header, headersShopifyEventID); err != nil {
			return Event{}, err
		}
		if id != "" {
			id += "/" + topic
		}
	}
	triggered, err := firstValue(header, headersShopifyTriggeredAt)
	if err != nil {
		return Event{}, err
	}
	return Event{ID: id, Type: topic, Timestamp: textTime(triggered), Data: body}, nil
}

// parseSlack reads the Events API, slash commands and what comes of interactive
// messages and dialogs. The last two are forms. A notice without an inner event,
// such as app_rate_limited, has no ID and is known by its body.
func parseSlack(header http.Header, body []byte) (Event, error) {
	c := contentOf(header, body)
	if c.data == nil {
		c = readContent(typeForm, body) // Slack sends nothing else
	}
	if c.form != nil {
		return slackForm(c, body), nil
	}
	return slackEvent(body)
}

// slackForm takes trigger_id, which no two interactions share, for the ID.
func slackForm(c content, body []byte) Event {
	event := Event{ID: bodyHash(body), Type: DefaultType, Data: c.data}
	for _, path := range []string{"trigger_id", "payload.trigger_id"} {
		if text := c.text(path); text != "" {
			event.ID = text
			break
		}
	}
	for _, path := range []string{"command", "payload.type"} {
		if text := c.text(path); text != "" {
			event.Type = text
			break
		}
	}
	return event
}

func slackEvent(body []byte) (Event, error) {
	object, err := parseObject(body)
	if err != nil {
		return Event{}, err
	}
	event := Event{ID: object.text("event_id"), Timestamp: object.time("event_time"), Data: object.part("event", body)}
	if inner, ok := object["event"]; ok {
		fields, err := parseObject(inner)
		if err != nil {
			return Event{}, malformed("event is not a JSON object")
		}
		event.Type = fields.text("type")
		return event, nil
	}
	event.Type = object.text("type")
	if event.ID == "" {
		event.ID = bodyHash(body)
	}
	return event, nil
}

// unixTime reads Unix seconds up to the year 9999, and returns the zero time for
// anything else.
func unixTime(text string) time.Time {
	const endOfYear9999 = 253_402_300_799
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds <= 0 || seconds > endOfYear9999 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// textTime reads RFC 3339, and returns the zero time for anything else.
func textTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
