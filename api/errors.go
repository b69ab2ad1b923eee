package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/models"
)

// Stable codes: what a program may compare.
const (
	codeBadRequest          = "bad_request"
	codeMalformedJSON       = "malformed_json"
	codeUnauthorized        = "unauthorized"
	codeForbidden           = "forbidden"
	codeNotFound            = "not_found"
	codeMethodNotAllowed    = "method_not_allowed"
	codeIdempotencyConflict = "idempotency_conflict"
	codeDeliveryFinished    = "delivery_finished"
	codeWebhookInactive     = "webhook_inactive"
	codeRecoveryActive      = "recovery_active"
	codeRecoveryFinished    = "recovery_finished"
	codeBadSignature        = "bad_signature"
	codeBodyTooLarge        = "body_too_large"
	codeInvalid             = "invalid"
	codeUnavailable         = "unavailable"
	codeInternal            = "internal"
	codeKeyExpired          = "key_expired"
	codeLastAdminKey        = "last_admin_key"
	codeRateLimited         = "rate_limited"
	codeQuotaExceeded       = "quota_exceeded"
	codeOwnerSuspended      = "owner_suspended"
	codeDefaultOwner        = "default_owner"
	codeTooManyFailures     = "too_many_failures"
	codeSecretsSign         = "earlier_secrets_sign"
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

// GetHeaders asks clients to come back where that can help.
func (p *Problem) GetHeaders() http.Header {
	switch {
	case p.retryAfter > 0:
		return http.Header{"Retry-After": {strconv.FormatInt(p.retryAfter, 10)}}
	case p.Status == http.StatusServiceUnavailable:
		return http.Header{"Retry-After": {retrySeconds}}
	}
	return nil
}

// Bounds of what a problem repeats of its request, in bytes and fields: a body of 1 MiB makes no answer of several.
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

// shorten cuts a text between two characters, and shows that it was cut.
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

func notFound(what, id string) *Problem {
	return newProblem(http.StatusNotFound, codeNotFound, fmt.Sprintf("there is no %s %s", what, shorten(id, maxPathShown)))
}

// fail is the one place where errors of the other packages become HTTP. What it does not know is a plain 500
// for the client and a full line in the log.
func (s *server) fail(ctx context.Context, err error) error {
	var problem *Problem
	var active *models.RecoveryActiveError
	var quota *models.QuotaError
	var sign *models.SecretsSignError
	var tests *dispatch.TooManyTestsError
	switch {
	case errors.As(err, &problem):
		return problem
	case errors.As(err, &quota):
		return newProblem(http.StatusConflict, codeQuotaExceeded, fmt.Sprintf(
			"this owner may have %d %s; delete one first, or ask an administrator", quota.Limit, quota.What))
	case errors.As(err, &active):
		return newProblem(http.StatusConflict, codeRecoveryActive,
			"the webhook has the recovery "+active.ID+", which has not ended; wait for its end or cancel it")
	case errors.As(err, &sign):
		return newProblem(http.StatusConflict, codeSecretsSign, fmt.Sprintf("%d earlier secrets sign beside the present one; "+
			"rotate again after %s, when the first of them ends, or with grace 0s, which ends the present one at once, "+
			"or with end_earlier, which ends the earlier ones", models.MaxEarlierSecrets, sign.Until.UTC().Format(time.RFC3339Nano)))
	case errors.As(err, &tests):
		return tooMany(codeRateLimited, tests.Reason, tests.Wait)
	case errors.Is(err, dispatch.ErrRecoveryFinished):
		return newProblem(http.StatusConflict, codeRecoveryFinished, "the recovery has ended already")
	case errors.Is(err, models.ErrNotFound):
		return newProblem(http.StatusNotFound, codeNotFound, "there is no such thing")
	case errors.Is(err, models.ErrBadCursor):
		return invalid("query.cursor", err.Error())
	case errors.Is(err, models.ErrIdempotencyConflict):
		return newProblem(http.StatusConflict, codeIdempotencyConflict,
			"this Idempotency-Key was used before with another event; use a new key for a new event")
	case errors.Is(err, models.ErrFinished):
		return newProblem(http.StatusConflict, codeDeliveryFinished, "the delivery has ended already")
	case errors.Is(err, dispatch.ErrWebhookDeleted):
		return newProblem(http.StatusConflict, codeWebhookInactive, "the webhook was deleted: its deliveries cannot be sent again")
	case errors.Is(err, dispatch.ErrWebhookInactive):
		return newProblem(http.StatusConflict, codeWebhookInactive,
			"the webhook is paused or disabled; set active to true first, with PATCH /api/webhooks/{id}")
	case errors.Is(err, models.ErrKeyExpired):
		return newProblem(http.StatusUnauthorized, codeKeyExpired, "the key has expired: ask an administrator for a new one")
	case errors.Is(err, models.ErrOwnerSuspended):
		return newProblem(http.StatusConflict, codeOwnerSuspended,
			"the owner is suspended and gets nothing; set active to true first, with PATCH /api/owners/{id}")
	case errors.Is(err, models.ErrDefaultOwner):
		return newProblem(http.StatusConflict, codeDefaultOwner,
			"the owner default cannot be deleted: it has what administrators make without naming an owner; suspend it, or delete what it has")
	case errors.Is(err, models.ErrLastAdminKey):
		return newProblem(http.StatusConflict, codeLastAdminKey, "no administrator's key that does not expire would be left; "+
			"make another first, with `postrider keys create --admin`, then revoke this one")
	case errors.Is(err, context.Canceled):
		return newProblem(http.StatusServiceUnavailable, codeUnavailable, "the request was cancelled")
	case errors.Is(err, dispatch.ErrTemporalUnavailable):
		s.Logger.WarnContext(ctx, "Temporal is not available", "error", err)
		return newProblem(http.StatusServiceUnavailable, codeUnavailable, "Temporal is not available at present; try again")
	case store.IsUnavailable(err):
		s.Logger.WarnContext(ctx, "the database is not available", "error", err)
		return newProblem(http.StatusServiceUnavailable, codeUnavailable, "the database is not available at present; try again")
	}
	s.Logger.ErrorContext(ctx, "request failed", "error", err)
	return newProblem(http.StatusInternalServerError, codeInternal, "something went wrong inside Postrider; its log has the details")
}

// orNotFound names what was not found.
func orNotFound(err error, what, id string) error {
	if errors.Is(err, models.ErrNotFound) {
		return notFound(what, id)
	}
	return err
}

// huma makes its own errors, of validation for one, through this variable: it is huma's way to set the shape
// of all errors, and there is none for a single API.
func init() {
	huma.NewError = humaProblem
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
		return humaProblem(status, message, errs...)
	}
}

// fieldError puts what huma says into plain words.
func fieldError(location, message string) FieldError {
	message = strings.TrimPrefix(message, "invalid value: ")
	if place, rest, ok := strings.Cut(message, ": "); ok && location == "body" && strings.HasPrefix(place, "body.") {
		location, message = place, rest // bodyError
	}
	if message == "expected length >= 1" {
		message = notEmpty
	}
	return FieldError{location, message}
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
		return newProblem(status, codeBodyTooLarge, fmt.Sprintf("the body is larger than %d bytes", maxBody))
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

func writeProblem(c *gin.Context, problem *Problem) {
	for name, values := range problem.GetHeaders() {
		c.Writer.Header()[name] = values
	}
	c.Header("Content-Type", problem.ContentType(""))
	c.AbortWithStatusJSON(problem.Status, problem)
}
