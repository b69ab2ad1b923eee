package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/api"
	"github.com/postrider/postrider/models"
)

// version is what the tests' API says that it is.
const version = "1.2.3"

// document is the part of an OpenAPI 3.1 document that tests look at.
type document struct {
	// Text is the whole document.
	Text []byte `json:"-"`

	OpenAPI string `json:"openapi"`
	Info    struct{ Title, Version string }
	// Security applies to operations that do not say their own.
	Security   []map[string][]string
	Paths      map[string]map[string]operation
	Components struct {
		Schemas         map[string]schema
		SecuritySchemes map[string]struct{ Type, Scheme string }
	}
}

type operation struct {
	// Method and Path are where it stands in the document.
	Method string `json:"-"`
	Path   string `json:"-"`

	OperationID string `json:"operationId"`
	// Extension is the action that the trail knows the operation by.
	Extension string `json:"x-audit-action"`
	// NeededRole is the role that a key needs for it, beside full.
	NeededRole models.Role `json:"x-needed-role"`
	// AdminsOnly says that owners may not call it.
	AdminsOnly bool `json:"x-administrators-only"`
	Summary    string
	Tags       []string
	Security   *[]map[string][]string
	Parameters []struct {
		Name, In string
		Required bool
		Schema   schema
	}
	RequestBody struct {
		Required bool
		Content  map[string]struct{ Schema schema }
	}
	Responses map[string]struct {
		Description string
		Content     map[string]struct{ Schema schema }
	}
}

func (o operation) String() string { return o.Method + " " + o.Path }

type schema struct {
	Ref    string `json:"$ref"`
	Type   any
	Format string
	Enum   []any
	Items  *schema
	OneOf  []schema
	// Properties are an object's, AdditionalProperties a schema or a boolean.
	Properties           map[string]schema
	AdditionalProperties json.RawMessage
}

// is says whether a value of the schema may be of a type.
func (s schema) is(name string) bool {
	switch of := s.Type.(type) {
	case string:
		return of == name
	case []any:
		return slices.Contains(of, any(name))
	}
	return false
}

// resolve follows a reference.
func (d document) resolve(s schema) schema {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return d.Components.Schemas[name]
	}
	return s
}

// fields are the members of an operation's body.
func (d document) fields(of operation) map[string]schema {
	return d.resolve(of.RequestBody.Content["application/json"].Schema).Properties
}

// itemFields are the members of the objects in a list; none of what is no list of objects.
func (d document) itemFields(of schema) map[string]schema {
	if of = d.resolve(of); !of.is("array") {
		return nil
	}
	return d.resolve(*of.Items).Properties
}

// publicOperations need no key; see TestPublicKeysNeedNoKey.
var publicOperations = []string{"GET /api/keys/jwks"}

// operations are all of the document's that need a key.
func (d document) operations() []operation {
	return slices.DeleteFunc(d.all(), func(of operation) bool {
		return of.Security != nil && len(*of.Security) == 0 && slices.Contains(publicOperations, of.String())
	})
}

// all are all operations of the document, in the order of their paths and methods.
func (d document) all() (operations []operation) {
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			of := d.Paths[path][method]
			of.Method, of.Path = strings.ToUpper(method), path
			operations = append(operations, of)
		}
	}
	return operations
}

// promises are what the OpenAPI document says of answers.
type promises struct {
	document document
	// bodies are the schemas of answers, by operation, status and media type.
	bodies map[string]*jsonschema.Schema
}

// readPromises returns what the API promises. The document does not depend on how the API is set up.
var readPromises = sync.OnceValues(func() (*promises, error) {
	answer := httptest.NewRecorder()
	handler := api.New(api.Config{Version: version, Logger: slog.New(slog.DiscardHandler)})
	handler.ServeHTTP(answer, httptest.NewRequest("GET", "/openapi.json", nil))
	p := &promises{document: document{Text: answer.Body.Bytes()}, bodies: map[string]*jsonschema.Schema{}}
	if err := json.Unmarshal(p.document.Text, &p.document); err != nil {
		return nil, err
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(p.document.Text))
	if err != nil {
		return nil, err
	}
	const here = "https://postrider.example/openapi.json"
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(here, parsed); err != nil {
		return nil, err
	}
	for _, of := range p.document.all() {
		for status, response := range of.Responses {
			for media := range response.Content {
				at := here + "#" + jsonPointer("paths", of.Path, strings.ToLower(of.Method), "responses", status, "content", media, "schema")
				if p.bodies[promiseOf(of, status, media)], err = compiler.Compile(at); err != nil {
					return nil, err
				}
			}
		}
	}
	return p, nil
})

func promiseOf(of operation, status, media string) string {
	return of.String() + " " + status + " " + media
}

// jsonPointer points to a value within a JSON document (RFC 6901).
func jsonPointer(steps ...string) string {
	var text strings.Builder
	for _, step := range steps {
		text.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step))
	}
	return text.String()
}

