package moving

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// Fields whose members are compared each for itself, as PATCH merges them.
var merged = []string{"headers", "metadata"}

// secretFields are never shown again, in a webhook or in one of its parts.
var secretFields = []string{"secret", "password", "token", "client_secret", "certificate", "key", "ca"}

// hidden are fields that are not shown as they are.
var hidden = []string{"headers", "signatures", "auth", "tls"}

// difference is the patch that makes a webhook what the file says. Fields that the file does not name stay as they are,
// and so do secrets, which cannot be compared.
func difference(have, want object) object {
	patch := object{}
	for name, wanted := range want {
		switch {
		case name == "secret":
		case slices.Contains(merged, name):
			if changed := changedMembers(have[name], wanted, name == "headers"); len(changed) > 0 {
				patch[name] = changed
			}
		case !covers(have[name], wanted):
			patch[name] = wanted
		}
	}
	return patch
}

// changedMembers are the members of an object that another has not, or not with that value.
func changedMembers(have, want any, foldCase bool) object {
	is, _ := have.(object)
	wanted, _ := plain(want).(object)
	changed := object{}
	for name, value := range wanted {
		if !hasMember(is, name, value, foldCase) {
			changed[name] = value
		}
	}
	return changed
}

func hasMember(in object, name string, value any, foldCase bool) bool {
	for other, has := range in {
		if other == name || foldCase && strings.EqualFold(other, name) {
			return covers(has, value)
		}
	}
	return false
}

// masked stands for what the API does not show.
const masked = "•••"

// covers says that what is there has all that is wanted, as far as it is shown.
func covers(have, want any) bool {
	if have == masked {
		return true
	}
	have, want = plain(have), plain(want)
	switch wanted := want.(type) {
	case object:
		is, ok := have.(object)
		for name, value := range wanted {
			if !slices.Contains(secretFields, name) && !covers(is[name], value) {
				return false
			}
		}
		return ok
	case []any:
		is, ok := have.([]any)
		return ok && slices.EqualFunc(is, wanted, covers)
	case json.Number:
		is, ok := have.(json.Number)
		a, _ := is.Float64()
		b, _ := wanted.Float64()
		return ok && a == b
	case string:
		return have == want || wanted == "" && have == nil
	}
	return reflect.DeepEqual(have, want)
}

// plain is a value as it comes out of JSON.
func plain(of any) any {
	switch of.(type) {
	case nil, string, bool, json.Number:
		return of
	}
	text, err := json.Marshal(of)
	if err != nil {
		return of
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var read any
	if decoder.Decode(&read) != nil {
		return of
	}
	return read
}

// changed are the fields of a patch that made a difference, sorted: the others had the same in another spelling. What is
// not shown is taken as changed.
func changed(patch, before, now object) []string {
	var names []string
	for name := range patch {
		if slices.Contains(hidden, name) || !reflect.DeepEqual(before[name], now[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
