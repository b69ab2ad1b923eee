package api_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// collections say what the {id} behind a word of a path is the ID of.
var collections = map[string]typeid.Kind{
	"deliveries": typeid.KindDelivery, "events": typeid.KindEvent, "inbound-events": typeid.KindInbound, "keys": typeid.KindKey,
	"owners": typeid.KindOwner, "recoveries": typeid.KindRecovery, "sources": typeid.KindSource, "webhooks": typeid.KindWebhook,
}

// installations are what belongs to the installation, with the name of one that every test has.
var installations = map[string]string{"event-types": "kept.type"}

// idFields are the parameters and fields that hold an ID.
var idFields = map[string]typeid.Kind{
	"event_id": typeid.KindEvent, "owner_id": typeid.KindOwner, "source_id": typeid.KindSource, "webhook_id": typeid.KindWebhook,
	"webhook_ids": typeid.KindWebhook,
}

// textFields are the parameters and fields of free text that name nothing which belongs to an owner.
var textFields = []string{
	"action", "actor", "cursor", "data", "delay", "description", "email", "event", "event_prefix", "event_type", "encoding", "example", "group", "schema", "events", "expires_in", "external_id", "filter", "grace", "hash", "header", "headers",
	"auth", "format", "signatures", "signing", "timeout", "tls",
	"id_field", "id_header", "idempotency_key",
	"metadata", "name", "prefix", "retry_schedule", "secret", "secrets", "scheme", "signed", "slack_url", "timestamp_header", "tolerance", "transform", "type", "type_field", "type_header", "url", "verify_token",
}

const sourceSecret = "kept-0123456789abcdef"

// bodies are accepted ones, for every operation that takes a body, and change something.
var bodies = map[string]string{
	"create-event-type":  `{"name":"new","description":"new","schema":{"type":"object"},"example":{}}`,
	"import-event-types": `{"openapi":"3.1.0","webhooks":{"new":{"post":{"requestBody":{"content":{"application/json":{"schema":true}}}}}}}`,
	"put-event-type":     `{"description":"changed"}`,
	"test-webhook":       `{"event_type":"kept.type"}`,
	"create-portal-link": `{"expires_in":"10m"}`,
	"create-key":         `{"expires_in":"720h"}`,
	"create-owner":       `{"name":"new"}`,
	"create-source":      `{"name":"new","scheme":"github","secret":"` + sourceSecret + `"}`,
	"create-webhook":     `{"url":"https://example.com/new","events":["new"]}`,
	"put-owner":          `{"name":"changed"}`,
	"publish-event":      `{"event":"new","data":{}}`,
	"recover-webhook":    `{"since":"2020-01-01T00:00:00Z"}`,
	"rotate-secret":      `{"grace":"0s"}`,
	"try-filter":         `{"filter":"data.n > 1","transform":"{\"n\": data.n}","event":{"event":"new","data":{"n":2}}}`,
	"update-owner":       `{"name":"changed"}`,
	"update-source":      `{"name":"changed"}`,
	"update-webhook":     `{"url":"https://example.com/changed"}`,
	"publish-events":     `{"events":[{"event":"new","data":{}}]}`,
}

// changesNothing are the operations that only try something.
var changesNothing = []string{"try-filter"}

// template is an operation with all that can name a thing in it.
type template struct {
	operation

	names []name
	body  string
}

// name is a place of a request that holds an ID.
type name struct {
	in, name string
	kind     typeid.Kind
	// list says that the place holds a list of IDs.
	list bool
	// of is the field with the list of objects of which the first has the place; empty when the body has it.
	of string
}

func (n name) String() string { return n.in + " " + n.name }

