package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
)

// notEmpty is the message for an empty value, which may mean none or may have been forgotten.
const notEmpty = "must not be empty; what is not wanted is left out"

// mayBeEmpty are the texts in bodies that may be empty: an empty one removes the value.
var mayBeEmpty = []string{
	"create-webhook description", "update-webhook description", "update-owner email", "update-owner slack_url",
	"create-source prefix", "update-source prefix",
}

// refuseEmptyTexts gives every other text in a body a length of at least 1, in the OpenAPI document and so in validation.
func refuseEmptyTexts(document *huma.OpenAPI, op *huma.Operation) {
	if op.RequestBody == nil {
		return
	}
	for _, media := range op.RequestBody.Content {
		schema := media.Schema
		if schema.Ref != "" {
			schema = document.Components.Schemas.SchemaFromRef(schema.Ref)
		}
		refuseEmpty(schema, op.OperationID)
	}
}

func refuseEmpty(schema *huma.Schema, operationID string) {
	for name, member := range schema.Properties {
		if member.Type == huma.TypeString && member.MinLength == nil && !slices.Contains(mayBeEmpty, operationID+" "+name) {
			least := 1
			member.MinLength = &least
			member.PrecomputeMessages()
		}
	}
}

// checkParameters refuses parameters that would be ignored silently: those that are empty, repeated or cannot be read.
// Without its filter a list shows everything; without its Idempotency-Key an event is published twice.
func (s *server) checkParameters(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		if wrong := parameterFaults(c); len(wrong) > 0 {
			s.refuse(api, c, invalidFields(wrong...))
			return
		}
		next(c)
	}
}

func parameterFaults(c huma.Context) (wrong []FieldError) {
	request := humagin.Unwrap(c).Request
	query, err := url.ParseQuery(request.URL.RawQuery)
	if err != nil {
		wrong = append(wrong, FieldError{"query", "cannot be read: % is encoded as %25 and ; as %3B"})
	}
	for _, parameter := range c.Operation().Parameters {
		var values []string
		switch parameter.In {
		case "query":
			values = query[parameter.Name]
		case "header":
			values = request.Header[http.CanonicalHeaderKey(parameter.Name)]
		}
		location := parameter.In + "." + parameter.Name
		switch {
		case len(values) > 1:
			wrong = append(wrong, FieldError{location, "is there " + strconv.Itoa(len(values)) + " times; " + onceIsEnough(parameter)})
		case len(values) == 1 && strings.TrimSpace(values[0]) == "":
			wrong = append(wrong, FieldError{location, notEmpty})
		case len(values) == 1 && takesSeveral(parameter) && slices.Contains(strings.Split(values[0], ","), ""):
			wrong = append(wrong, FieldError{location, "has an empty value: expected one value, or several with one comma between each"})
		}
	}
	return wrong
}

// takesSeveral says that a parameter takes several values with commas between.
func takesSeveral(parameter *huma.Param) bool {
	return parameter.Schema != nil && parameter.Schema.Type == huma.TypeArray
}

func onceIsEnough(parameter *huma.Param) string {
	if takesSeveral(parameter) {
		return "expected once, with commas between its values"
	}
	return "once is enough"
}
