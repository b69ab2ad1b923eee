package eventschema

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Bounds of what is listed of a schema: one that refers to itself has no end.
const (
	maxMembers = 200
	maxNesting = 5
)

// Member is one that a schema names.
type Member struct {
	// Name has dots between the members of members, and [] behind lists.
	Name, Type, Description string
	// Values are the only ones that it can have, as JSON; nil for any.
	Values   []string
	Required bool
}

// Members lists the members that a schema names, sorted by name, each followed by its own.
func Members(schema []byte) []Member {
	parsed, err := parse(schema)
	root, ok := parsed.(map[string]any)
	if err != nil || !ok {
		return nil
	}
	return membersOf(nil, root, root, "", 0)
}

func membersOf(list []Member, root, node map[string]any, before string, nesting int) []Member {
	properties, _ := node["properties"].(map[string]any)
	required := texts(node["required"])
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if len(list) == maxMembers {
			return list
		}
		given, _ := properties[name].(map[string]any) // true and false have no members
		found, err := resolved(root, given)
		if err != nil {
			found = given
		}
		member := Member{Name: before + name, Type: typeName(given, found), Required: slices.Contains(required, name)}
		for _, of := range []map[string]any{given, found} {
			if text, ok := of["description"].(string); ok && member.Description == "" {
				member.Description = text
			}
		}
		values, _ := found["enum"].([]any)
		for _, value := range values {
			text, _ := json.Marshal(value) // it was JSON
			member.Values = append(member.Values, string(text))
		}
		list = append(list, member)
		if nesting == maxNesting {
			continue
		}
		items, err := resolved(root, found["items"])
		list = membersOf(list, root, found, before+name+".", nesting+1)
		if err == nil {
			list = membersOf(list, root, items, before+name+"[].", nesting+1)
		}
	}
	return list
}

// typeName is a member's type in words; that of a reference without one is the reference's name.
func typeName(given, found map[string]any) string {
	name := strings.Join(texts(found["type"]), " or ")
	if ref := refOf(given); name == "" && ref != "" {
		name = ref[strings.LastIndexByte(ref, '/')+1:]
	}
	if format, _ := found["format"].(string); format != "" {
		name = strings.TrimSpace(name + " (" + format + ")")
	}
	return name
}
