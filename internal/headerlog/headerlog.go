// Package headerlog packs the headers of a request or an answer as the log of attempts keeps them: bounded in size, and
// small, because every attempt has them. It is the form of HTTP/2's header compression (HPACK, RFC 7541) without state
// between two packs: usual names take one byte, and text about three quarters.
package headerlog

import (
	"bytes"
	"net/textproto"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/http2/hpack"
)

// Field is a header. Names are in the form of net/http: Content-Type.
type Field struct{ Name, Value string }

// Bounds of what is kept of the headers of one message, in bytes.
const (
	maxValue = 1 << 10
	maxAll   = 8 << 10
)

// Cut is the name under which Pack says that it left headers out. It is no header's: its value is how many they were.
const Cut = "…"

// Pack packs fields in their order. Values that are too long are cut, and end with …; what is beyond the bound is left
// out, and counted under Cut.
func Pack(fields []Field) []byte {
	var packed bytes.Buffer
	encoder := hpack.NewEncoder(&packed)
	encoder.SetMaxDynamicTableSizeLimit(0)
	room := maxAll
	for i, field := range fields {
		value := shorten(field.Value)
		if room -= len(field.Name) + len(value); room < 0 {
			write(encoder, Field{Cut, strconv.Itoa(len(fields) - i)})
			break
		}
		write(encoder, Field{field.Name, value})
	}
	return packed.Bytes()
}

// write writes one field. Writing to memory does not fail. HTTP/2 has names in lower case, and so has its table.
func write(encoder *hpack.Encoder, field Field) {
	_ = encoder.WriteField(hpack.HeaderField{Name: strings.ToLower(field.Name), Value: field.Value})
}

func shorten(value string) string {
	if len(value) <= maxValue {
		return value
	}
	end := maxValue
	for end > maxValue-utf8.UTFMax && !utf8.RuneStart(value[end]) {
		end--
	}
	return value[:end] + "…"
}

// Unpack returns the fields that Pack packed. What is not of that form has none from there on.
func Unpack(packed []byte) (fields []Field) {
	decoder := hpack.NewDecoder(0, func(field hpack.HeaderField) {
		fields = append(fields, Field{textproto.CanonicalMIMEHeaderKey(field.Name), strings.ToValidUTF8(field.Value, "\uFFFD")})
	})
	_, _ = decoder.Write(packed)
	return fields
}
