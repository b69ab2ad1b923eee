package api

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/postrider/postrider/models"
)

// readBatch returns the events of a batch as they are in its body, which is gone through once to check that it is JSON, and
// once to find them. To decode each event several times would cost more than to store it.
func readBatch(body []byte) ([][]byte, error) {
	if err := checkText(body); err != nil {
		return nil, newProblem(http.StatusBadRequest, codeMalformedJSON, "the body is not JSON: "+err.Error())
	}
	scanner := memberScanner{text: body}
	if scanner.next() != '{' {
		return nil, invalid("body", "expected an object with the member events")
	}
	var events []byte
	for _, member := range scanner.members() {
		switch {
		case member.name != "events":
			return nil, invalid("body."+member.name, "unexpected property: names match by case")
		case events != nil:
			return nil, invalid("body.events", "is there twice")
		}
		events = member.value
	}
	switch {
	case events == nil:
		return nil, invalid("body", "expected required property events to be present")
	case events[0] != '[':
		return nil, invalid("body.events", "expected array")
	}
	items := elements(events)
	if len(items) == 0 || len(items) > models.MaxBatch {
		return nil, invalid("body.events", fmt.Sprintf("expected 1 to %d events; these are %d", models.MaxBatch, len(items)))
	}
	return items, nil
}

// jsonMember is a member of an object, with its value as it is.
type jsonMember struct {
	name  string
	value []byte
}

// members reads an object, at which the scanner is.
func (s *memberScanner) members() (members []jsonMember) {
	for s.at++; s.next() != '}'; {
		if s.next() == ',' {
			s.at++
			s.next()
		}
		var name string
		_ = json.Unmarshal(s.taken(), &name) // undoes escapes; it is a string
		s.next()
		s.at++ // the colon
		s.next()
		members = append(members, jsonMember{name, s.taken()})
	}
	s.at++
	return members
}

// taken skips a value and returns it.
func (s *memberScanner) taken() []byte {
	begin := s.at
	s.skip()
	return s.text[begin:s.at]
}

// elements returns the values of a list that is valid JSON.
func elements(list []byte) (values [][]byte) {
	scanner := memberScanner{text: list, at: 1}
	for scanner.next() != ']' {
		if scanner.next() == ',' {
			scanner.at++
			scanner.next()
		}
		values = append(values, scanner.taken())
	}
	return values
}

// withoutData returns an object with null in place of its member data, which it returns too. What is no object it returns as
// it is.
func withoutData(object []byte) (rest, data []byte) {
	if object[0] != '{' {
		return object, nil
	}
	scanner := memberScanner{text: object}
	rest = append(rest, '{')
	for i, member := range scanner.members() {
		if i > 0 {
			rest = append(rest, ',')
		}
		name, _ := json.Marshal(member.name)
		rest = append(append(rest, name...), ':')
		if member.name == "data" {
			data = member.value
			rest = append(rest, "null"...)
		} else {
			rest = append(rest, member.value...)
		}
	}
	return append(rest, '}'), data
}