func readDocument(t testing.TB) document {
	t.Helper()
	p, err := readPromises()
	require.NoError(t, err)
	return p.document
}

// find returns the operation that a request is for. known says that there is one at the path, perhaps with
// another method.
func (d document) find(method, path string) (found operation, known bool) {
	for template, operations := range d.Paths {
		if !matches(template, path) {
			continue
		}
		known = true
		if of, ok := operations[strings.ToLower(method)]; ok {
			of.Method, of.Path = method, template
			return of, true
		}
	}
	return found, known
}

// matches says whether a path is of a template such as /api/webhooks/{id}.
func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	return slices.EqualFunc(want, got, func(want, got string) bool { return want == got || strings.HasPrefix(want, "{") })
}

// check says how an answer breaks what the document promises: with a status that the operation does not list, another
// media type, or a body that is not of the schema. Routes that the document does not speak of promise nothing.
func (p *promises) check(method, path string, answer reply) error {
	path = strings.TrimSuffix(path, "/") // is the same
	if method == http.MethodHead {
		if answer.body != "" {
			return fmt.Errorf("HEAD %s is answered with a body", path)
		}
		return nil
	}
	of, known := p.document.find(method, path)
	switch {
	case known && of.OperationID == "" && answer.status != http.StatusMethodNotAllowed:
		return fmt.Errorf("%s %s answers %d, and is not in the OpenAPI document", method, path, answer.status)
	case of.OperationID == "":
		return nil
	}
	status := strconv.Itoa(answer.status)
	promised, ok := of.Responses[status]
	if !ok {
		return fmt.Errorf("%s answers %s, which the OpenAPI document does not list: %s", of, status, answer.body)
	}
	if len(promised.Content) == 0 {
		if answer.body != "" {
			return fmt.Errorf("%s answers %s with a body, and the OpenAPI document promises none: %s", of, status, answer.body)
		}
		return nil
	}
	media, _, err := mime.ParseMediaType(answer.header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("%s answers %s without a media type: %w", of, status, err)
	}
	body, ok := p.bodies[promiseOf(of, status, media)]
	if !ok {
		return fmt.Errorf("%s answers %s with %s, which the OpenAPI document does not list", of, status, media)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(answer.body))
	if err != nil {
		return fmt.Errorf("%s answers %s with what is not JSON: %w: %s", of, status, err, answer.body)
	}
	if err := body.Validate(value); err != nil {
		return fmt.Errorf("%s answers %s with a body that is not of the promised schema: %w: %s", of, status, err, answer.body)
	}
	return nil
}

// What checks all other tests' answers notices each way to break a promise.
func TestBrokenPromisesAreNoticed(t *testing.T) {
	t.Parallel()
	p, err := readPromises()
	require.NoError(t, err)
	const (
		object  = "application/json"
		problem = "application/problem+json"
		owner   = `"id":"own_x","name":"a","active":true,"email":null,"slack_url":null,"external_id":null,"metadata":{},"created_at":"2026-01-02T03:04:05Z"`
	)
	for name, test := range map[string]struct {
		method, path string
		status       int
		media, body  string
		says         string
	}{
		"kept":                              {"GET", "/api/owners/x", 200, object, `{` + owner + `,"updated_at":"2026-01-02T03:04:05Z"}`, ""},
		"kept, of no body":                  {"DELETE", "/api/keys/x", 204, "", "", ""},
		"status not listed":                 {"GET", "/api/owners/x", 201, object, `{}`, "answers 201, which the OpenAPI document does not list"},
		"another media type":                {"GET", "/api/owners/x", 404, object, `{}`, "with application/json, which the OpenAPI document does not list"},
		"no media type":                     {"GET", "/api/owners/x", 404, "", `{}`, "without a media type"},
		"not JSON":                          {"GET", "/api/owners/x", 404, problem, `{`, "with what is not JSON"},
		"member missing":                    {"GET", "/api/owners/x", 200, object, `{` + owner + `}`, "updated_at"},
		"member not listed":                 {"GET", "/api/owners/x", 200, object, `{` + owner + `,"updated_at":"2026-01-02T03:04:05Z","secret":1}`, "secret"},
		"member of another type":            {"GET", "/api/owners/x", 200, object, `{` + owner + `,"updated_at":5}`, "updated_at"},
		"not a time":                        {"GET", "/api/owners/x", 200, object, `{` + owner + `,"updated_at":"today"}`, "date-time"},
		"a body where there is none":        {"DELETE", "/api/keys/x", 204, object, `{}`, "promises none"},
		"a method that is not listed":       {"PUT", "/api/keys/x", 200, object, `{}`, "is not in the OpenAPI document"},
		"a path that nothing is said about": {"GET", "/healthz", 200, object, `{}`, ""},
	} {
		answer := reply{t: t, status: test.status, header: http.Header{"Content-Type": {test.media}}, body: test.body}
		err := p.check(test.method, test.path, answer)
		if test.says == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, test.says, name)
	}
}
