package eventschema

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/postrider/postrider/models"
)

// Imported is one webhook of an OpenAPI document.
type Imported struct {
	models.EventType

	// Refused says why it cannot be an event type; nil when it can.
	Refused error
}

var (
	errNotOpenAPI  = errors.New("expected an OpenAPI document of version 3.1, in JSON")
	errNoWebhooks  = errors.New("expected webhooks in the OpenAPI document; there are none")
	errNoOperation = errors.New("has no operation with a request body")
	errNoJSON      = errors.New("has no request body in JSON")
	errReference   = errors.New("refers to something that is not in the document")
)

// methods are where a webhook's operation is looked for, first to last.
var methods = []string{"post", "put", "patch", "get", "delete"}

// Import returns the event types that an OpenAPI document describes as webhooks, sorted by their names: the key of a webhook
// is the name, the schema of the body that of the event's data, and the first tag the group.
func Import(document []byte) ([]Imported, error) {
	parsed, err := parse(document)
	root, ok := parsed.(map[string]any)
	if err != nil || !ok {
		return nil, errNotOpenAPI
	}
	if version, _ := root["openapi"].(string); !strings.HasPrefix(version, "3.1.") {
		return nil, errNotOpenAPI
	}
	webhooks, _ := root["webhooks"].(map[string]any)
	if len(webhooks) == 0 {
		return nil, errNoWebhooks
	}
	var list []Imported
	for _, name := range slices.Sorted(maps.Keys(webhooks)) {
		of, err := importOne(root, webhooks[name])
		of.Name = name
		list = append(list, Imported{of, err})
	}
	return list, nil
}

func importOne(root map[string]any, item any) (of models.EventType, err error) {
	path, err := resolved(root, item)
	if err != nil {
		return of, err
	}
	var operation map[string]any
	for _, method := range methods {
		if operation, _ = path[method].(map[string]any); operation != nil {
			break
		}
	}
	if operation == nil || operation["requestBody"] == nil {
		return of, errNoOperation
	}
	of.Description, of.Group = described(operation)
	of.Deprecated, _ = operation["deprecated"].(bool)
	body, err := resolved(root, operation["requestBody"])
	if err != nil {
		return of, err
	}
	media, err := jsonOf(root, body)
	if err != nil {
		return of, err
	}
	if schema, ok := media["schema"]; ok {
		if of.Schema, err = standalone(root, schema); err != nil {
			return of, err
		}
	}
	of.Example, err = exampleOf(root, media)
	return of, err
}

func described(operation map[string]any) (description, group string) {
	summary, _ := operation["summary"].(string)
	description, _ = operation["description"].(string)
	if description == "" {
		description = summary
	}
	if tags := texts(operation["tags"]); len(tags) > 0 {
		group = tags[0]
	}
	return description, group
}

// resolved follows a reference to an object of the document.
func resolved(root map[string]any, node any) (map[string]any, error) {
	const most = 10 // references in a row
	for range most {
		object, ok := node.(map[string]any)
		if !ok {
			return nil, errReference
		}
		ref := refOf(object)
		if ref == "" {
			return object, nil
		}
		if node, ok = lookUp(root, ref); !ok {
			return nil, errReference
		}
	}
	return nil, errReference
}

func jsonOf(root, body map[string]any) (map[string]any, error) {
	content, _ := body["content"].(map[string]any)
	for _, kind := range slices.Sorted(maps.Keys(content)) {
		name, _, _ := strings.Cut(kind, ";")
		if name == "application/json" || strings.HasSuffix(name, "+json") {
			return resolved(root, content[kind])
		}
	}
	return nil, errNoJSON
}

func exampleOf(root, media map[string]any) ([]byte, error) {
	if example, ok := media["example"]; ok {
		return json.Marshal(example)
	}
	examples, _ := media["examples"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		example, err := resolved(root, examples[name])
		if err != nil {
			return nil, err
		}
		if value, ok := example["value"]; ok {
			return json.Marshal(value)
		}
	}
	return nil, nil
}

const components = "#/components/schemas/"

// standalone makes a schema one that needs no document around it: what it refers to is copied into its $defs.
func standalone(root map[string]any, schema any) ([]byte, error) {
	defs := map[string]any{}
	moved, err := moveIn(root, schema, defs)
	if err != nil {
		return nil, err
	}
	if object, ok := moved.(map[string]any); ok && len(defs) > 0 {
		own, _ := object["$defs"].(map[string]any)
		for name, def := range own {
			if _, twice := defs[name]; twice {
				return nil, errors.New("has a $defs with the name of a component; rename one")
			}
			defs[name] = def
		}
		object["$defs"] = defs
	}
	return json.Marshal(moved)
}

// moveIn copies a schema, with references into its own $defs.
func moveIn(root map[string]any, node any, defs map[string]any) (any, error) {
	switch node := node.(type) {
	case map[string]any:
		copied := make(map[string]any, len(node))
		for name, member := range node {
			ref, isRef := member.(string)
			if name == "$ref" && isRef {
				moved, err := moveRef(root, ref, defs)
				if err != nil {
					return nil, err
				}
				copied[name] = moved
				continue
			}
			moved, err := moveIn(root, member, defs)
			if err != nil {
				return nil, err
			}
			copied[name] = moved
		}
		return copied, nil
	case []any:
		copied := make([]any, len(node))
		for i, item := range node {
			moved, err := moveIn(root, item, defs)
			if err != nil {
				return nil, err
			}
			copied[i] = moved
		}
		return copied, nil
	}
	return node, nil
}

func moveRef(root map[string]any, ref string, defs map[string]any) (string, error) {
	name, ok := strings.CutPrefix(ref, components)
	if !ok || strings.Contains(name, "/") {
		return "", errors.New("refers to " + ref + "; only references to " + components + "… are followed")
	}
	moved := "#/$defs/" + name
	if _, there := defs[name]; there {
		return moved, nil
	}
	target, ok := lookUp(root, ref)
	if !ok {
		return "", errReference
	}
	defs[name] = true // so that one that refers to itself ends
	copied, err := moveIn(root, target, defs)
	defs[name] = copied
	return moved, err
}
