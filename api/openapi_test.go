package api_test

import (
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/pb33f/libopenapi"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/api"
)

// The document is one for every tool: of the official schema of OpenAPI 3.1 and with all that it refers to.
func TestOpenAPIDocumentIsValid(t *testing.T) {
	t.Parallel()
	text := readDocument(t).Text
	parsed, err := libopenapi.NewDocument(text)
	require.NoError(t, err)
	require.Regexp(t, `^3\.1\.\d+$`, parsed.GetVersion())
	_, err = parsed.BuildV3Model()
	require.NoError(t, err, "every reference leads somewhere")

	official, err := jsonschema.UnmarshalJSON(strings.NewReader(parsed.GetSpecInfo().APISchema))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	require.NoError(t, compiler.AddResource("openapi-3.1.json", official))
	schema, err := compiler.Compile("openapi-3.1.json")
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(document))
	// It leaves the schemas of bodies open, which readPromises compiles.
	require.ErrorContains(t, schema.Validate(map[string]any{"openapi": "3.1.0"}), "info")
}

// What the official schema leaves open, and readers want.
func TestOpenAPIDocumentIsComplete(t *testing.T) {
	t.Parallel()
	s := newService(t)
	document := readDocument(t)
	served := s.call("", "GET", "/openapi.json", "").is(http.StatusOK)
	require.Equal(t, "application/openapi+json", served.header.Get("Content-Type"))
	require.JSONEq(t, string(document.Text), served.body)
	require.Equal(t, "Postrider", document.Info.Title)
	require.Equal(t, version, document.Info.Version)
	require.Equal(t, "http", document.Components.SecuritySchemes["key"].Type)
	require.Equal(t, "bearer", document.Components.SecuritySchemes["key"].Scheme)

	seen := map[string]bool{}
	for _, of := range document.operations() {
		require.NotEmpty(t, of.OperationID, of)
		require.False(t, seen[of.OperationID], "%s is there twice", of.OperationID)
		seen[of.OperationID] = true
		require.NotEmpty(t, of.Summary, of)
		require.Len(t, of.Tags, 1, of)

		var declared []string
		for _, parameter := range of.Parameters {
			if parameter.In == "path" {
				require.True(t, parameter.Required, of)
				declared = append(declared, "{"+parameter.Name+"}")
			}
		}
		require.ElementsMatch(t, regexp.MustCompile(`{\w+}`).FindAllString(of.Path, -1), declared, of)

		succeeds := false
		for status, response := range of.Responses {
			require.NotEmpty(t, response.Description, "%s %s", of, status)
			if status[0] == '2' {
				succeeds = true
				continue
			}
			require.Equal(t, "#/components/schemas/Problem", response.Content["application/problem+json"].Schema.Ref, "%s %s", of, status)
		}
		require.True(t, succeeds, of)
		expected := []string{"401", "422", "500", "503"}
		if strings.Contains(of.Path, "{") {
			expected = append(expected, "404")
		}
		if len(of.RequestBody.Content) > 0 {
			expected = append(expected, "400", "408", "413")
		}
		for _, status := range expected {
			require.Contains(t, of.Responses, status, of)
		}
	}
	require.NotContains(t, string(document.Text), "$schema", "objects have the members that are documented and no others")
}

// Every route of the API is documented and needs a key, and nothing that is not there is documented.
func TestOpenAPIListsEveryRoute(t *testing.T) {
	t.Parallel()
	s := newService(t)
	document := readDocument(t)
	engine, ok := api.New(api.Config{Logger: slog.New(slog.DiscardHandler)}).(interface{ Routes() gin.RoutesInfo })
	require.True(t, ok)
	var routes, documented []string
	for _, route := range engine.Routes() {
		if strings.HasPrefix(route.Path, "/api/") {
			routes = append(routes, route.Method+" "+regexp.MustCompile(`:(\w+)`).ReplaceAllString(route.Path, "{$1}"))
		}
	}
	for _, of := range document.operations() {
		documented = append(documented, of.String())
		security := document.Security
		if of.Security != nil {
			security = *of.Security
		}
		require.Equal(t, []map[string][]string{{"key": {}}}, security, of)

		path := regexp.MustCompile(`{\w+}`).ReplaceAllString(of.Path, "x")
		s.call("", of.Method, path, "").problem(http.StatusUnauthorized, "unauthorized")
		s.call("prk_wrong", of.Method, path, "{}").problem(http.StatusUnauthorized, "unauthorized")
	}
	require.ElementsMatch(t, routes, append(documented, publicOperations...))
	for _, call := range []string{
		"POST /api/webhooks", "GET /api/webhooks", "GET /api/webhooks/{id}", "PATCH /api/webhooks/{id}",
		"DELETE /api/webhooks/{id}", "POST /api/webhooks/{id}/test", "POST /api/webhooks/{id}/rotate-secret",
		"POST /api/events", "GET /api/events", "GET /api/events/{id}", "GET /api/deliveries", "GET /api/deliveries/{id}",
		"POST /api/deliveries/{id}/resend", "POST /api/deliveries/{id}/cancel", "POST /api/owners", "GET /api/owners",
		"GET /api/owners/{id}", "PATCH /api/owners/{id}", "POST /api/owners/{id}/keys", "DELETE /api/keys/{id}",
		"POST /api/sources", "GET /api/sources", "GET /api/sources/{id}", "PATCH /api/sources/{id}", "DELETE /api/sources/{id}",
		"GET /api/inbound-events", "POST /api/inbound-events/{id}/reprocess",
	} {
		require.Contains(t, documented, call, "the contract promises it")
	}
}
