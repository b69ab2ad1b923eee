package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// huma makes its own errors, of validation for example, through these variables, which set the form of all errors; it has
// no setting for a single API.
func init() {
	huma.NewError = humaProblem
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
		return humaProblem(status, message, errs...)
	}
}

// fieldError rewords a message of huma.
func fieldError(location, message string) FieldError {
	message = strings.TrimPrefix(message, "invalid value: ")
	if place, rest, ok := strings.Cut(message, ": "); ok && location == "body" && strings.HasPrefix(place, "body.") {
		location, message = place, rest // bodyError
	}
	if strings.HasPrefix(location, "query.") {
		location, _, _ = strings.Cut(location, "[") // a parameter of several values is one text
	}
	if message == "expected length >= 1" {
		message = notEmpty
	}
	return FieldError{location, message}
}

// tooLarge is huma's message about a body that reaches a limit; limitIn finds in it how large a body may be.
func tooLarge(limit int64) string {
	return fmt.Sprintf("request body is too large limit=%d bytes", limit)
}

func limitIn(message string) int64 {
	_, of, _ := strings.Cut(message, "limit=")
	limit, err := strconv.ParseInt(strings.TrimSuffix(of, " bytes"), 10, 64)
	if err != nil {
		return maxBody
	}
	return limit - 1
}

func humaProblem(status int, message string, errs ...error) huma.StatusError {
	var fields []FieldError
	for _, err := range errs {
		var detail *huma.ErrorDetail
		if errors.As(err, &detail) {
			// The value is left out: it may be a secret.
			fields = append(fields, fieldError(detail.Location, detail.Message))
		}
	}
	switch status {
	case http.StatusUnprocessableEntity:
		if len(fields) > 0 {
			return invalidFields(fields...)
		}
		return newProblem(status, codeInvalid, message)
	case http.StatusBadRequest:
		// Wrong parameters may be listed before the body.
		if n := len(fields); n > 0 {
			return newProblem(status, codeMalformedJSON, "the body is not JSON: "+fields[n-1].Message)
		}
		return newProblem(status, codeBadRequest, message)
	case http.StatusRequestTimeout:
		return newProblem(status, codeBadRequest, slowBody)
	case http.StatusRequestEntityTooLarge:
		return newProblem(status, codeBodyTooLarge, fmt.Sprintf("the body is larger than %d bytes", limitIn(message)))
	case http.StatusInternalServerError:
		// For huma a body that breaks off or is badly chunked is the server's fault.
		if message == "cannot read request body" {
			return newProblem(http.StatusBadRequest, codeBadRequest, "the body cannot be read")
		}
	}
	if status < http.StatusInternalServerError {
		return newProblem(status, codeBadRequest, message) // a body that comes too slowly, for one
	}
	return newProblem(status, codeInternal, message)
}
