package console

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/postrider/postrider/console/view"
)

// bodyOf makes the body of a call of a form's fields. A field's name is the member's, with dots between the members of
// members, and after a colon says how its text is read:
//
//	name         a text; left out when empty
//	name:null    a text; null when empty
//	name:number  a number; left out when empty
//	name:bool    whether the box is checked: the form sends false before it
//	name:lines   a list with a text of each line, or of each field of the name; left out when empty
//	name:pairs   an object with a member of each line "name: text"; left out when empty
//	name:json    JSON as it is; left out when empty
//
// A field without a name, :json, is the whole body. Names that begin with an underscore are for the console. A form without
// fields has no body: nil.
func bodyOf(form url.Values) ([]byte, *view.Problem) {
	names := make([]string, 0, len(form))
	for name := range form {
		if !strings.HasPrefix(name, "_") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	slices.Sort(names)
	var wrong view.Problem
	body := map[string]any{}
	for _, field := range names {
		name, kind, _ := strings.Cut(field, ":")
		value, fault := valueOf(kind, form[field])
		if fault != "" {
			wrong.Errors = append(wrong.Errors, view.FieldError{Location: "body." + name, Message: fault})
			continue
		}
		if whole, ok := value.(json.RawMessage); ok && name == "" {
			return whole, nil
		}
		if value != nil {
			put(body, strings.Split(name, "."), value)
		}
	}
	if wrong.Errors != nil {
		wrong.Detail = "some fields cannot be read"
		return nil, &wrong
	}
	text, err := marshalled(body)
	if err != nil {
		return nil, &view.Problem{Detail: "the form cannot be written as JSON: " + err.Error()}
	}
	return text, nil
}

// null is a member that is there and has no value.
var null = json.RawMessage("null")

// valueOf reads the texts of a field; nil leaves the member out.
func valueOf(kind string, texts []string) (value any, fault string) {
	last := strings.TrimSpace(texts[len(texts)-1])
	switch kind {
	case "bool":
		return last == "true" || last == "on", ""
	case "null":
		if last == "" {
			return null, ""
		}
		return last, ""
	case "lines":
		return linesOf(texts), ""
	case "pairs":
		return pairsOf(last)
	case "number":
		if last == "" {
			return nil, ""
		}
		if !json.Valid([]byte(last)) || strings.Trim(last, "+-.eE0123456789") != "" {
			return nil, "expected a number"
		}
		return json.RawMessage(last), ""
	case "json":
		if last == "" {
			return nil, ""
		}
		if !json.Valid([]byte(last)) {
			return nil, "expected JSON" + whereNot([]byte(last))
		}
		return json.RawMessage(last), ""
	}
	if last == "" {
		return nil, ""
	}
	return last, ""
}

// whereNot says where a text stops being JSON.
func whereNot(text []byte) string {
	var any json.RawMessage
	if err := json.Unmarshal(text, &any); err != nil {
		return ": " + strings.TrimPrefix(err.Error(), "json: ")
	}
	return ""
}

func linesOf(texts []string) any {
	var lines []string
	for _, text := range texts {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	if lines == nil {
		return nil
	}
	return lines
}

func pairsOf(text string) (value any, fault string) {
	pairs := map[string]string{}
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, "expected lines of the form name: value"
		}
		pairs[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	if len(pairs) == 0 {
		return nil, ""
	}
	return pairs, ""
}

// put sets a member of a member.
func put(object map[string]any, path []string, value any) {
	for _, name := range path[:len(path)-1] {
		inner, ok := object[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[name] = inner
		}
		object = inner
	}
	object[path[len(path)-1]] = value
}

// marshalled is JSON as a person would write it: < stays <.
func marshalled(value any) ([]byte, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(text.String(), "\n")), nil
}
