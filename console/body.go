package console

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/internal/service"
)

// bodyOf makes the body of a call of a form's fields. A field's name is the member's, with dots between the members of
// members, and after a colon says how its text is read:
//
//	name         a text; left out when empty
//	name:null    a text; null when empty
//	name:text    a text, also an empty one
//	name:number  a number; left out when empty
//	name:bool    whether the box is checked: the form sends false before it
//	name:lines   a list with a text of each line, or of each field of the name; left out when empty
//	name:pairs   an object with a member of each line "name: text"; left out when empty
//	name:json    JSON as it is; left out when empty
//	name:list    as lines, and an empty list when empty; members name.0, name.1 … make one too
//	name:merge   as pairs, for a merge patch: the field's first text has the names that were there, those that are gone become
//	             null, and a value that is not shown stays
//	name:choice  which of the name's other fields count: all when empty, one member by its name, none when it is null or []
//
// :null after a kind that leaves out what is empty makes that null. A field without a name, :json, is the whole body. Names
// that begin with an underscore are for the console. A form without fields has no body: nil.
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
		if kind == "choice" {
			continue
		}
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
	for _, field := range names {
		if name, kind, _ := strings.Cut(field, ":"); kind == "choice" {
			choose(body, strings.Split(name, "."), form.Get(field))
		}
	}
	text, err := marshalled(listed(body))
	if err != nil {
		return nil, &view.Problem{Detail: "the form cannot be written as JSON: " + err.Error()}
	}
	return text, nil
}

// null is a member that is there and has no value.
var null = json.RawMessage("null")

// valueOf reads the texts of a field; nil leaves the member out.
func valueOf(kind string, texts []string) (value any, fault string) {
	if of, ok := strings.CutSuffix(kind, ":null"); ok {
		if value, fault = valueOf(of, texts); value == nil {
			value = null
		}
		return value, fault
	}
	last := strings.TrimSpace(texts[len(texts)-1])
	switch kind {
	case "bool":
		return last == "true" || last == "on", ""
	case "null":
		if last == "" {
			return null, ""
		}
		return last, ""
	case "text":
		return last, ""
	case "lines":
		return linesOf(texts), ""
	case "list":
		if lines := linesOf(texts); lines != nil {
			return lines, ""
		}
		return []string{}, ""
	case "pairs":
		return pairsOf(last)
	case "merge":
		return mergeOf(texts[0], last)
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
	var read json.RawMessage
	if err := json.Unmarshal(text, &read); err != nil {
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

// mergeOf is a merge patch that makes pairs of those whose names are given.
func mergeOf(before, text string) (value any, fault string) {
	read, fault := pairsOf(text)
	if fault != "" {
		return nil, fault
	}
	pairs, _ := read.(map[string]string)
	patch := map[string]*string{}
	for name := range strings.Lines(before) {
		if name = strings.TrimSpace(name); name != "" {
			patch[name] = nil
		}
	}
	for name, value := range pairs {
		if patch[name] = &value; value == service.Masked {
			delete(patch, name)
		}
	}
	return patch, ""
}

// choose leaves of an object's member what counts.
func choose(object map[string]any, path []string, which string) {
	object, name := holderOf(object, path)
	switch which {
	case "":
	case "null", "[]":
		object[name] = json.RawMessage(which)
	default:
		members, _ := object[name].(map[string]any)
		kept, ok := members[which]
		if !ok {
			kept = map[string]any{}
		}
		object[name] = map[string]any{which: kept}
	}
}

// listed makes lists of objects whose members have numbers for names.
func listed(value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	var list []any
	inOrder := func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) }
	for _, name := range slices.SortedFunc(maps.Keys(object), inOrder) {
		object[name] = listed(object[name])
		if strings.Trim(name, "0123456789") == "" {
			list = append(list, object[name])
		}
	}
	if list != nil && len(list) == len(object) {
		return list
	}
	return object
}

// put sets a member of a member, unless it has members of its own.
func put(object map[string]any, path []string, value any) {
	object, name := holderOf(object, path)
	if object[name] == nil {
		object[name] = value
	}
}

// holderOf is the object that has the last member of a path, made where it is not there.
func holderOf(object map[string]any, path []string) (holder map[string]any, name string) {
	for _, name := range path[:len(path)-1] {
		inner, ok := object[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[name] = inner
		}
		object = inner
	}
	return object, path[len(path)-1]
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
