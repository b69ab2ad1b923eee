package api_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/api"
	"github.com/postrider/postrider/models"
)

// document is the part of an OpenAPI 3.1 document that tests look at.
type document struct {
	OpenAPI string `json:"openapi"`
	Info    struct{ Title, Version string }
	// Security applies to operations that do not say their own.
	Security   []map[string][]string
	Paths      map[string]map[string]documentOperation
	Components struct {
		Schemas         map[string]documentSchema
		SecuritySchemes map[string]struct{ Type, Scheme string }
	}
}

type documentOperation struct {
	OperationID string `json:"operationId"`
	Summary     string
	Tags        []string
	Security    *[]map[string][]string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   documentSchema
	}
	RequestBody struct {
		Required bool
		Content  map[string]struct{ Schema documentSchema }
	}
	Responses map[string]struct {
		Description string
		Content     map[string]struct{ Schema documentSchema }
	}
}

type documentSchema struct {
	Ref        string `json:"$ref"`
	Type       any
	Properties map[string]documentSchema
}

// is says whether a value of the schema may be of a type.
func (s documentSchema) is(name string) bool {
	switch of := s.Type.(type) {
	case string:
		return of == name
	case []any:
		return slices.Contains(of, any(name))
	}
	return false
}

func (s *service) document() document {
	s.t.Helper()
	reply := s.call("", "GET", "/openapi.json", "").is(http.StatusOK)
	require.Contains(s.t, reply.header.Get("Content-Type"), "json")
	var document document
	require.NoError(s.t, json.Unmarshal([]byte(reply.body), &document))
	require.NotEmpty(s.t, document.Paths)
	return document
}

// operations calls a function for every operation of the document.
func (d document) operations(each func(method, path string, operation documentOperation)) {
	for path, operations := range d.Paths {
		for method, operation := range operations {
			each(strings.ToUpper(method), path, operation)
		}
	}
}

func TestOpenAPIDocument(t *testing.T) {
	t.Parallel()
	s := newService(t)
	document := s.document()
	require.Regexp(t, `^3\.1\.\d+$`, document.OpenAPI)
	require.Equal(t, "Postrider", document.Info.Title)
	require.Equal(t, "1.2.3", document.Info.Version)
	require.Equal(t, "http", document.Components.SecuritySchemes["key"].Type)
	require.Equal(t, "bearer", document.Components.SecuritySchemes["key"].Scheme)

	seen := map[string]bool{}
	document.operations(func(method, path string, operation documentOperation) {
		where := method + " " + path
		require.NotEmpty(t, operation.OperationID, where)
		require.False(t, seen[operation.OperationID], "%s is there twice", operation.OperationID)
		seen[operation.OperationID] = true
		require.NotEmpty(t, operation.Summary, where)
		require.Len(t, operation.Tags, 1, where)

		var declared []string
		for _, parameter := range operation.Parameters {
			if parameter.In == "path" {
				require.True(t, parameter.Required, where)
				declared = append(declared, "{"+parameter.Name+"}")
			}
		}
		require.ElementsMatch(t, regexp.MustCompile(`{\w+}`).FindAllString(path, -1), declared, where)

		succeeds := false
		for status, response := range operation.Responses {
			require.NotEmpty(t, response.Description, "%s %s", where, status)
			if status[0] == '2' {
				succeeds = true
				continue
			}
			require.Equal(t, "#/components/schemas/Problem", response.Content["application/problem+json"].Schema.Ref, "%s %s", where, status)
		}
		require.True(t, succeeds, where)
		for _, status := range []string{"401", "422", "503"} {
			require.Contains(t, operation.Responses, status, where)
		}
		if strings.Contains(path, "{id}") {
			require.Contains(t, operation.Responses, "404", where)
		}
	})

	// What is referred to is there.
	text := s.call("", "GET", "/openapi.json", "").body
	refs := regexp.MustCompile(`"\$ref":"([^"]+)"`).FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, refs)
	for _, ref := range refs {
		name, ok := strings.CutPrefix(ref[1], "#/components/schemas/")
		require.True(t, ok, ref[1])
		require.Contains(t, document.Components.Schemas, name)
	}
	require.NotContains(t, text, "$schema", "objects have the members that are documented and no others")
}

