package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"
)

// lostMember returns the path of a member that would not be stored as it was given, and what is wrong with it: it is there
// twice, or is a text with half a character. The path is empty when there is none. The text must be valid JSON of the type.
// Only members that the type has are checked: what is kept as it is, such as data, is up to the publisher.
func lostMember(text []byte, of reflect.Type) (path, message string) {
	scanner := memberScanner{text: text, message: "is there twice"}
	path = scanner.value(of, "")
	return path, scanner.message
}

// memberScanner goes through valid JSON.
type memberScanner struct {
	text    []byte
	at      int
	message string
}

// value reads a value, up to the first fault.
func (s *memberScanner) value(of reflect.Type, path string) string {
	of = objectType(of)
	switch first := s.next(); {
	case first == '{' && of != nil:
		return s.object(of, path)
	case first == '[' && of != nil && of.Kind() == reflect.Slice:
		return s.array(of, path)
	}
	begin := s.at
	if s.skip(); of != nil && s.text[begin] == '"' && hasHalf(s.text[begin:s.at]) {
		s.message = `has half of a \u pair, such as \ud83d without \ude00 behind it`
		return path
	}
	return ""
}

// hasHalf says that a JSON text has half of a surrogate pair, which encoding/json silently replaces.
func hasHalf(text []byte) bool {
	var decoded string
	_ = json.Unmarshal(text, &decoded)
	return strings.ContainsRune(decoded, utf8.RuneError) &&
		!bytes.ContainsRune(text, utf8.RuneError) && !bytes.Contains(bytes.ToLower(text), []byte(`\ufffd`))
}

func (s *memberScanner) object(of reflect.Type, path string) string {
	seen := map[string]bool{}
	for s.at++; s.next() != '}'; {
		if s.next() == ',' {
			s.at++
			s.next()
		}
		begin := s.at
		s.skip()
		var name string
		_ = json.Unmarshal(s.text[begin:s.at], &name) // undoes escapes; it is a string
		place := strings.TrimPrefix(path+"."+name, ".")
		if seen[name] {
			return place
		}
		seen[name] = true
		s.next()
		s.at++ // the colon
		if found := s.value(memberType(of, name), place); found != "" {
			return found
		}
	}
	s.at++
	return ""
}

func (s *memberScanner) array(of reflect.Type, path string) string {
	s.at++
	for i := 0; s.next() != ']'; i++ {
		if s.next() == ',' {
			s.at++
		}
		if found := s.value(of.Elem(), fmt.Sprintf("%s[%d]", path, i)); found != "" {
			return found
		}
	}
	s.at++
	return ""
}

// next skips white space and returns the byte after it.
func (s *memberScanner) next() byte {
	for {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return s.text[s.at]
		}
	}
}

// skip skips a value without checking it.
func (s *memberScanner) skip() {
	for depth := 0; ; {
		switch s.next() {
		case '"':
			s.skipString()
		case '{', '[':
			depth++
			s.at++
			continue
		case '}', ']':
			depth--
			s.at++
		case ',', ':':
			s.at++
			continue
		default: // a number, true, false or null
			for s.at < len(s.text) && !strings.ContainsRune(",]} \t\r\n", rune(s.text[s.at])) {
				s.at++
			}
		}
		if depth == 0 {
			return
		}
	}
}

func (s *memberScanner) skipString() {
	for s.at++; s.text[s.at] != '"'; s.at++ {
		if s.text[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
}

// patched is a type that stands for another one.
type patched interface{ valueType() reflect.Type }

// objectType is the type that says which members an object has; nil when none does.
func objectType(of reflect.Type) reflect.Type {
	for of != nil && of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch {
	case of == nil, of == reflect.TypeFor[RawJSON]():
		return nil
	case of.Implements(reflect.TypeFor[patched]()):
		return objectType(reflect.Zero(of).Interface().(patched).valueType()) //nolint:forcetypeassert // it was asked
	}
	return of
}

// memberTypes has the members of each struct, by name.
var memberTypes sync.Map

// memberType is the type of an object's member; nil when it is not known.
func memberType(of reflect.Type, name string) reflect.Type {
	switch of.Kind() {
	case reflect.Map:
		return of.Elem()
	case reflect.Struct:
		known, ok := memberTypes.Load(of)
		if !ok {
			members := map[string]reflect.Type{}
			for _, field := range reflect.VisibleFields(of) {
				tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				members[tag] = field.Type
			}
			known, _ = memberTypes.LoadOrStore(of, members)
		}
		return known.(map[string]reflect.Type)[name] //nolint:forcetypeassert // nothing else is stored
	}
	return nil
}
