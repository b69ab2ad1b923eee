package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// maxBody bounds a request body: 1 MiB.
const maxBody = 1 << 20

// operation describes one call.
type operation struct {
	// ID names the operation in the OpenAPI document and, when it changes something, in the audit trail.
	ID           string
	Method, Path string
	Tag, Summary string
	// Status is that of a success.
	Status int
	// AlsoCreates says that a success may be a 201 too.
	AlsoCreates bool
	// InOneCommit says of a POST that all it does is in the database: with an Idempotency-Key, its answer is committed with it.
	InOneCommit bool
	// Errors are the statuses that it answers beside the usual ones. One with 403 among them is for administrators only;
	// the key of a suspended owner gets 403 from all.
	Errors []int
	// Large says that an answer may have megabytes.
	Large bool
	// MaxBody bounds the body, in bytes; 0 for maxBody. RawBody says that the handler itself reads it.
	MaxBody int64
	RawBody bool
}

// register adds an operation. Its handler gets who asks, and returns errors: they are answered and logged here alone.
func register[I, O any](s *server, api huma.API, of operation, handle func(ctx context.Context, who service.Caller, in *I) (*O, error)) {
	huma.Register(api, of.described(), func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, whoAsks(ctx), in)
		if err != nil {
			return nil, s.fail(ctx, of.located(err))
		}
		return out, nil
	})
}

// fieldsElsewhere are the fields that a request has neither in its query nor in its body.
var fieldsElsewhere = map[string]string{"idempotency_key": "header.Idempotency-Key", "id": "path.id", "path name": "path.name"}

// located says of wrong fields where in the request they are.
func (of operation) located(err error) error {
	if of.Method == http.MethodGet {
		return located(err, "query.")
	}
	return located(err, "body.")
}

// located says of wrong fields that they are in a part of the request.
func located(err error, place string) error {
	var wrong service.FieldsError
	if !errors.As(err, &wrong) {
		return err
	}
	fields := make([]FieldError, len(wrong))
	for i, field := range wrong {
		fields[i] = FieldError{place + field.Location, field.Message}
		if elsewhere, ok := fieldsElsewhere[field.Location]; ok {
			fields[i].Location = elsewhere
		}
	}
	return invalidFields(fields...)
}

// largeAnswers is the mark of an operation whose answers may have megabytes.
const largeAnswers = "large"

// described is the operation as huma needs it.
func (of operation) described() huma.Operation {
	marks := map[string]any{largeAnswers: of.Large, alsoCreates: of.AlsoCreates}
	var parameters []*huma.Param
	if of.idempotent() {
		parameters = []*huma.Param{idempotencyParameter()}
		marks[answersOnce] = of.InOneCommit
		of.Errors = append(slices.Clone(of.Errors), http.StatusConflict)
	}
	return huma.Operation{
		OperationID: of.ID, Method: of.Method, Path: of.Path, Tags: []string{of.Tag}, Summary: of.Summary,
		Description:   descriptionOf[of.needs()],
		DefaultStatus: of.Status, MaxBodyBytes: cmp.Or(of.MaxBody, maxBody) + 1, // huma refuses what reaches its bound
		SkipValidateBody: of.RawBody,
		BodyReadTimeout:  -1, // timedBody has one
		Errors: append([]int{
			http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable,
		}, of.Errors...),
		Extensions: of.extensions(),
		Parameters: parameters,
		Metadata:   marks,
	}
}

// neededRole is the member of an operation in the OpenAPI document that names the role that a key needs for it; full will do
// for all.
const neededRole = "x-needed-role"

// descriptionOf says who may call an operation.
var descriptionOf = map[models.Role]string{
	models.RoleFull: "For keys with the role full.", models.RolePublish: "For keys with the role full or publish.",
	models.RoleRead: "For keys with the role full or read.",
}

// needs is the role that a key needs, beside full. Whatever is not said to be for others is for keys of role full alone.
func (of operation) needs() models.Role {
	switch {
	case publishes(of.ID):
		return models.RolePublish
	case of.Method == http.MethodGet:
		return models.RoleRead
	}
	return models.RoleFull
}

// checkRole lets a request through whose key has a role that the operation is for.
func (s *server) checkRole(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		needed, _ := c.Operation().Extensions[neededRole].(models.Role)
		who := whoAsks(c.Context())
		if err := errors.Join(checkPortal(who, c.Operation().OperationID), who.May(needed)); err != nil {
			s.refuse(api, c, s.fail(c.Context(), err))
			return
		}
		next(c)
	}
}

// adminsOnly is the member of an operation in the OpenAPI document that says that only administrators may call it.
const adminsOnly = "x-administrators-only"

// extensions are what the OpenAPI document says of an operation beyond the standard.
func (of operation) extensions() map[string]any {
	members := auditExtension(of.ID, of.Method)
	members[neededRole] = of.needs()
	if slices.Contains(of.Errors, http.StatusForbidden) {
		members[adminsOnly] = true
	}
	return members
}

// alsoCreates is the mark of an operation that answers 201 when it makes something.
const alsoCreates = "also-creates"

// documentCreation lists the 201 of an operation that also creates.
func documentCreation(_ *huma.OpenAPI, op *huma.Operation) {
	if op.Metadata[alsoCreates] == true {
		response := *op.Responses[strconv.Itoa(http.StatusOK)]
		response.Description = http.StatusText(http.StatusCreated)
		op.Responses[strconv.Itoa(http.StatusCreated)] = &response
	}
}

// documentBodyErrors lists what every operation with a body can answer: that it is not JSON, comes too slowly, or is
// too large.
func documentBodyErrors(_ *huma.OpenAPI, op *huma.Operation) {
	if op.RequestBody == nil {
		return
	}
	for _, status := range []int{http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge} {
		response := *op.Responses[strconv.Itoa(http.StatusUnprocessableEntity)]
		response.Description = http.StatusText(status)
		op.Responses[strconv.Itoa(status)] = &response
	}
}
