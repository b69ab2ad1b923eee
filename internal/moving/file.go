package moving

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
)

// file is an export, of which each place has a line.
type file struct {
	content []byte
	ends    []int // where the lines end
}

func newFile(content []byte) *file {
	// Spreadsheets begin a file with a mark of its byte order. Blanks keep the columns of what follows.
	if bytes.HasPrefix(content, []byte("\uFEFF")) {
		content = content[len("\uFEFF"):]
	}
	f := &file{content: content}
	for at, c := range content {
		if c == '\n' {
			f.ends = append(f.ends, at)
		}
	}
	return f
}

// place is the line and the column of a byte, counted from 1.
func (f *file) place(at int) (line, column int) {
	before := sort.SearchInts(f.ends, at)
	if before == 0 {
		return 1, at + 1
	}
	return before + 1, at - f.ends[before-1]
}

// value is a JSON value of a file.
type value struct {
	file *file
	at   int // where it begins
	raw  json.RawMessage
}

func (v value) line() int {
	line, _ := v.file.place(v.at)
	return line
}

// values are the JSON values that stand in the file one after the other, as jq and programs write them.
func (f *file) values() ([]value, error) {
	var found []value
	decoder := json.NewDecoder(bytes.NewReader(f.content))
	for {
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, f.notJSON(err)
		}
		found = append(found, value{f, int(decoder.InputOffset()) - len(raw), raw})
	}
}

// notJSON says where a file is not JSON.
func (f *file) notJSON(err error) error {
	at := len(f.content)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = max(0, int(syntax.Offset)-1)
	}
	line, column := f.place(min(at, len(f.content)))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("line %d: the file ends in the middle of its JSON; export it again", line)
	}
	return fmt.Errorf("line %d, column %d: this is not JSON (%w); save the answer of the system as it comes", line, column, err)
}

// elements are those of an array; of another value, the value itself.
func (v value) elements() []value {
	decoder := json.NewDecoder(bytes.NewReader(v.raw))
	if first, err := decoder.Token(); err != nil || first != json.Delim('[') {
		return []value{v}
	}
	var found []value
	for decoder.More() {
		var raw json.RawMessage
		if decoder.Decode(&raw) != nil {
			break
		}
		found = append(found, value{v.file, v.at + int(decoder.InputOffset()) - len(raw), raw})
	}
	return found
}

// member is a member of an object; false where there is none, or null.
func (v value) member(name string) (value, bool) {
	decoder := json.NewDecoder(bytes.NewReader(v.raw))
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return value{}, false
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			break
		}
		var raw json.RawMessage
		if decoder.Decode(&raw) != nil {
			break
		}
		if key == name && string(raw) != "null" {
			return value{v.file, v.at + int(decoder.InputOffset()) - len(raw), raw}, true
		}
	}
	return value{}, false
}

// list is what a list holds, whether it comes bare or inside an answer: under one of the names.
func (v value) list(names ...string) []value {
	var found []value
	for _, element := range v.elements() {
		inner, ok := value{}, false
		for _, name := range names {
			if inner, ok = element.member(name); ok {
				break
			}
		}
		if ok {
			found = append(found, inner.list(names...)...)
		} else {
			found = append(found, element)
		}
	}
	return found
}

// into decodes the value. The error says which field is of the wrong kind.
func (v value) into(target any) error {
	decoder := json.NewDecoder(bytes.NewReader(v.raw))
	decoder.UseNumber()
	err := decoder.Decode(target)
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Errorf("expected %s, not %s", kindOf(kind), kind.Value)
	case errors.As(err, &kind):
		return fmt.Errorf("%s: expected %s, not %s", kind.Field, kindOf(kind), kind.Value)
	case err != nil:
		return errors.New("cannot be read: " + err.Error())
	}
	return nil
}
