package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// auditAction is the member of an operation in the OpenAPI document that names its action in the audit trail.
const auditAction = "x-audit-action"

// auditExtension marks an operation that leaves an entry in the trail: everything that changes something, but for
// publishing and trying.
func auditExtension(operationID, method string) map[string]any {
	if method == http.MethodGet || method == http.MethodHead || publishes(operationID) || tries(operationID) {
		return map[string]any{}
	}
	return map[string]any{auditAction: operationID}
}

// publishes says whether an operation does nothing but publish events.
func publishes(operationID string) bool { return strings.HasPrefix(operationID, "publish-") }

// tries says whether an operation only says what would be, and changes nothing.
func tries(operationID string) bool { return strings.HasPrefix(operationID, "try-") }

// noteForTrail adds to the caller, where an entry is to be written, the address and the names of the body's fields.
func (s *server) noteForTrail(c huma.Context, next func(huma.Context)) {
	if _, ok := c.Operation().Extensions[auditAction]; !ok {
		next(c)
		return
	}
	who, request, body := whoAsks(c.Context()), humagin.Unwrap(c).Request, &bytes.Buffer{}
	if request.Body != nil {
		request.Body = teeBody{io.TeeReader(request.Body, body), request.Body}
	}
	who.Address = clientOf(request, s.TrustedProxies).String()
	who.Fields = func() []string {
		var members map[string]json.RawMessage
		if json.Unmarshal(body.Bytes(), &members) != nil {
			return nil
		}
		return slices.Sorted(maps.Keys(members))
	}
	next(huma.WithValue(c, callerKey{}, who))
}

// teeBody keeps what is read of a body.
type teeBody struct {
	io.Reader
	io.Closer
}

// AuditEntry says that someone did something.
type AuditEntry struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	Action    string    `json:"action" doc:"The ID of the operation, such as update-webhook; also sign-in-failed, and what the command line did."`
	Actor     *string   `json:"actor" doc:"The ID of the key; null when it is not known. Owners see administrator for every administrator."`
	OwnerID   *string   `json:"owner_id" doc:"Whose thing it was about; null for the installation's."`
	ObjectID  *string   `json:"object_id" doc:"What it was about."`
	Fields    []string  `json:"fields" doc:"The names of the fields that the request set."`
	Address   *string   `json:"address" doc:"Where it came from: an address, or the network of an IPv6 address for failed sign-ins. Owners do not see an administrator's."`
	Count     int64     `json:"count" doc:"How often it happened: failed sign-ins of one address and minute are one entry."`
}

func auditObject(m models.AuditEntry) AuditEntry {
	return AuditEntry{
		ID: m.ID, CreatedAt: m.CreatedAt.UTC(), Action: m.Action, Actor: orNull(m.Actor), OwnerID: orNull(m.OwnerID),
		ObjectID: orNull(m.ObjectID), Fields: m.Fields, Address: orNull(m.Address), Count: m.Count,
	}
}

type listAuditInput struct {
	PageQuery
	Actor  []string `query:"actor" maxItems:"20" doc:"Only what these keys did, by their IDs, separated by commas."`
	Action []string `query:"action" maxItems:"20" doc:"Only these actions, separated by commas."`
	Since  Time     `query:"since" doc:"Done at or after."`
	Until  Time     `query:"until" doc:"Done before."`
}

func (s *server) registerAudit(api huma.API) {
	register(s, api, operation{
		ID: "list-audit", Method: http.MethodGet, Path: "/audit", Tag: "Audit", Summary: "List who did what", Status: http.StatusOK,
	}, s.listAudit)
}

func (s *server) listAudit(ctx context.Context, who service.Caller, in *listAuditInput) (*ListOutput[AuditEntry], error) {
	filter := models.AuditFilter{Actors: in.Actor, Actions: in.Action, Since: in.Since.Time, Until: in.Until.Time}
	entries, beside, err := s.Service.ListAudit(ctx, who, filter, in.page())
	return listOf(entries, beside, auditObject), err
}
