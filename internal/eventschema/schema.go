// Package eventschema knows what the schemas of event types are about: JSON Schema 2020-12, compiled without ever leaving
// the process; whether data fit; which changes break what consumers rely on; and how to take event types from an OpenAPI
// document.
package eventschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

const (
	// MaxBytes bounds a schema, and an example.
	MaxBytes = 64 << 10
	// maxParts bounds how many schemas one is made of when each reference stands for what it refers to: a few lines could
	// ask for more work than there is time.
	maxParts = 20_000
	// maxFaults bounds how many faults are told.
	maxFaults = 20

	draft = "https://json-schema.org/draft/2020-12/schema"
	// address is where a schema says it is; nothing is ever fetched from there.
	address = "postrider:///schema"
)

// Schema is one that data can be held against.
type Schema struct{ compiled *jsonschema.Schema }

// Fault is one thing that is wrong, at a place such as .amount or .items[2].
type Fault struct{ Place, Message string }

var errElsewhere = errors.New("only references within the schema are followed, such as #/$defs/name")

// nowhere loads nothing: a schema must not make the process open a file or a connection.
type nowhere struct{}

func (nowhere) Load(string) (any, error) { return nil, errElsewhere }

// Compile compiles a schema. Its error says what to change.
func Compile(text []byte) (*Schema, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("expected at most %d KiB", MaxBytes>>10)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, errors.New("expected a JSON Schema")
	}
	if at, ok := findHuge(document, nil); ok {
		return nil, errors.New("has a number that is too long, at " + orRoot(place(at)))
	}
	switch root := document.(type) {
	case map[string]any:
		if named, ok := root["$schema"]; ok && named != draft {
			return nil, errors.New("expected JSON Schema 2020-12; leave $schema out, or set it to " + draft)
		}
	case bool:
	default:
		return nil, errors.New("expected a JSON Schema: an object, true or false")
	}
	if newCounter(document).count(document) > maxParts {
		return nil, errors.New("the schema refers to itself so often that it is too large; use fewer references within references")
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(nowhere{})
	if err := compiler.AddResource(address, document); err != nil {
		return nil, explain(err)
	}
	compiled, err := compiler.Compile(address)
	if err != nil {
		return nil, explain(err)
	}
	return &Schema{compiled}, nil
}

// explain says in our words why a schema cannot be compiled.
func explain(err error) error {
	var invalid *jsonschema.SchemaValidationError
	var wrong *jsonschema.ValidationError
	switch {
	case errors.Is(err, errElsewhere):
		return errElsewhere
	case errors.As(err, &invalid) && errors.As(invalid.Err, &wrong):
		faults := faultsOf(wrong)
		return fmt.Errorf("is not a JSON Schema: at %s: %s", orRoot(faults[0].Place), faults[0].Message)
	}
	return errors.New("is not a JSON Schema: " + strings.ReplaceAll(strings.ReplaceAll(err.Error(), address, ""), "\"\"", "the schema"))
}

func orRoot(place string) string {
	if place == "" {
		return "the top"
	}
	return strings.TrimPrefix(place, ".")
}

// Check returns what is wrong with data: nothing when they fit.
func (s *Schema) Check(data []byte) []Fault {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return []Fault{{"", "expected JSON"}}
	}
	if at, ok := findHuge(value, nil); ok {
		return []Fault{{place(at), "the number is too long to be held against a schema"}}
	}
	err = s.compiled.Validate(value)
	var wrong *jsonschema.ValidationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return faultsOf(wrong)
	}
	return []Fault{{"", "cannot be held against the schema"}}
}

var english = message.NewPrinter(language.English)

// faultsOf lists the causes behind an error, and the place of each.
func faultsOf(err *jsonschema.ValidationError) (faults []Fault) {
	var walk func(*jsonschema.ValidationError)
	walk = func(err *jsonschema.ValidationError) {
		if len(faults) >= maxFaults {
			return
		}
		switch err.ErrorKind.(type) {
		case *kind.AnyOf, *kind.OneOf:
			// Which of the choices was meant is not known.
			faults = append(faults, Fault{place(err.InstanceLocation), "fits none of the choices that the schema gives, or more than one"})
			return
		}
		if len(err.Causes) == 0 {
			faults = append(faults, Fault{place(err.InstanceLocation), err.ErrorKind.LocalizedString(english)})
		}
		for _, cause := range err.Causes {
			walk(cause)
		}
	}
	walk(err)
	return faults
}

// place writes where a value is, such as .items[2].sku.
func place(tokens []string) string {
	var text strings.Builder
	for _, token := range tokens {
		if _, err := strconv.Atoi(token); err == nil {
			text.WriteString("[" + token + "]")
			continue
		}
		text.WriteString("." + token)
	}
	return text.String()
}

// counter counts the parts of a schema.
type counter struct {
	root  any
	under map[string]bool
	known map[string]int
}

func newCounter(root any) *counter {
	return &counter{root: root, under: map[string]bool{}, known: map[string]int{}}
}

func (c *counter) count(node any) int {
	total := 1
	switch node := node.(type) {
	case map[string]any:
		for name, member := range node {
			if ref, ok := member.(string); ok && (name == "$ref" || name == "$dynamicRef") {
				total += c.countReferred(ref)
				continue
			}
			total += c.count(member)
		}
	case []any:
		for _, item := range node {
			total += c.count(item)
		}
	}
	return min(total, maxParts+1)
}

// countReferred counts what a reference stands for. One that leads back to where it comes from is followed by the data,
// which end.
func (c *counter) countReferred(ref string) int {
	if n, ok := c.known[ref]; ok {
		return n
	}
	if c.under[ref] {
		return 1
	}
	target, ok := lookUp(c.root, ref)
	if !ok {
		return 1
	}
	c.under[ref] = true
	n := c.count(target)
	delete(c.under, ref)
	c.known[ref] = n
	return n
}

// lookUp follows a reference within a document.
func lookUp(root any, ref string) (any, bool) {
	pointer, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil, false
	}
	at := root
	for _, token := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			break
		}
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch node := at.(type) {
		case map[string]any:
			if at, ok = node[token]; !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(node) {
				return nil, false
			}
			at = node[i]
		default:
			return nil, false
		}
	}
	return at, true
}

// parse reads JSON with numbers as they are written.
func parse(text []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&value)
	return value, err
}
