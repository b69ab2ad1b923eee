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

// notEmpty answers an empty value: whether it means none or was forgotten, nobody can tell.
const notEmpty = "must not be empty; what is not wanted is left out"

// mayBeEmpty are the texts of bodies that are empty for good reason: they say what something is, or remove it.
var mayBeEmpty = []string{
	"create-webhook description", "update-webhook description", "update-owner email", "update-owner slack_url",
	"create-source prefix", "update-source prefix",
}

// refuseEmptyTexts makes every other text of a body at least one character long, in the document and so in validation.
func refuseEmptyTexts(document *huma.OpenAPI, op *huma.Operation) {
	if op.RequestBody == nil {
		return
	}
	for _, media := range op.RequestBody.Content {
		schema := media.Schema
		if schema.Ref != "" {
			schema = document.Components.Schemas.SchemaFromRef(schema.Ref)
		}
		for name, member := range schema.Properties {
			if member.Type == huma.TypeString && member.MinLength == nil && !slices.Contains(mayBeEmpty, op.OperationID+" "+name) {
				least := 1
				member.MinLength = &least
				member.PrecomputeMessages()
			}
		}
	}
}

// checkParameters refuses what would be dropped in silence: parameters that are empty, there twice, or cannot be read.
// A filter that is dropped shows everything; an Idempotency-Key that is dropped publishes twice.
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
			wrong = append(wrong, FieldError{location, "is there " + strconv.Itoa(len(values)) + " times; once is enough"})
		case len(values) == 1 && strings.TrimSpace(values[0]) == "":
			wrong = append(wrong, FieldError{location, notEmpty})
		}
	}
	return wrong
}
