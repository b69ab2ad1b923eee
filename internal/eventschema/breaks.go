package eventschema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"
)

// Breaks lists how a new schema lets an event have what the old one ruled out: consumers may rely on that. A schema that
// only promises more breaks nothing. nil is no schema, which promises nothing. What cannot be compared counts as a break.
func Breaks(before, now []byte) []Fault {
	if before == nil {
		return nil
	}
	if now == nil {
		return []Fault{{"", "there is no schema any more"}}
	}
	old, oldErr := parse(before)
	fresh, newErr := parse(now)
	if oldErr != nil || newErr != nil {
		return []Fault{{"", "the schemas cannot be compared"}}
	}
	c := comparison{old: old, fresh: fresh, seen: map[[2]string]bool{}, steps: new(int)}
	c.schema("", old, fresh)
	return c.breaks
}

// comparison holds two schemas against each other. Places are those of the data.
type comparison struct {
	old, fresh any
	// seen are the pairs of references that are compared already, or are being compared.
	seen map[[2]string]bool
	// steps counts the schemas that were compared, to bound them.
	steps  *int
	breaks []Fault
}

func (c *comparison) breaksAt(place, format string, values ...any) {
	if len(c.breaks) < maxFaults {
		c.breaks = append(c.breaks, Fault{place, fmt.Sprintf(format, values...)})
	}
}

// annotations say nothing of what is valid.
var annotations = []string{
	"title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly", "$comment", "$id", "$schema", "$defs",
	"definitions", "$anchor", "format", "contentEncoding", "contentMediaType", "contentSchema", "discriminator", "xml", "externalDocs",
}

// members are those of a schema that say something; true allows everything and has none.
func members(schema any) (of map[string]any, never bool) {
	switch schema := schema.(type) {
	case bool:
		return nil, !schema
	case map[string]any:
		of = maps.Clone(schema)
		for name := range of {
			if slices.Contains(annotations, name) || strings.HasPrefix(name, "x-") {
				delete(of, name)
			}
		}
	}
	return of, false
}

// schema compares what two schemas say of the value at a place.
func (c *comparison) schema(place string, old, fresh any) {
	const mostSteps = 100_000
	if *c.steps++; *c.steps > mostSteps {
		c.breaksAt(place, "the schemas are too large to be compared")
		return
	}
	was, never := members(old)
	is, nothing := members(fresh)
	switch {
	case nothing:
		return
	case never:
		c.breaksAt(place, "was never there, and may be now")
		return
	case len(was) == 0, reflect.DeepEqual(was, is) && !refers(was):
		return
	}
	oldRef, freshRef := refOf(was), refOf(is)
	if oldRef != "" || freshRef != "" {
		c.referred(place, old, fresh, was, is, oldRef, freshRef)
		return
	}
	c.types(place, was, is)
	c.values(place, was, is)
	c.bounds(place, was, is)
	c.object(place, was, is)
	c.list(place, was, is)
	c.rest(place, was, is)
}

func refOf(of map[string]any) string {
	ref, _ := of["$ref"].(string)
	return ref
}

// refers says that a schema has references, which may stand for something else now.
func refers(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if name == "$ref" || name == "$dynamicRef" || refers(member) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(value, refers)
	}
	return false
}

// referred follows references that stand alone; one beside other members is put together with them.
func (c *comparison) referred(place string, old, fresh any, was, is map[string]any, oldRef, freshRef string) {
	pair := [2]string{oldRef + place0(oldRef, old), freshRef + place0(freshRef, fresh)}
	if c.seen[pair] {
		return
	}
	c.seen[pair] = true
	followedOld, okOld := follow(c.old, old, was, oldRef)
	followedNew, okNew := follow(c.fresh, fresh, is, freshRef)
	if !okOld || !okNew {
		c.breaksAt(place, "the schemas cannot be compared here")
		return
	}
	c.schema(place, followedOld, followedNew)
}

// place0 tells schemas without a reference apart.
func place0(ref string, schema any) string {
	if ref != "" {
		return ""
	}
	text, _ := json.Marshal(schema) // was read from JSON
	return string(text)
}

func follow(root, schema any, of map[string]any, ref string) (any, bool) {
	if ref == "" {
		return schema, true
	}
	target, ok := lookUp(root, ref)
	if !ok {
		return nil, false
	}
	if len(of) == 1 {
		return target, true
	}
	beside := maps.Clone(of)
	delete(beside, "$ref")
	referred, isObject := target.(map[string]any)
	if !isObject {
		return nil, false
	}
	for name, member := range referred {
		if _, both := beside[name]; both && !slices.Contains(annotations, name) {
			return nil, false
		}
		beside[name] = member
	}
	return beside, true
}

// types: each that may come now could come before.
func (c *comparison) types(place string, was, is map[string]any) {
	before := texts(was["type"])
	if len(before) == 0 {
		return
	}
	now := texts(is["type"])
	if len(now) == 0 && is["enum"] == nil && is["const"] == nil {
		c.breaksAt(place, "may be of any type, and was %s", strings.Join(before, " or "))
		return
	}
	for _, name := range now {
		if !slices.Contains(before, name) && (name != "integer" || !slices.Contains(before, "number")) {
			c.breaksAt(place, "may be %s, and was %s", name, strings.Join(before, " or "))
		}
	}
}