// newTemplate fails the test for what it does not know, so that nothing new escapes the tests that are made of templates.
func newTemplate(t testing.TB, document document, of operation) template {
	t.Helper()
	made := template{operation: of, body: bodies[of.OperationID]}
	for of, kept := range installations {
		made.Path = regexp.MustCompile("/"+of+`/{\w+}`).ReplaceAllString(made.Path, "/"+of+"/"+kept)
	}
	for _, match := range regexp.MustCompile(`([\w-]+)/{(\w+)}`).FindAllStringSubmatch(made.Path, -1) {
		kind, known := collections[match[1]]
		require.True(t, known, "%s names a thing in %q: add to collections of what kind it is, and to newTenant one for each owner",
			of, match[0])
		made.names = append(made.names, name{in: "path", name: match[2], kind: kind})
	}
	require.Len(t, made.names, strings.Count(made.Path, "{"), "%s: each {id} of a path stands behind the name of its collection", of)
	place := func(in, of string, schema schema) {
		kind, known := idFields[of]
		switch {
		case known:
			made.names = append(made.names, name{in: in, name: of, kind: kind, list: document.resolve(schema).is("array")})
		case document.canName(schema):
			require.Contains(t, textFields, of, "the %s of %s has the free text %q: add it to idFields if it is the ID of a thing, else to textFields",
				in, made, of)
		}
	}
	for _, parameter := range of.Parameters {
		if parameter.In == "query" {
			place("query", parameter.Name, parameter.Schema)
		}
	}
	fields := document.fields(of)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		items := document.itemFields(fields[field])
		if len(items) == 0 {
			place("body", field, fields[field])
			continue
		}
		before := len(made.names)
		for _, item := range slices.Sorted(maps.Keys(items)) {
			place("body", item, items[item])
		}
		for i := range made.names[before:] {
			made.names[before+i].of = field
		}
	}
	if len(of.RequestBody.Content) > 0 {
		require.NotEmpty(t, made.body, "%s takes a body: add to bodies one for %q that it accepts", of, of.OperationID)
	}
	return made
}

// canName says whether a value of the schema may hold the ID of a thing: free text, or what may have it within.
func (d document) canName(of schema) bool {
	of = d.resolve(of)
	switch {
	case of.is("integer"), of.is("number"), of.is("boolean"):
		return false
	case of.is("string"):
		return len(of.Enum) == 0 && of.Format == ""
	case of.is("array"):
		return d.canName(*of.Items)
	}
	return true
}

// fill makes the request of a template: its path names what the holder has, and the place that is given, if any, id.
func (s *server) fill(of template, key string, holder tenant, at name, id string, more ...string) reply {
	s.t.Helper()
	path, query, body := of.Path, "", of.body
	for _, place := range of.names {
		value := holder.ids[place.kind]
		if place == at {
			value = id
		}
		switch {
		case place.in == "path":
			path = strings.Replace(path, "{"+place.name+"}", value, 1)
		case place != at:
			// Optional: left out.
		case place.in == "query":
			query = "?" + place.name + "=" + url.QueryEscape(value)
		case place.in == "body":
			var members map[string]any
			require.NoError(s.t, json.Unmarshal([]byte(body), &members))
			holds := members
			if place.of != "" {
				holds = members[place.of].([]any)[0].(map[string]any)
			}
			if holds[place.name] = value; place.list {
				holds[place.name] = []string{value}
			}
			changed, err := json.Marshal(members)
			require.NoError(s.t, err)
			body = string(changed)
		}
	}
	return s.call(key, of.Method, path+query, body, more...)
}

// tenant is an owner who has one thing of every kind.
type tenant struct {
	key string
	ids map[typeid.Kind]string
	// externalID is another name of the owner.
	externalID string
	// more are IDs that nothing is asked for by, and that nobody else may see all the same.
	more []string
}

func (s *server) newTenant(name string) tenant {
	s.t.Helper()
	ownerID, key := s.owner(name)
	externalID := "customer" + strings.TrimPrefix(ownerID, "own")
	s.admin(http.StatusOK, "PATCH", "/api/owners/"+ownerID, `{"external_id":"`+externalID+`","metadata":{"plan":"`+name+`'s"}}`)
	keys, err := s.store.APIKeys(s.t.Context(), models.Scope{OwnerID: ownerID})
	require.NoError(s.t, err)
	s.call(adminKey, "PUT", "/api/event-types/kept.type", `{"example":{"n":1}}`)
	webhookID := s.webhook(key, "*")
	source := s.call(key, "POST", "/api/sources", bodies["create-source"]).is(http.StatusCreated).object()
	published := s.call(key, "POST", "/api/events", `{"event":"a","data":"`+name+`"}`).is(http.StatusAccepted).object()
	eventID := text(s.t, published, "id")
	items, _ := s.call(key, "GET", "/api/deliveries?event_id="+eventID, "").is(http.StatusOK).list()
	require.Len(s.t, items, 1)
	deliveryID := text(s.t, items[0], "id")
	s.attempt(deliveryID, models.StatusFailed)
	attempts, err := s.store.Attempts(s.t.Context(), deliveryID)
	require.NoError(s.t, err)
	inbound := models.InboundEvent{SourceID: text(s.t, source, "id"), OwnerID: ownerID, ProviderID: name, Body: []byte(`{}`)}
	_, err = s.store.StoreInbound(s.t.Context(), &inbound)
	require.NoError(s.t, err)
	// One that has ended, so that the webhook can have another, and one that can be steered.
	s.recovery(ownerID, webhookID, models.RecoveryCancelled)
	recoveryID := s.recovery(ownerID, s.webhook(key, "none"), models.RecoveryRunning)
	s.admin(http.StatusCreated, "POST", "/api/owners/"+ownerID+"/portal", "")
	return tenant{
		key: key, externalID: externalID,
		ids: map[typeid.Kind]string{
			typeid.KindOwner: ownerID, typeid.KindKey: keys[0].ID, typeid.KindWebhook: webhookID, typeid.KindEvent: eventID,
			typeid.KindDelivery: deliveryID, typeid.KindSource: inbound.SourceID, typeid.KindInbound: inbound.ID,
			typeid.KindRecovery: recoveryID,
		},
		more: []string{attempts[0].ID},
	}
}

