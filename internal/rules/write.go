package rules

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// write writes what a transformation gave as JSON. The members of an object that it made are sorted by their names, so that
// the same value has the same bytes each time.
func write(value ref.Val) ([]byte, error) {
	w := &writer{}
	w.value(value, 0)
	if w.fault != "" {
		return nil, &Fault{Kind: Transform, What: w.fault}
	}
	return w.Bytes(), nil
}

type writer struct {
	bytes.Buffer

	fault string
}

func (w *writer) fail(what string) {
	if w.fault == "" {
		w.fault = what
	}
}

func (w *writer) value(value ref.Val, depth int) {
	switch {
	case w.fault != "":
		return
	case depth > maxNesting:
		w.fail("what it gave is nested too deeply")
		return
	}
	switch v := value.(type) {
	case object:
		w.raw(v.raw)
	case list:
		w.raw(v.raw)
	case types.Null:
		w.WriteString("null")
	case types.Bool:
		w.WriteString(strconv.FormatBool(bool(v)))
	case types.Int:
		w.WriteString(strconv.FormatInt(int64(v), 10))
	case types.Uint:
		w.WriteString(strconv.FormatUint(uint64(v), 10))
	case types.Double:
		w.double(float64(v))
	case types.String:
		w.text(string(v))
	case types.Bytes:
		w.text(base64.StdEncoding.EncodeToString(v))
	case types.Timestamp:
		w.text(v.UTC().Format(time.RFC3339Nano))
	case types.Duration:
		w.text(v.String())
	case traits.Mapper:
		w.object(v, depth)
	case traits.Lister:
		w.list(v, depth)
	default:
		w.fail("it gave " + nameOf(value) + ", which is no JSON")
	}
	if w.Len() > MaxOutput {
		w.fail(fmt.Sprintf("it gave more than %d bytes", MaxOutput))
	}
}

func (w *writer) raw(data []byte) {
	if w.Len()+len(data) > MaxOutput {
		w.fail(fmt.Sprintf("it gave more than %d bytes", MaxOutput))
		return
	}
	w.Write(data)
}

func (w *writer) double(number float64) {
	if math.IsInf(number, 0) || math.IsNaN(number) {
		w.fail("it gave a number that JSON does not have: infinite, or not a number")
		return
	}
	encoded, _ := json.Marshal(number) // finite ones can be encoded
	w.Write(encoded)
}

func (w *writer) text(text string) {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a text can be encoded
	w.Truncate(w.Len() - 1)  // the line's end
}

func (w *writer) object(of traits.Mapper, depth int) {
	type member struct {
		name  string
		value ref.Val
	}
	var members []member
	for each := of.Iterator(); each.HasNext() == types.True; {
		key := each.Next()
		name, ok := key.(types.String)
		if !ok {
			w.fail("the names in an object are texts; it gave " + nameOf(key))
			return
		}
		members = append(members, member{string(name), of.Get(name)})
	}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	w.WriteByte('{')
	for i, member := range members {
		if i > 0 {
			w.WriteByte(',')
		}
		w.text(member.name)
		w.WriteByte(':')
		w.value(member.value, depth+1)
	}
	w.WriteByte('}')
}

func (w *writer) list(of traits.Lister, depth int) {
	w.WriteByte('[')
	first := true
	for each := of.Iterator(); w.fault == "" && each.HasNext() == types.True; {
		if !first {
			w.WriteByte(',')
		}
		first = false
		w.value(each.Next(), depth+1)
	}
	w.WriteByte(']')
}
