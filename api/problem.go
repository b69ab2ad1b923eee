package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
)

// retrySeconds is what a 503 suggests in Retry-After.
const retrySeconds = "5"

// Problem is an error as RFC 9457 defines it, with a stable code and the fields that are wrong.
type Problem struct {
	Type   string       `json:"type" doc:"Always about:blank: the code tells problems apart."`
	Title  string       `json:"title" doc:"The status in words."`
	Status int          `json:"status"`
	Code   string       `json:"code" doc:"What went wrong, stable, for programs."`
	Detail string       `json:"detail" doc:"What went wrong, for people."`
	Errors []FieldError `json:"errors,omitempty" doc:"The fields that must be changed."`

	// retryAfter is what a 429 asks for in Retry-After, in seconds.
	retryAfter int64
}

// FieldError is one wrong field.
type FieldError struct {
	Location string `json:"location" doc:"Where the field is, such as body.url or query.limit."`
	Message  string `json:"message" doc:"What it should be."`
}

// Error is the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType says that the JSON is a problem.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders tells clients when to try again, where that can help.
func (p *Problem) GetHeaders() http.Header {
	switch {
	case p.retryAfter > 0:
		return http.Header{"Retry-After": {strconv.FormatInt(p.retryAfter, 10)}}
	case p.Status == http.StatusServiceUnavailable:
		return http.Header{"Retry-After": {retrySeconds}}
	}
	return nil
}

// Bounds of what a problem repeats of its request, in bytes and fields, so that an answer does not outgrow its request.
const (
	maxDetail    = 2000
	maxLocation  = 200
	maxMessage   = 500
	maxFields    = 20
	maxPathShown = 200
)

func newProblem(status int, code, detail string, fields ...FieldError) *Problem {
	shown := fields[:min(len(fields), maxFields)]
	for i, field := range shown {
		shown[i] = FieldError{shorten(field.Location, maxLocation), shorten(field.Message, maxMessage)}
	}
	return &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code,
		Detail: shorten(detail, maxDetail), Errors: shown,
	}
}

// shorten cuts a text between two characters, and marks the cut.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}

// invalid is a 422 for one field.
func invalid(location, message string) *Problem {
	return invalidFields(FieldError{location, message})
}

func invalidFields(fields ...FieldError) *Problem {
	var texts []string
	for i, field := range fields {
		if i == maxFields {
			texts = append(texts, fmt.Sprintf("and %d more", len(fields)-i))
			break
		}
		texts = append(texts, shorten(field.Location, maxLocation)+": "+shorten(field.Message, maxMessage))
	}
	return newProblem(http.StatusUnprocessableEntity, codeInvalid, strings.Join(texts, "; "), fields...)
}

func writeProblem(c *gin.Context, problem *Problem) {
	for name, values := range problem.GetHeaders() {
		c.Writer.Header()[name] = values
	}
	c.Header("Content-Type", problem.ContentType(""))
	c.AbortWithStatusJSON(problem.Status, problem)
}
