package receiver

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/signature"
)

// object is a JSON object. A map, unlike a struct, takes names as they are
// spelled: an "ID" beside the "id" of a payload is another field.
type object map[string]json.RawMessage

func parseObject(body []byte) (object, error) {
	var o object
	// The decoder's own error would quote the body. A null leaves the map nil.
	if err := json.Unmarshal(body, &o); err != nil || o == nil {
		return nil, malformed("body is not a JSON object")
	}
	return o, nil
}

// text is textOf for a field.
func (o object) text(name string) string { return textOf(o[name]) }

// textOf returns a string or a number as it is written, and "" for anything else.
func textOf(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	if raw[0] == '-' || ('0' <= raw[0] && raw[0] <= '9') {
		return string(raw)
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}

// maxPathDepth bounds the names of a path.
const maxPathDepth = 10

// textAt returns the string or number at a path such as "event.type" or
// "events.0.id": names of nested fields, and places in arrays, with dots between
// them. A field whose name has dots itself is found too, and so is one within a
// string that holds JSON. It returns "" for anything else.
func textAt(raw json.RawMessage, path string) string {
	for range maxPathDepth {
		at := nodeOf(raw)
		if text := textOf(at.get(path)); text != "" {
			return text
		}
		name, rest, deeper := strings.Cut(path, ".")
		if !deeper {
			return ""
		}
		raw, path = at.get(name), rest
	}
	return ""
}

// node is an object or an array, or neither.
type node struct {
	fields object
	list   []json.RawMessage
}

func nodeOf(raw json.RawMessage) node {
	var packed string
	if json.Unmarshal(raw, &packed) == nil {
		raw = json.RawMessage(packed)
	}
	var n node
	if fields, err := parseObject(raw); err == nil {
		n.fields = fields
	} else if json.Unmarshal(raw, &n.list) != nil {
		n.list = nil // what was read before the fault
	}
	return n
}

func (n node) get(name string) json.RawMessage {
	if place, err := strconv.Atoi(name); err == nil && 0 <= place && place < len(n.list) {
		return n.list[place]
	}
	return n.fields[name]
}

// time reads RFC 3339 or Unix seconds; the zero time means that it is neither.
func (o object) time(name string) time.Time {
	text := o.text(name)
	if t := unixTime(text); !t.IsZero() {
		return t
	}
	return textTime(text)
}

// part returns a field or, without it, the whole body.
func (o object) part(name string, body []byte) json.RawMessage {
	if raw, ok := o[name]; ok {
		return raw
	}
	return body
}

// bodyHash stands in for the ID of an event that has none.
func bodyHash(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// singleValue returns the value of a header, or "" when it is absent. A repeated
// one is malformed: the sender's proxy and we could read different values.
func singleValue(header http.Header, name string) (string, error) {
	switch values := signature.HeaderValues(header, name); len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", malformed(name + " is repeated")
}

// firstValue returns the first of several headers that is there.
func firstValue(header http.Header, names []string) (string, error) {
	for _, name := range names {
		if value, err := singleValue(header, name); value != "" || err != nil {
			return value, err
		}
	}
	return "", nil
}
