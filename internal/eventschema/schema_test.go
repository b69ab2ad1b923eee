package eventschema_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/eventschema"
)

const order = `{"type":"object","required":["id","amount"],"properties":{"id":{"type":"integer"},"amount":{"type":"number","minimum":0},
	"currency":{"enum":["EUR","USD"]},"items":{"type":"array","items":{"$ref":"#/$defs/item"}}},
	"$defs":{"item":{"type":"object","required":["sku"],"properties":{"sku":{"type":"string","pattern":"^[a-z]+$"},"parts":{"type":"array","items":{"$ref":"#/$defs/item"}}}}}}`

func TestCheck(t *testing.T) {
	t.Parallel()
	schema, err := eventschema.Compile([]byte(order))
	require.NoError(t, err)
	for data, want := range map[string][]eventschema.Fault{
		`{"id":1,"amount":1.5,"more":null,"items":[{"sku":"a","parts":[{"sku":"b"}]}]}`: nil,
		`{"id":12345678901234567890123,"amount":0}`:                                     nil,
		`{"id":"1","amount":-1}`:                                                        {{".amount", "minimum: got -1, want 0"}, {".id", "got string, want integer"}},
		`{"id":1}`:                                                                      {{"", "missing property 'amount'"}},
		`{"id":1,"amount":1,"items":[{"sku":"a"},{"sku":"A"}]}`:                         {{".items[1].sku", "'A' does not match pattern '^[a-z]+$'"}},
		`{"id":1,"amount":1,"items":[{"sku":"a","parts":[{"sku":1}]}]}`:                 {{".items[0].parts[0].sku", "got number, want string"}},
		`{"id":1,"amount":1,"currency":"GBP"}`:                                          {{".currency", "value must be one of 'EUR', 'USD'"}},
		`[]`:                                                                            {{"", "got array, want object"}},
		`{`:                                                                             {{"", "expected JSON"}},
	} {
		require.ElementsMatch(t, want, schema.Check([]byte(data)), data)
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	var parts []string
	for i := range 30 {
		parts = append(parts, fmt.Sprintf(`"a%d":{"allOf":[{"$ref":"#/$defs/a%d"},{"$ref":"#/$defs/a%d"}]}`, i, i+1, i+1))
	}
	bomb := `{"$ref":"#/$defs/a0","$defs":{"a30":{"type":"string"},` + strings.Join(parts, ",") + `}}`
	for schema, says := range map[string]string{
		`{`:                               "expected a JSON Schema",
		`"a"`:                             "expected a JSON Schema: an object, true or false",
		`{"type":"nothing"}`:              "at type: ",
		`{"properties":{"a":{"type":1}}}`: "at properties.a.type: ",
		`{"$schema":"http://json-schema.org/draft-07/schema#"}`: "JSON Schema 2020-12",
		`{"$ref":"#/$defs/none"}`:                               "not a JSON Schema",
		`{"pattern":"("}`:                                       "pattern",
		`{"a":"` + strings.Repeat("x", 64<<10) + `"}`:           "at most 64 KiB",
		bomb: "too large",
	} {
		_, err := eventschema.Compile([]byte(schema))
		require.ErrorContains(t, err, says, schema)
		require.NotContains(t, err.Error(), "postrider:", schema)
	}
	for _, schema := range []string{`true`, `false`, `{}`, order, `{"$schema":"https://json-schema.org/draft/2020-12/schema"}`} {
		_, err := eventschema.Compile([]byte(schema))
		require.NoError(t, err, schema)
	}
}

// A schema cannot make the process read a file or call a host.
func TestSchemaReachesNothing(t *testing.T) {
	t.Parallel()
	called := false
	host := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	t.Cleanup(host.Close)
	file := filepath.Join(t.TempDir(), "schema.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"type":"string"}`), 0o600))
	for _, ref := range []string{host.URL + "/schema", "file://" + file, file, "schema.json", "https://json-schema.org/draft/2019-09/nothing"} {
		for _, schema := range []string{`{"$ref":"` + ref + `"}`, `{"properties":{"a":{"$dynamicRef":"` + ref + `"}}}`, `{"$id":"` + host.URL + `/a","$ref":"b"}`} {
			_, err := eventschema.Compile([]byte(schema))
			require.ErrorContains(t, err, "only references within the schema are followed", schema)
		}
	}
	require.False(t, called)
}

func TestBreaks(t *testing.T) {
	t.Parallel()
	object := func(properties string, more ...string) string {
		return `{"type":"object","properties":{` + properties + `}` + strings.Join(more, "") + `}`
	}
	for _, of := range []struct {
		name, before, now string
		breaks            []string
	}{
		{"the same", order, order, nil},
		{"other words", object(`"a":{"type":"string","description":"x"}`), object(`"a":{"type":"string","title":"y"}`, `,"description":"z"`), nil},
		{"a new member", object(`"a":{"type":"string"}`), object(`"a":{"type":"string"},"b":{"type":"integer"}`), nil},
		{"a member is required now", object(`"a":{"type":"string"}`), object(`"a":{"type":"string"}`, `,"required":["a"]`), nil},
		{"a narrower type", object(`"a":{"type":["string","null"]}`), object(`"a":{"type":"string"}`), nil},
		{"a whole number", object(`"a":{"type":"number"}`), object(`"a":{"type":"integer"}`), nil},
		{"fewer values", object(`"a":{"enum":["x","y"]}`), object(`"a":{"const":"x"}`), nil},
		{"stricter bounds", `{"minimum":1,"maxLength":5}`, `{"minimum":2,"maxLength":4}`, nil},
		{"closed now", object(`"a":true`), object(`"a":true`, `,"additionalProperties":false`), nil},
		{"a choice less", `{"anyOf":[{"type":"string"},{"type":"null"}]}`, `{"anyOf":[{"type":"string"}]}`, nil},
		{"a reference instead of itself", object(`"a":{"type":"string"}`), object(`"a":{"$ref":"#/$defs/s"}`, `,"$defs":{"s":{"type":"string"}}`), nil},
		{"anything before", `{}`, `{"type":"string"}`, nil},

		{"not required any more", object(`"a":{"type":"string"}`, `,"required":["a"]`), object(`"a":{"type":"string"}`), []string{".a is not required any more"}},
		{"a member is gone", object(`"a":{"type":"string"}`), object(``), []string{".a is not described any more, and may be anything"}},
		{"another type", object(`"a":{"type":"string"}`), object(`"a":{"type":"integer"}`), []string{".a may be integer, and was string"}},
		{"a wider type", object(`"a":{"type":"integer"}`), object(`"a":{"type":["number","null"]}`), []string{".a may be number, and was integer", ".a may be null, and was integer"}},
		{"any type", object(`"a":{"type":"integer"}`), object(`"a":{}`), []string{".a may be of any type, and was integer"}},
		{"another value", object(`"a":{"enum":["x"]}`), object(`"a":{"enum":["x","y"]}`), []string{`.a may be "y", which was not among its values`}},
		{"any value", `{"const":1}`, `{"type":"integer"}`, []string{" may have any value, and had one of a list"}},
		{"looser bounds", `{"minimum":1,"maxLength":5}`, `{"minimum":0.5}`, []string{" minimum was 1, and is not as strict any more", " maxLength was 5, and is not as strict any more"}},
		{"open now", object(`"a":true`, `,"additionalProperties":false`), object(`"a":true`), []string{".* was never there, and may be now"}},
		{"a member in what was closed", object(`"a":true`, `,"additionalProperties":false`), object(`"a":true,"b":true`, `,"additionalProperties":false`), []string{".b was never there, and may be now"}},
		{"items", `{"items":{"type":"string"}}`, `{"items":{"type":"integer"}}`, []string{"[] may be integer, and was string"}},
		{"a choice more", `{"anyOf":[{"type":"string"}]}`, `{"anyOf":[{"type":"string"},{"type":"null"}]}`, []string{" choice 2 of anyOf allows what none did before"}},
		{"a part less", `{"allOf":[{"minimum":1},{"maximum":9}]}`, `{"allOf":[{"minimum":1}]}`, []string{" part 2 of allOf does not hold any more"}},
		{"another pattern", `{"pattern":"^a"}`, `{"pattern":"^b"}`, []string{" pattern is another one, and whether that allows more cannot be told"}},
		{"behind a reference", object(`"a":{"$ref":"#/$defs/s"}`, `,"$defs":{"s":{"type":"string"}}`), object(`"a":{"$ref":"#/$defs/s"}`, `,"$defs":{"s":{"type":"null"}}`), []string{".a may be null, and was string"}},
		{"deep", order, strings.Replace(order, `"required":["sku"]`, `"required":[]`, 1), []string{".items[].sku is not required any more"}},
		{"rows that are not there any more", order, "", []string{" there is no schema any more"}},
	} {
		var now []byte
		if of.now != "" {
			now = []byte(of.now)
		}
		var got []string
		for _, fault := range eventschema.Breaks([]byte(of.before), now) {
			got = append(got, fault.Place+" "+fault.Message)
		}
		require.ElementsMatch(t, of.breaks, got, of.name)
	}
	require.Empty(t, eventschema.Breaks(nil, []byte(order)), "where there was none, any schema promises more")
}

func TestImport(t *testing.T) {
	t.Parallel()
	const document = `{"openapi":"3.1.0","webhooks":{
		"order.created":{"post":{"summary":"An order","tags":["Orders"],"requestBody":{"content":{"application/json":{
			"schema":{"$ref":"#/components/schemas/Order"},"example":{"id":1,"next":{"id":2.50}}}}}}},
		"order.gone":{"$ref":"#/components/pathItems/Gone"},
		"ping":{"post":{"requestBody":{"content":{"text/plain":{}}}}},
		"remote":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"https://example.com/a"}}}}}},
		"nothing":{"get":{}}},
		"components":{"schemas":{"Order":{"type":"object","required":["id"],"properties":{"id":{"$ref":"#/components/schemas/ID"},"next":{"$ref":"#/components/schemas/Order"}}},"ID":{"type":"number"},"Unused":{}},
		"pathItems":{"Gone":{"post":{"description":"Gone","deprecated":true,"requestBody":{"$ref":"#/components/requestBodies/Gone"}}}},
		"requestBodies":{"Gone":{"content":{"application/json; charset=utf-8":{"schema":{"type":"null"},"examples":{"a":{"$ref":"#/components/examples/A"}}}}}},
		"examples":{"A":{"value":null}}}}`
	list, err := eventschema.Import([]byte(document))
	require.NoError(t, err)
	require.Len(t, list, 5)
	require.Equal(t, "nothing", list[0].Name)
	require.ErrorContains(t, list[0].Refused, "no operation")
	created := list[1]
	require.Equal(t, "order.created", created.Name)
	require.NoError(t, created.Refused)
	require.Equal(t, "An order", created.Description)
	require.Equal(t, "Orders", created.Group)
	require.Equal(t, `{"id":1,"next":{"id":2.50}}`, string(created.Example))
	require.JSONEq(t, `{"$ref":"#/$defs/Order","$defs":{"Order":{"type":"object","required":["id"],
		"properties":{"id":{"$ref":"#/$defs/ID"},"next":{"$ref":"#/$defs/Order"}}},"ID":{"type":"number"}}}`, string(created.Schema))
	schema, err := eventschema.Compile(created.Schema)
	require.NoError(t, err)
	require.Empty(t, schema.Check(created.Example))
	require.Equal(t, []eventschema.Fault{{".next.id", "got string, want number"}}, schema.Check([]byte(`{"id":1,"next":{"id":"a"}}`)))
	require.True(t, list[2].Deprecated)
	require.Equal(t, "null", string(list[2].Example))
	require.ErrorContains(t, list[3].Refused, "no request body in JSON")
	require.ErrorContains(t, list[4].Refused, "only references to #/components/schemas/")

	for document, says := range map[string]string{
		`{`: "expected an OpenAPI document", `[]`: "expected an OpenAPI document", `{"openapi":"3.0.3"}`: "version 3.1", `{"openapi":"3.1.1"}`: "expected webhooks",
	} {
		_, err := eventschema.Import([]byte(document))
		require.ErrorContains(t, err, says)
	}
}

// Whatever an administrator writes, the functions end without a panic.
func FuzzSchemas(f *testing.F) {
	for _, seed := range []string{order, `true`, `{}`, `{"$ref":"#"}`, `{"allOf":[{"$ref":"#/allOf/0"}]}`, `{"anyOf":[{"$ref":"#"},{"type":"null"}]}`,
		`{"openapi":"3.1.0","webhooks":{"a":{"$ref":"#/webhooks/a"}}}`, `{"items":{"$ref":"#/$defs/~1"},"$defs":{"/":{"minimum":1e400}}}`} {
		f.Add(seed, order)
		f.Add(order, seed)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if schema, err := eventschema.Compile([]byte(a)); err == nil {
			_ = schema.Check([]byte(b))
			require.Empty(t, eventschema.Breaks(nil, []byte(a)))
		}
		_ = eventschema.Breaks([]byte(a), []byte(b))
		_, _ = eventschema.Import([]byte(a))
	})
}
