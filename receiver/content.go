package receiver

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/postrider/postrider/signature"
)

// typeForm is the media type of what an HTML form sends.
const typeForm = "application/x-www-form-urlencoded"

// payloadField is the one field of a form that holds JSON: GitHub and Slack send
// events in it.
const payloadField = "payload"

// maxFormFields bounds the fields that a form is read with. A body with more is
// treated as a text.
const maxFormFields = 10_000

// byteOrderMark is what some senders on Windows begin UTF-8 with. It is signed
// with the body, and is no part of the JSON behind it.
var byteOrderMark = []byte("\ufeff")

// MediaType returns the media type of a Content-Type in lower case, without its
// parameters, however these are written. Of several, which a proxy may have
// joined, it is the first.
func MediaType(contentType string) string {
	end := strings.IndexAny(contentType, ";,")
	if end < 0 {
		end = len(contentType)
	}
	return strings.ToLower(strings.Trim(contentType[:end], " \t"))
}

// BodyJSON returns what a body says as JSON, and false when it says nothing that
// has a form in JSON:
//
//   - JSON is returned as it is, without a byte order mark, whatever the
//     Content-Type says. Only a string, a number, true, false or null that is
//     called a form is one.
//   - A form becomes an object of its fields; the values of a field that is
//     repeated become an array. A field payload that is alone and holds a JSON
//     object is that object.
//   - What is not UTF-8, a form with broken escapes or more than 10,000 fields,
//     an empty body and any other text are neither.
func BodyJSON(contentType string, body []byte) (json.RawMessage, bool) {
	c := readContent(contentType, body)
	return c.data, c.data != nil && utf8.Valid(c.data)
}

// content is a body as it was understood.
type content struct {
	data json.RawMessage // nil: neither JSON nor a form
	form map[string][]string
}

// contentOf is readContent for a request. A repeated Content-Type counts as its
// first value.
func contentOf(header http.Header, body []byte) content {
	contentType := ""
	if values := signature.HeaderValues(header, "Content-Type"); len(values) > 0 {
		contentType = values[0]
	}
	return readContent(contentType, body)
}

func readContent(contentType string, body []byte) content {
	body = bytes.TrimPrefix(body, byteOrderMark)
	isForm := MediaType(contentType) == typeForm
	if json.Valid(body) && (!isForm || isComposite(body)) {
		return content{data: body}
	}
	if !isForm {
		return content{}
	}
	form, ok := parseForm(body)
	if !ok {
		return content{}
	}
	return content{data: formJSON(form), form: form}
}

// isComposite reports whether valid JSON is an object or an array.
func isComposite(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return body[0] == '{' || body[0] == '['
}

// parseForm reads fields that are joined by &, as browsers do: a semicolon is
// part of a value, which url.ParseQuery does not take.
func parseForm(body []byte) (map[string][]string, bool) {
	if len(body) == 0 || !utf8.Valid(body) || bytes.Count(body, []byte("&")) >= maxFormFields {
		return nil, false
	}
	form := map[string][]string{}
	for pair := range strings.SplitSeq(string(body), "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(name)
		value, valueErr := url.QueryUnescape(value)
		if nameErr != nil || valueErr != nil || !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, false
		}
		form[name] = append(form[name], value)
	}
	return form, true
}

// payloadOf returns the one field payload of a form, without a byte order mark, or nil.
func payloadOf(form map[string][]string) json.RawMessage {
	if payload := form[payloadField]; len(payload) == 1 {
		return bytes.TrimPrefix([]byte(payload[0]), byteOrderMark)
	}
	return nil
}

// formJSON returns the object that a form stands for.
func formJSON(form map[string][]string) json.RawMessage {
	if payload := payloadOf(form); payload != nil && len(form) == 1 {
		if _, err := parseObject(payload); err == nil {
			return payload
		}
	}
	fields := make(map[string]any, len(form))
	for name, values := range form {
		if len(values) == 1 {
			fields[name] = values[0]
		} else {
			fields[name] = values
		}
	}
	data, err := json.Marshal(fields)
	if err != nil {
		return nil // strings always have a form in JSON
	}
	return data
}

// text returns the value at a path such as "event.id" or "payload.type", where
// payload may be a form's field, and "" without one.
func (c content) text(path string) string {
	payload := payloadOf(c.form)
	if text := textAt(c.data, path); text != "" || payload == nil {
		return text
	}
	if rest, ok := strings.CutPrefix(path, payloadField+"."); ok { // it was unpacked
		return textAt(payload, rest)
	}
	return ""
}
