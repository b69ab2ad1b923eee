package eventschema_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/eventschema"
)

func TestMembersOfASchema(t *testing.T) {
	t.Parallel()
	members := eventschema.Members([]byte(`{
		"type": "object", "required": ["id", "items"], "properties": {
			"id": {"type": ["integer", "null"], "description": "its number"},
			"at": {"type": "string", "format": "date-time"},
			"any": true,
			"state": {"$ref": "#/$defs/state"},
			"items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
			"lost": {"$ref": "#/$defs/none"}
		}, "$defs": {
			"state": {"enum": ["open", 1]},
			"item": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}
		}}`))
	require.Equal(t, []eventschema.Member{
		{Name: "any"},
		{Name: "at", Type: "string (date-time)"},
		{Name: "id", Type: "integer or null", Description: "its number", Required: true},
		{Name: "items", Type: "array", Required: true},
		{Name: "items[].sku", Type: "string", Required: true},
		{Name: "lost", Type: "none"},
		{Name: "state", Type: "state", Values: []string{`"open"`, "1"}},
	}, members)
	for _, without := range []string{"", "true", "[]", "{}", `{"properties":[]}`, "{"} {
		require.Empty(t, eventschema.Members([]byte(without)), without)
	}
}

// A schema that refers to itself has an end here.
func TestMembersOfASchemaWithoutEnd(t *testing.T) {
	t.Parallel()
	members := eventschema.Members([]byte(`{"$defs":{"x":{"properties":{"a":{"$ref":"#/$defs/x"},"b":{"$ref":"#/$defs/x"}}}},"properties":{"a":{"$ref":"#/$defs/x"},"b":{"$ref":"#/$defs/x"}}}`))
	require.Len(t, members, 126, "two, each with two, six levels deep")
	require.Equal(t, "a.a.a.a.a.a", members[5].Name)
	var many []string
	for i := range 500 {
		many = append(many, `"m`+strings.Repeat("x", i)+`":{}`)
	}
	require.Len(t, eventschema.Members([]byte(`{"properties":{`+strings.Join(many, ",")+`}}`)), 200)
}
