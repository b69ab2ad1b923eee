package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// Stable codes: what a program may compare.
const (
	codeBadRequest          = "bad_request"
	codeMalformedJSON       = "malformed_json"
	codeUnauthorized        = "unauthorized"
	codeForbidden           = "forbidden"
	codeInsufficientRole    = "insufficient_role"
	codeNotFound            = "not_found"
	codeMethodNotAllowed    = "method_not_allowed"
	codeIdempotencyConflict = "idempotency_conflict"
	codeCallUnderWay        = "idempotency_in_progress"
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
	codeEventErased         = "event_erased"
	codeSchemaBreaks        = "schema_breaks"
	codeEventTypeExists     = "event_type_exists"
	codeSecretsSign         = "earlier_secrets_sign"
	codeExternalIDTaken     = "external_id_taken"
)

// fail is the one place where errors of the other packages become HTTP. An unknown error is a plain 500 for the client and
// a full line in the log.
func (s *server) fail(ctx context.Context, err error) *Problem {
	if problem := problemOfType(err); problem != nil {
		return problem
	}
	for _, known := range knownErrors {
		if errors.Is(err, known.err) {
			return newProblem(known.status, known.code, known.detail)
		}
	}
	switch what := service.Unavailable(err); {
	case errors.Is(err, models.ErrBadCursor):
		return invalid("query.cursor", err.Error())
	case errors.Is(err, context.Canceled):
		return newProblem(http.StatusServiceUnavailable, codeUnavailable, "the request was cancelled")
	case what != "":
		s.Logger.WarnContext(ctx, what+" is not available", "error", err)
		return newProblem(http.StatusServiceUnavailable, codeUnavailable, what+" is not available at present; try again")
	}
	s.Logger.ErrorContext(ctx, "request failed", "error", err)
	return newProblem(http.StatusInternalServerError, codeInternal, "something went wrong inside Postrider; its log has the details")
}

// problemOfType is the problem of an error that says more than which one it is; nil for others.
func problemOfType(err error) *Problem {
	var (
		problem  *Problem
		notFound *service.NotFoundError
		role     *service.RoleError
		refused  *service.RejectedError
		quota    *models.QuotaError
		active   *models.RecoveryActiveError
		sign     *models.SecretsSignError
		tests    *service.TooManyTestsError
		events   *service.EventRateError
		bytes    *service.StoredBytesError
		breaks   *service.SchemaBreaksError
	)
	switch {
	case errors.As(err, &problem):
		return problem
	case errors.Is(err, models.ErrCallUnderWay):
		problem = newProblem(http.StatusConflict, codeCallUnderWay, "a call with this Idempotency-Key is under way; come back after the seconds in Retry-After")
		problem.retryAfter = 1
		return problem
	case errors.As(err, &notFound):
		return newProblem(http.StatusNotFound, codeNotFound, notFoundDetail(notFound))
	case errors.As(err, &role):
		return newProblem(http.StatusForbidden, codeInsufficientRole, role.Error())
	case errors.As(err, &refused):
		return rejected(refused)
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
	case errors.As(err, &events):
		return tooMany(codeQuotaExceeded, events.Error()+"; come back after the seconds in Retry-After", events.Wait)
	case errors.As(err, &breaks):
		return newProblem(http.StatusConflict, codeSchemaBreaks, breaks.Error()+", and consumers may rely on that; force=true accepts it",
			fieldErrors(breaks.Breaks)...)
	case errors.As(err, &bytes):
		return newProblem(http.StatusConflict, codeQuotaExceeded, bytes.Error()+"; the oldest go with the retention")
	}
	return nil
}

func notFoundDetail(err *service.NotFoundError) string {
	detail := fmt.Sprintf("there is no %s %s", err.What(), shorten(err.ID, maxPathShown))
	if err.Malformed {
		detail += ": " + err.Form()
	}
	return detail
}

// knownErrors are the problems of errors that say no more than which one they are. The first that matches counts.
var knownErrors = []struct {
	err          error
	status       int
	code, detail string
}{
	{errNotInPortal, http.StatusForbidden, codeForbidden, "this is not for the portal"},
	{service.ErrAdminsOnly, http.StatusForbidden, codeForbidden, "only an administrator's key may do this"},
	{service.ErrReprocessBroadcast, http.StatusUnprocessableEntity, codeInvalid,
		"only an administrator may have this processed again: it reaches every owner's webhooks"},
	{service.ErrEraseBroadcast, http.StatusForbidden, codeForbidden,
		"this event went to every owner's webhooks: only an administrator may erase its data"},
	{models.ErrErased, http.StatusConflict, codeEventErased, "the event's data was erased: it cannot be sent or processed again"},
	{service.ErrNoVerifyToken, http.StatusMethodNotAllowed, codeMethodNotAllowed,
		"this source takes POST only; one with a verify_token answers a GET with hub.challenge"},
	{service.ErrRecoveryFinished, http.StatusConflict, codeRecoveryFinished, "the recovery has ended already"},
	{models.ErrNotFound, http.StatusNotFound, codeNotFound, "there is no such thing"},
	{models.ErrIdempotencyConflict, http.StatusConflict, codeIdempotencyConflict,
		"this Idempotency-Key was used before with another event; use a new key for a new event"},
	{models.ErrEventTypeExists, http.StatusConflict, codeEventTypeExists,
		"the catalogue has this event type; change it with PUT /api/event-types/{name}"},
	{models.ErrCallConflict, http.StatusConflict, codeIdempotencyConflict,
		"this Idempotency-Key was used before with another request; use a new key for a new request"},
	{models.ErrFinished, http.StatusConflict, codeDeliveryFinished, "the delivery has ended already"},
	{service.ErrWebhookDeleted, http.StatusConflict, codeWebhookInactive, "the webhook was deleted: its deliveries cannot be sent again"},
	{service.ErrWebhookInactive, http.StatusConflict, codeWebhookInactive,
		"the webhook is paused or disabled; set active to true first, with PATCH /api/webhooks/{id}"},
	{models.ErrKeyExpired, http.StatusUnauthorized, codeKeyExpired, "the key has expired: ask an administrator for a new one"},
	{models.ErrOwnerSuspended, http.StatusConflict, codeOwnerSuspended,
		"the owner is suspended and gets nothing; set active to true first, with PATCH /api/owners/{id}"},
	{models.ErrDefaultOwner, http.StatusConflict, codeDefaultOwner,
		"the owner default cannot be deleted: it has what administrators make without naming an owner; suspend it, or delete what it has"},
	{models.ErrExternalIDTaken, http.StatusConflict, codeExternalIDTaken, "another one has this external_id: choose another, or change that one"},
	{models.ErrLastAdminKey, http.StatusConflict, codeLastAdminKey, "no administrator's key that does not expire would be left; " +
		"make another first, with `postrider keys create --admin`, then revoke this one"},
}