// recovery stores a recovery of a webhook's deliveries and returns its ID.
func (s *server) recovery(ownerID, webhookID string, status models.RecoveryStatus) string {
	s.t.Helper()
	now := s.store.Now()
	recovery := models.Recovery{WebhookID: webhookID, OwnerID: ownerID, Since: now.Add(-time.Hour), Until: now,
		Include: models.IncludeFailed, Rate: 1,
	}
	require.NoError(s.t, s.store.CreateRecovery(s.t.Context(), &recovery))
	if status != models.RecoveryRunning {
		_, err := s.store.SetRecoveryStatus(s.t.Context(), recovery.ID, status, "")
		require.NoError(s.t, err)
	}
	return recovery.ID
}

func (o tenant) all() []string {
	return append(append(slices.Sorted(maps.Values(o.ids)), o.externalID), o.more...)
}

// namesOf are what a thing of the tenant's is called by.
func (o tenant) namesOf(kind typeid.Kind) []string {
	if kind == typeid.KindOwner {
		return []string{o.ids[kind], o.externalID}
	}
	return []string{o.ids[kind]}
}

// unknownAs is a name like the given one, of nothing.
func (s *server) unknownAs(kind typeid.Kind, given string) string {
	if unknown := typeid.New(kind, s.store.Now()); typeid.Check(kind, given) == nil {
		return unknown
	}
	return "nobody"
}

// No key reaches another owner's things, by any operation of the document and any place of it that can name a thing:
// the answer is the same as if there was none, and nothing changes.
func TestNoOperationReachesAnotherOwner(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	for _, of := range document.operations() {
		t.Run(of.OperationID, func(t *testing.T) {
			t.Parallel()
			of := newTemplate(t, document, of)
			s := newService(t)
			s.deliver()
			theirs, mine := s.newTenant("theirs"), s.newTenant("mine")
			// Of this event, both have a delivery.
			s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"a","data":"everyone's","broadcast":true}`)
			s.settle()
			before := s.state()
			for _, at := range of.names {
				for _, named := range theirs.namesOf(at.kind) {
					s.refuses(of, mine, at, named)
				}
			}
			if of.forAdmins() && len(of.names) == 0 {
				s.fill(of, mine.key, mine, name{}, "").problem(http.StatusForbidden, "forbidden")
			}
			require.Empty(t, difference(before, s.state()), "nothing changes")

			// What is mine I get, and nothing of the other's with it.
			replies := []reply{s.fill(of, mine.key, mine, name{}, "")}
			if of.isList() {
				for _, id := range theirs.all() {
					cursor := base64.RawURLEncoding.EncodeToString([]byte(id))
					replies = append(replies, s.call(mine.key, of.Method, of.Path+"?cursor="+cursor, ""))
				}
			}
			for _, reply := range replies {
				for _, id := range theirs.all() {
					require.NotContains(t, reply.body, id)
				}
			}

			// The requests were good ones: to who may make them they do something.
			who := theirs.key
			if of.forAdmins() {
				who = adminKey
			} else {
				require.Less(t, replies[0].status, 300, replies[0].body)
			}
			before = s.state()
			for _, at := range append(of.names, name{}) {
				if at.in == "path" {
					continue
				}
				for _, named := range theirs.namesOf(at.kind) {
					reply := s.fill(of, who, theirs, at, named)
					require.Less(t, reply.status, 300, "%s of one's own: %s", at, reply.body)
					if at.of != "" {
						require.NotContains(t, reply.body, `"error":{`, "%s of one's own", at)
					}
					if of.isList() {
						require.NotEmpty(t, reply.found(), "%s of one's own", at)
					}
				}
			}
			if of.Method != http.MethodGet && !slices.Contains(changesNothing, of.OperationID) {
				changed := slices.DeleteFunc(difference(before, s.state()), func(line string) bool { return strings.HasPrefix(line, "+audit ") })
				require.NotEmpty(t, changed, "something changes")
			}
		})
	}
}
