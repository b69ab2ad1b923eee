package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/postrider/postrider/models"
)

// The trail is kept in one place for all operations, so that none can forget it: what changes something is an entry
// when it has succeeded, under the ID of its operation. It is written behind the change and before the answer. A change
// whose entry cannot be written has happened all the same: the log then has the entry, as an error.

// auditTimeout bounds the writing of an entry. It goes on when the client hangs up.
const auditTimeout = 5 * time.Second

// auditAction is the member of an operation in the OpenAPI document that names its action in the trail.
const auditAction = "x-audit-action"

// auditExtension marks an operation for the trail: everything that changes something, but for publishing. An event is
// its own trail, and must not cost another row.
func auditExtension(operationID, method string) map[string]any {
	if method == http.MethodGet || method == http.MethodHead || strings.HasPrefix(operationID, "publish-") {
		return map[string]any{}
	}
	return map[string]any{auditAction: operationID}
}

// act is a request that is to become an entry.
type act struct {
	entry models.AuditEntry
	// body is what was read of the request's.
	body    bytes.Buffer
	written bool
}

type actKey struct{}

// audit makes an entry of each request that changed something.
func (s *server) audit(c huma.Context, next func(huma.Context)) {
	action, ok := c.Operation().Extensions[auditAction].(string)
	if !ok {
		next(c)
		return
	}
	who, request := whoAsks(c.Context()), humagin.Unwrap(c).Request
	act := &act{entry: models.AuditEntry{
		OwnerID: who.ownerID, Actor: who.keyID, Admin: who.admin(), Action: action, ObjectID: c.Param("id"),
		Address: clientOf(request, s.TrustedProxies).String(),
	}}
	if request.Body != nil {
		request.Body = teeBody{io.TeeReader(request.Body, &act.body), request.Body}
	}
	next(huma.WithValue(c, actKey{}, act))
	if status := c.Status(); status >= 200 && status < 300 {
		s.writeAct(c.Context(), act) // an answer without a body
	}
}

// teeBody keeps what is read of a body.
type teeBody struct {
	io.Reader
	io.Closer
}

// auditAnswer writes the entry of a request that has succeeded, before its answer is. What was made or changed is in
// the answer.
func (s *server) auditAnswer(c huma.Context, status string, answer any) (any, error) {
	act, ok := c.Context().Value(actKey{}).(*act)
	if !ok || status == "" || status[0] != '2' {
		return answer, nil
	}
	if id := textField(answer, "ID"); id != "" {
		act.entry.ObjectID = id
	}
	if act.entry.OwnerID == "" {
		act.entry.OwnerID = textField(answer, "OwnerID")
	}
	s.writeAct(c.Context(), act)
	return answer, nil
}

// textField is a field of an answer; empty when it has none of this name.
func textField(answer any, name string) string {
	value := reflect.Indirect(reflect.ValueOf(answer))
	if value.Kind() != reflect.Struct {
		return ""
	}
	field := value.FieldByName(name)
	if !field.IsValid() || field.Kind() != reflect.String {
		return ""
	}
	return field.String()
}

func (s *server) writeAct(ctx context.Context, act *act) {
	if act.written {
		return
	}
	act.written = true
	var members map[string]json.RawMessage
	if json.Unmarshal(act.body.Bytes(), &members) == nil {
		act.entry.Fields = slices.Sorted(maps.Keys(members))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	err := s.Store.RecordAudit(ctx, &act.entry)
	entry := act.entry
	log, attributes := s.Logger.InfoContext, []any{
		"action", entry.Action, "actor", entry.Actor, "object_id", entry.ObjectID, "owner_id", entry.OwnerID, "fields", entry.Fields,
		"address", entry.Address,
	}
	if err != nil {
		log, attributes = s.Logger.ErrorContext, append(attributes, "not_stored", err)
	}
	log(ctx, "audit", attributes...)
	s.countAct(ctx, entry.Action)
}

func (s *server) countAct(ctx context.Context, action string) {
	if s.Audited != nil {
		s.Audited(ctx, action)
	}
}

// auditFailedSignIn notes a request with a key that is not valid.
func (s *server) auditFailedSignIn(ctx context.Context, address string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	if err := s.Store.RecordFailedSignIn(ctx, address); err != nil {
		s.Logger.ErrorContext(ctx, "audit", "action", models.ActionSignInFailed, "address", address, "not_stored", err)
	}
	s.countAct(ctx, models.ActionSignInFailed)
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

// administrator is what owners see of who administers the installation.
const administrator = "administrator"

// auditObject shows an entry to who asks.
func auditObject(who principal) func(models.AuditEntry) AuditEntry {
	return func(m models.AuditEntry) AuditEntry {
		if m.Admin && !who.admin() {
			m.Actor, m.Address = administrator, ""
		}
		return AuditEntry{
			ID: m.ID, CreatedAt: m.CreatedAt.UTC(), Action: m.Action, Actor: orNull(m.Actor), OwnerID: orNull(m.OwnerID),
			ObjectID: orNull(m.ObjectID), Fields: m.Fields, Address: orNull(m.Address), Count: m.Count,
		}
	}
}

type listAuditInput struct {
	PageQuery
	Actor  []string  `query:"actor" maxItems:"20" doc:"Only what these keys did, by their IDs, separated by commas."`
	Action []string  `query:"action" maxItems:"20" doc:"Only these actions, separated by commas."`
	Since  time.Time `query:"since" doc:"Done at or after."`
	Until  time.Time `query:"until" doc:"Done before."`
}

func (s *server) registerAudit(api huma.API) {
	huma.Register(api, operation("list-audit", http.MethodGet, "/audit", "Audit", "List who did what", http.StatusOK), s.listAudit)
}

func (s *server) listAudit(ctx context.Context, in *listAuditInput) (*ListOutput[AuditEntry], error) {
	var wrong faults
	for name, values := range map[string][]string{"actor": in.Actor, "action": in.Action} {
		for _, value := range values {
			if value == "" || len(value) > 100 || !storable(value) {
				wrong.add("query."+name, "expected names separated by commas")
				break
			}
		}
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	who := whoAsks(ctx)
	filter := models.AuditFilter{Actors: in.Actor, Actions: in.Action, Since: in.Since, Until: in.Until}
	entries, next, err := s.Store.Audit(ctx, who.scope(), filter, in.page())
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return listOf(entries, next, auditObject(who)), nil
}
