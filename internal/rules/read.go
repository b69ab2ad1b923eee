package rules

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// maxNesting bounds how deep lists and objects of an event's data may be in each other.
const maxNesting = 1000

// object and list are values of JSON that keep their bytes: passed on as they are, they are sent as they came, with the
// order of their members and the form of their numbers.
type (
	object struct {
		traits.Mapper

		raw []byte
	}
	list struct {
		traits.Lister

		raw []byte
	}
)

// read reads JSON. A whole number of 64 bits is an int, any other a double; of members with the same name the last counts.
func read(data []byte) (ref.Val, *Fault) {
	if !json.Valid(data) {
		return nil, &Fault{What: "the data are not JSON, or nested too deeply"}
	}
	r := reader{data: data}
	value := r.value(0)
	if r.tooDeep {
		return nil, &Fault{What: "the data are nested deeper than " + strconv.Itoa(maxNesting) + " levels"}
	}
	return value, nil
}

// reader goes through JSON that is known to be valid.
type reader struct {
	data    []byte
	at      int
	tooDeep bool
}

func (r *reader) value(depth int) ref.Val {
	if depth > maxNesting {
		r.tooDeep = true
		r.at = len(r.data)
		return types.NullValue
	}
	switch r.space(); r.data[r.at] {
	case '{':
		return r.object(depth)
	case '[':
		return r.list(depth)
	case '"':
		return types.String(r.text())
	case 't':
		r.at += len("true")
		return types.True
	case 'f':
		r.at += len("false")
		return types.False
	case 'n':
		r.at += len("null")
		return types.NullValue
	}
	return r.number()
}

// space skips white space.
func (r *reader) space() {
	for r.at < len(r.data) && (r.data[r.at] == ' ' || r.data[r.at] == '\n' || r.data[r.at] == '\t' || r.data[r.at] == '\r') {
		r.at++
	}
}

// more says whether a member follows. It skips what separates them, and the end.
func (r *reader) more(end byte) bool {
	if r.tooDeep {
		return false
	}
	if r.space(); r.data[r.at] == ',' {
		r.at++
		r.space()
	}
	if r.data[r.at] == end {
		r.at++
		return false
	}
	return true
}

func (r *reader) object(depth int) ref.Val {
	start := r.at
	members := map[ref.Val]ref.Val{}
	for r.at++; r.more('}'); {
		name := types.String(r.text())
		r.space()
		r.at++ // the colon
		members[name] = r.value(depth + 1)
	}
	return object{types.NewRefValMap(types.DefaultTypeAdapter, members), r.data[start:r.at]}
}

func (r *reader) list(depth int) ref.Val {
	start := r.at
	var items []ref.Val
	for r.at++; r.more(']'); {
		items = append(items, r.value(depth+1))
	}
	return list{types.NewRefValList(types.DefaultTypeAdapter, items), r.data[start:r.at]}
}

func (r *reader) text() string {
	start := r.at
	for r.at++; r.data[r.at] != '"'; r.at++ {
		if r.data[r.at] == '\\' {
			r.at++
		}
	}
	r.at++
	raw := r.data[start:r.at]
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(bytes.ToValidUTF8(raw[1:len(raw)-1], []byte("\ufffd")))
	}
	var text string
	_ = json.Unmarshal(raw, &text) // it is valid
	return text
}

func (r *reader) number() ref.Val {
	start := r.at
	for r.at < len(r.data) && strings.IndexByte("+-.0123456789Ee", r.data[r.at]) >= 0 {
		r.at++
	}
	text := string(r.data[start:r.at])
	if number, err := strconv.ParseInt(text, 10, 64); err == nil {
		return types.Int(number)
	}
	number, _ := strconv.ParseFloat(text, 64) // what is too large is infinite
	return types.Double(number)
}