func texts(value any) (list []string) {
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		for _, item := range value {
			if text, ok := item.(string); ok {
				list = append(list, text)
			}
		}
	}
	return list
}

// values: each of a list of values that may come now could come before.
func (c *comparison) values(place string, was, is map[string]any) {
	before, now := choices(was), choices(is)
	if before == nil {
		return
	}
	if now == nil {
		c.breaksAt(place, "may have any value, and had one of a list")
		return
	}
	for _, value := range now {
		if !slices.ContainsFunc(before, func(known any) bool { return reflect.DeepEqual(known, value) }) {
			text, _ := json.Marshal(value) // was read from JSON
			c.breaksAt(place, "may be %s, which was not among its values", text)
		}
	}
}

func choices(of map[string]any) []any {
	if value, ok := of["const"]; ok {
		return []any{value}
	}
	list, _ := of["enum"].([]any)
	return list
}

// lower and upper are the members that bound a value, from below and from above.
var (
	lower = []string{"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
	upper = []string{"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
)

func (c *comparison) bounds(place string, was, is map[string]any) {
	for sign, names := range map[int][]string{1: lower, -1: upper} {
		for _, name := range names {
			before, ok := number(was[name])
			if !ok {
				continue
			}
			if now, ok := number(is[name]); !ok || now.Cmp(before)*sign < 0 {
				c.breaksAt(place, "%s was %v, and is not as strict any more", name, was[name])
			}
		}
	}
	if was["uniqueItems"] == true && is["uniqueItems"] != true {
		c.breaksAt(place, "items may come twice")
	}
}

func number(value any) (*big.Rat, bool) {
	text, ok := value.(json.Number)
	if !ok || len(text) > 100 || strings.ContainsAny(string(text), "eE") {
		return nil, false
	}
	return new(big.Rat).SetString(string(text))
}

// object compares what is said of members: each that had to be there still has to, and none may be what it could not be.
func (c *comparison) object(place string, was, is map[string]any) {
	required := texts(is["required"])
	for _, name := range texts(was["required"]) {
		if !slices.Contains(required, name) {
			c.breaksAt(place+"."+name, "is not required any more")
		}
	}
	before, _ := was["properties"].(map[string]any)
	now, _ := is["properties"].(map[string]any)
	othersBefore, othersNow := orTrue(was["additionalProperties"]), orTrue(is["additionalProperties"])
	for _, name := range slices.Sorted(maps.Keys(before)) {
		member, ok := now[name]
		if !ok {
			if member = othersNow; othersNow == true && !isTrue(before[name]) {
				c.breaksAt(place+"."+name, "is not described any more, and may be anything")
				continue
			}
		}
		c.schema(place+"."+name, before[name], member)
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if _, ok := before[name]; !ok {
			c.schema(place+"."+name, othersBefore, now[name])
		}
	}
	c.schema(place+".*", othersBefore, othersNow)
}

func orTrue(schema any) any {
	if schema == nil {
		return true
	}
	return schema
}

func isTrue(schema any) bool {
	of, never := members(schema)
	return !never && len(of) == 0
}

func (c *comparison) list(place string, was, is map[string]any) {
	c.schema(place+"[]", orTrue(was["items"]), orTrue(is["items"]))
}

// compared are the members that the functions above compare.
var compared = slices.Concat(lower, upper, []string{
	"type", "enum", "const", "required", "properties", "additionalProperties", "items", "uniqueItems", "$ref",
})

// widening are members that may let other members allow more: one that is new cannot be judged by itself.
var widening = []string{"patternProperties", "prefixItems", "if", "then", "else", "contains", "minContains", "$dynamicRef"}

// rest compares what has no rule of its own: as long as it stays as it is, nothing breaks.
func (c *comparison) rest(place string, was, is map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(was)) {
		switch {
		case slices.Contains(compared, name):
		case (name == "anyOf" || name == "allOf") && is[name] != nil:
			c.combined(place, name, was[name], is[name])
		case !reflect.DeepEqual(was[name], is[name]) || refers(was[name]):
			c.breaksAt(place, "%s is another one, and whether that allows more cannot be told", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if was[name] == nil && slices.Contains(widening, name) {
			c.breaksAt(place, "%s is new, and whether it allows more cannot be told", name)
		}
	}
}

// combined compares lists of schemas. Of anyOf, each new one must promise what an old one did; of allOf, each old one must
// be promised by a new one.
func (c *comparison) combined(place, name string, was, is any) {
	before, _ := was.([]any)
	now, _ := is.([]any)
	for i, schema := range now {
		if name == "anyOf" && !slices.ContainsFunc(before, func(old any) bool { return c.narrows(old, schema) }) {
			c.breaksAt(place, "choice %d of anyOf allows what none did before", i+1)
		}
	}
	for i, schema := range before {
		if name == "allOf" && !slices.ContainsFunc(now, func(fresh any) bool { return c.narrows(schema, fresh) }) {
			c.breaksAt(place, "part %d of allOf does not hold any more", i+1)
		}
	}
}

func (c *comparison) narrows(old, fresh any) bool {
	inner := comparison{old: c.old, fresh: c.fresh, seen: maps.Clone(c.seen), steps: c.steps}
	inner.schema("", old, fresh)
	return len(inner.breaks) == 0
}
