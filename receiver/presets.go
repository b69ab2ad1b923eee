package receiver

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/postrider/postrider/signature"
)

// Headers that the providers put IDs, types and times in.
const (
	headerPostriderID        = "X-Webhook-Delivery"
	headerPostriderType      = "X-Webhook-Event"
	headerSvixID             = "svix-id"
	headerSvixTimestamp      = "svix-timestamp"
	headerSvixSignature      = "svix-signature"
	headerGitHubID           = "X-GitHub-Delivery"
	headerGitHubType         = "X-GitHub-Event"
	headerShopifyID          = "X-Shopify-Webhook-Id"
	headerShopifyEventID     = "X-Shopify-Event-Id"
	headerShopifyType        = "X-Shopify-Topic"
	headerShopifyTriggeredAt = "X-Shopify-Triggered-At"
)

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
// of the other family would be unsigned.
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
	object, err := parseObject(body)
	if err != nil {
		return Event{}, err
	}
	// Postrider calls the type "event", and signs in this way too.
	eventType := object.text("type")
	if eventType == "" {
		eventType = object.text("event")
	}
	timestamp := object.time("timestamp")
	if timestamp.IsZero() {
		sent, err := singleValue(header, timeName)
		if err != nil {
			return Event{}, err
		}
		timestamp = unixTime(sent)
	}
	return Event{ID: id, Type: eventType, Timestamp: timestamp, Data: object.part("data", body)}, nil
}

func parseStripe(_ http.Header, body []byte) (Event, error) {
	object, err := parseObject(body)
	if err != nil {
		return Event{}, err
	}
	return Event{
		ID: object.text("id"), Type: object.text("type"), Timestamp: object.time("created"), Data: object.part("data", body),
	}, nil
}

// parseGitHub reads JSON and the form that GitHub sends when a webhook's content
// type was left as it is: payload=<JSON>.
func parseGitHub(header http.Header, body []byte) (Event, error) {
	contentType, err := singleValue(header, "Content-Type")
	if err != nil {
		return Event{}, err
	}
	data := body
	if media, _, err := mime.ParseMediaType(contentType); err == nil && media == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return Event{}, malformed("form is unreadable")
		}
		data = []byte(form.Get("payload"))
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
// that it names an event only together with the topic.
func parseShopify(header http.Header, body []byte) (Event, error) {
	if !json.Valid(body) {
		return Event{}, malformed("body is not JSON")
	}
	topic, err := singleValue(header, headerShopifyType)
	if err != nil {
		return Event{}, err
	}
	id, err := singleValue(header, headerShopifyID)
	if err != nil {
		return Event{}, err
	}
	if id == "" {
		if id, err = singleValue(header, headerShopifyEventID); err != nil {
			return Event{}, err
		}
		if id != "" {
			id += "/" + topic
		}
	}
	triggered, err := singleValue(header, headerShopifyTriggeredAt)
	if err != nil {
		return Event{}, err
	}
	return Event{ID: id, Type: topic, Timestamp: textTime(triggered), Data: body}, nil
}

// parseSlack reads the Events API. A notice without an inner event, such as
// app_rate_limited, has no ID either and is known by its body.
func parseSlack(_ http.Header, body []byte) (Event, error) {
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