// Every route of the API is documented and needs a key, and nothing that is not there is documented.
func TestOpenAPIListsEveryRoute(t *testing.T) {
	t.Parallel()
	s := newService(t)
	document := s.document()
	engine, ok := api.New(api.Config{Store: s.store, Logger: slog.New(slog.DiscardHandler)}).(*gin.Engine)
	require.True(t, ok)
	var routes, documented []string
	for _, route := range engine.Routes() {
		if strings.HasPrefix(route.Path, "/api/") {
			routes = append(routes, route.Method+" "+regexp.MustCompile(`:(\w+)`).ReplaceAllString(route.Path, "{$1}"))
		}
	}
	document.operations(func(method, path string, operation documentOperation) {
		documented = append(documented, method+" "+path)
		security := document.Security
		if operation.Security != nil {
			security = *operation.Security
		}
		require.Equal(t, []map[string][]string{{"key": {}}}, security, "%s %s", method, path)

		path = strings.ReplaceAll(path, "{id}", "x")
		s.call("", method, path, "").problem(http.StatusUnauthorized, "unauthorized")
		s.call("prk_wrong", method, path, "{}").problem(http.StatusUnauthorized, "unauthorized")
	})
	require.ElementsMatch(t, routes, documented)
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

// Whatever exists of one owner, another owner's key does not reach it: on every route that the document
// lists, so that a new one cannot be forgotten.
func TestNoRouteLeadsToAnotherOwner(t *testing.T) {
	t.Parallel()
	s := newService(t)
	document := s.document()
	theirID, theirs := s.owner("theirs")
	_, mine := s.owner("mine")
	webhookID := s.webhook(theirs, "*")
	eventID, deliveryID := s.delivery(theirs, "a")
	keys, err := s.store.APIKeys(t.Context(), models.Scope{OwnerID: theirID})
	require.NoError(t, err)
	source := s.call(theirs, "POST", "/api/sources", `{"name":"x","scheme":"github","secret":"0123456789abcdef0123456789abcdef"}`).
		is(http.StatusCreated).object()
	inbound := models.InboundEvent{SourceID: text(t, source, "id"), OwnerID: theirID, ProviderID: "1", Body: []byte(`{}`)}
	_, err = s.store.StoreInbound(t.Context(), &inbound)
	require.NoError(t, err)
	ids := map[string]string{
		"webhooks": webhookID, "events": eventID, "deliveries": deliveryID, "owners": theirID, "keys": keys[0].ID,
		"sources": inbound.SourceID, "inbound-events": inbound.ID,
	}
	state := func() (state []string) {
		for kind, id := range ids {
			if kind != "keys" {
				state = append(state, s.admin(http.StatusOK, "GET", "/api/"+kind+"/"+id, "").body)
			}
		}
		slices.Sort(state)
		return state
	}
	before := state()

	document.operations(func(method, path string, _ documentOperation) {
		where := method + " " + path
		kind, _, _ := strings.Cut(strings.TrimPrefix(path, "/api/"), "/")
		id, known := ids[kind]
		require.True(t, known, "make something of the new kind %q for this test", kind)
		if strings.Contains(path, "{id}") {
			reply := s.call(mine, method, strings.ReplaceAll(path, "{id}", id), "{}")
			require.Contains(t, []int{http.StatusNotFound, http.StatusForbidden}, reply.status, "%s: %s", where, reply.body)
			return
		}
		if method == http.MethodGet {
			reply := s.call(mine, method, path, "")
			for _, id := range ids {
				require.NotContains(t, reply.body, id, where)
			}
			if reply.status != http.StatusForbidden {
				items, _ := reply.is(http.StatusOK).list()
				require.Empty(t, items, where)
			}
		}
	})
	require.Equal(t, before, state())
	s.call(theirs, "GET", "/api/webhooks", "").is(http.StatusOK)
	require.Empty(t, s.temporal.signals)
}
