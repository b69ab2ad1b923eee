package moving

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func read(t *testing.T, system, name string, choices Choices) []Endpoint {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	endpoints, err := Read(system, content, choices)
	require.NoError(t, err)
	return endpoints
}

// requireWebhook compares a webhook with the JSON that it goes out as.
func requireWebhook(t *testing.T, e Endpoint, want string) {
	t.Helper()
	got, err := json.Marshal(e.Webhook)
	require.NoError(t, err)
	require.JSONEq(t, want, string(got))
}

func TestSvix(t *testing.T) {
	t.Parallel()
	endpoints := read(t, Svix, "svix.jsonl", Choices{})
	require.Len(t, endpoints, 3)
	for i, e := range endpoints {
		require.Equal(t, i+1, e.Line)
		require.Empty(t, e.Fault)
	}
	e := endpoints[0]
	require.Equal(t, Owner{"acme", map[string]any{"name": "Acme Ltd", "metadata": map[string]any{"plan": "gold"}}}, e.Owner)
	require.Equal(t, "ep_2bXksJ5nA8QeYp4Lr6TzHcVbMwD", e.ID)
	requireWebhook(t, e, `{"url":"https://receiver.example/svix/orders","description":"Orders","events":["order.created","order.paid"],
		"secret":"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD","format":"raw","active":true,"rate_limit":20,
		"metadata":{"team":"billing"},"headers":{"X-Tenant":"acme"}}`)
	require.Empty(t, e.Hold)

	e = endpoints[1]
	require.Equal(t, "acme-all", e.ID)
	requireWebhook(t, e, `{"url":"https://receiver.example/svix/all","description":"","events":["*"],
		"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","format":"raw","active":false,"rate_limit":5}`)

	e = endpoints[2]
	require.Equal(t, "app_2bXkzB7mE1UhN4wYc8KsFqRgLdT", e.Owner.ExternalID)
	require.Equal(t, "Svix does not tell the values of the headers Authorization: set them", e.Hold)
	require.Equal(t, `"channel" in metadata && metadata["channel"] in ["project_123"]`, e.Webhook["filter"])
}

func TestConvoy(t *testing.T) {
	t.Parallel()
	endpoints := read(t, Convoy, "convoy.json", Choices{})
	require.Len(t, endpoints, 3)
	e := endpoints[0]
	require.Equal(t, 49, e.Line)
	require.Equal(t, Owner{"acme", map[string]any{"name": "acme"}}, e.Owner)
	require.Equal(t, "01HP7ZQ2ORDERS", e.ID)
	requireWebhook(t, e, `{"url":"https://receiver.example/convoy/simple","description":"orders","events":["order.created"],
		"secret":"9KTV0cGzFZMoMvYPTHGDXpC2b","format":"raw","active":true,"rate_limit":5,"timeout":"20s",
		"headers":{"X-Api-Key":"key-of-acme"},
		"signatures":[{"header":"X-Convoy-Signature","scheme":"hmac","hash":"sha256","encoding":"hex","prefix":"","signed":"{body}",
			"secret":"9KTV0cGzFZMoMvYPTHGDXpC2b"}]}`)
	require.Equal(t, []string{"only the secret without an end is carried over"}, e.Notes)

	e = endpoints[1]
	require.Equal(t, Owner{"01HP7ZN1ADVANCED", map[string]any{"name": "globex"}}, e.Owner, "published to by the endpoint's ID")
	requireWebhook(t, e, `{"url":"https://receiver.example/convoy/advanced","description":"Globex","events":["*"],
		"secret":"T4vcnsaRrQpmGHtAKZCtLGvrM","format":"raw","active":false,"timeout":"10s",
		"signatures":[{"header":"X-Convoy-Signature","scheme":"hmac","hash":"sha256","encoding":"hex","prefix":"t={timestamp},v1=",
			"signed":"{timestamp},{body}","secret":"T4vcnsaRrQpmGHtAKZCtLGvrM"}]}`)
	require.Empty(t, e.Hold)
	require.Equal(t, "its filter is in Convoy's language: set one in CEL", endpoints[2].Hold)
}

func TestConvoyAuthentication(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ authentication, adds, hold string }{
		"basic": {`{"type":"basic_auth","basic_auth":{"username":"u","password":"p"}}`,
			`{"auth":{"basic":{"username":"u","password":"p"}}}`, ""},
		"oauth2": {`{"type":"oauth2","oauth2":{"url":"https://id.example/token","client_id":"c","client_secret":"s","authentication_type":"shared_secret","scope":"a b"}}`,
			`{"auth":{"oauth2":{"token_url":"https://id.example/token","client_id":"c","client_secret":"s","scopes":["a","b"],"auth_method":"client_secret_post"}}}`, ""},
		"another grant": {`{"type":"oauth2","oauth2":{"authentication_type":"shared_secret","grant_type":"password"}}`, `{}`, "its OAuth2 server answers in a form of its own: set auth"},
		"assertion":     {`{"type":"oauth2","oauth2":{"authentication_type":"client_assertion"}}`, `{}`, "its OAuth2 client has no shared secret: set auth"},
		"unknown":       {`{"type":"kerberos"}`, `{}`, `its authentication "kerberos" is not known: set headers or auth`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var endpoint convoyEndpoint
			require.NoError(t, json.Unmarshal([]byte(test.authentication), &endpoint.Authentication))
			e := Endpoint{Webhook: map[string]any{}}
			e.convoyAuth(endpoint)
			requireWebhook(t, e, test.adds)
			require.Equal(t, test.hold, e.Hold)
		})
	}
}

func TestOutpost(t *testing.T) {
	t.Parallel()
	endpoints := read(t, Outpost, "outpost.jsonl", Choices{})
	require.Len(t, endpoints, 3)
	e := endpoints[0]
	require.Equal(t, 1, e.Line)
	require.Equal(t, Owner{"acme", map[string]any{"name": "acme", "metadata": map[string]any{"plan": "gold"}}}, e.Owner)
	require.Equal(t, "des_9vVxYb3k", e.ID)
	requireWebhook(t, e, `{"url":"https://receiver.example/outpost/orders","events":["order.created","order.paid"],
		"secret":"whsec_dGhlIHNlY3JldCBvZiBhY21lIHBsYWlu","format":"raw","active":true,
		"headers":{"x-api-key":"key-of-acme","x-outpost-region":"eu"},"metadata":{"team":"billing"},
		"signatures":[{"header":"x-outpost-signature","scheme":"hmac","hash":"sha256","encoding":"hex","prefix":"v0=","signed":"{body}",
			"secret":"whsec_dGhlIHNlY3JldCBvZiBhY21lIHBsYWlu"}]}`)
	require.Equal(t, 2, endpoints[1].Line)
	require.Equal(t, `type: is "aws_sqs"; only webhooks can be moved, Postrider sends HTTP`, endpoints[1].Fault)
	e = endpoints[2]
	require.Equal(t, 3, e.Line)
	require.Equal(t, []string{"*"}, e.Webhook["events"])
	require.Equal(t, "its filter is in Outpost's language: set one in CEL", e.Hold)
	require.Equal(t, []string{"the previous secret is not carried over: let its time end first"}, e.Notes)

	// An installation in the mode of Standard Webhooks needs no further header; another one may have a template of its own.
	require.NotContains(t, read(t, Outpost, "outpost.jsonl", Choices{Signature: map[string]any{}})[0].Webhook, "signatures")
	timed := map[string]any{"header": "x-acme-signature", "prefix": "t={timestamp},v0=", "signed": "{timestamp}.{body}"}
	e = read(t, Outpost, "outpost.jsonl", Choices{Signature: timed})[0]
	require.Equal(t, []any{map[string]any{
		"header": "x-acme-signature", "prefix": "t={timestamp},v0=", "signed": "{timestamp}.{body}", "scheme": "hmac",
		"secret": "whsec_dGhlIHNlY3JldCBvZiBhY21lIHBsYWlu",
	}}, e.Webhook["signatures"])
	require.NotContains(t, timed, "secret")
}

func TestHook0(t *testing.T) {
	t.Parallel()
	endpoints := read(t, Hook0, "hook0.json", Choices{Label: "tenant_id"})
	require.Len(t, endpoints, 2)
	e := endpoints[0]
	require.Equal(t, 2, e.Line)
	require.Equal(t, Owner{"acme", map[string]any{"name": "acme"}}, e.Owner)
	require.Equal(t, "1c9d8e7f-6a5b-4c3d-8e2f-1a0b9c8d7e6f", e.ID)
	requireWebhook(t, e, `{"url":"https://receiver.example/hook0/invoices","description":"Invoices","events":["billing.invoice.paid"],
		"secret":"b8f9a1d0-1c2b-4e3f-8a5d-6c7e8f9a0b1c","format":"raw","active":true,
		"headers":{"X-Api-Key":"key-of-acme"},"metadata":{"team":"billing"},
		"signatures":[{"header":"X-Hook0-Signature","scheme":"hmac","hash":"sha256","encoding":"hex",
			"prefix":"t={timestamp},h=content-type,v1=","signed":"{timestamp}.content-type.application/json.{body}",
			"secret":"b8f9a1d0-1c2b-4e3f-8a5d-6c7e8f9a0b1c"}]}`)
	require.Equal(t, 11, endpoints[1].Line)
	require.Equal(t, `target.method: is "PUT"; Postrider sends POST`, endpoints[1].Fault)
	require.Equal(t, `"region" in metadata && metadata["region"] == "eu \"west\""`, endpoints[1].Webhook["filter"])

	endpoints = read(t, Hook0, "hook0.json", Choices{})
	require.Equal(t, "8f1d3c0e-5a7b-4c2d-9e6f-0a1b2c3d4e5f", endpoints[0].Owner.ExternalID)
	require.Equal(t, `"tenant_id" in metadata && metadata["tenant_id"] == "acme"`, endpoints[0].Webhook["filter"])
	require.Equal(t, "labels: has no site, which is to name the owner",
		read(t, Hook0, "hook0.json", Choices{Label: "site"})[0].Fault)
}

func TestTable(t *testing.T) {
	t.Parallel()
	endpoints := read(t, CSV, "table.csv", Choices{})
	require.Len(t, endpoints, 6)
	e := endpoints[0]
	require.Equal(t, 2, e.Line)
	require.Equal(t, Owner{"acme", map[string]any{"name": "Acme Ltd"}}, e.Owner)
	require.Equal(t, "1001", e.ID)
	requireWebhook(t, e, `{"url":"https://receiver.example/table/orders","events":["order.created","order.paid"],
		"secret":"a-secret-of-the-old-system","description":"Orders, \"all\" of them","active":true,"format":"raw","rate_limit":0.5,
		"headers":{"X-Api-Key":"key-of-acme"},"metadata":{"team":"billing"}}`)
	requireWebhook(t, endpoints[1], `{"url":"https://receiver.example/table/all","events":["*"],
		"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","active":false,"format":"raw"}`)
	require.Equal(t, "external_id: missing; give the endpoint's ID, by which a second run finds it again", endpoints[2].Fault)
	require.Equal(t, "the row has 2 cells, the first row has 12; write a cell that holds a comma in quotes", endpoints[3].Fault)
	require.Equal(t, "external_id: stands on line 2 already; give each endpoint of an owner an ID of its own", endpoints[4].Fault)
	require.Equal(t, "column active: expected true or false", endpoints[5].Fault)

	// A spreadsheet's mark and line ends change nothing.
	content, err := os.ReadFile("testdata/table.csv")
	require.NoError(t, err)
	marked, err := Read(CSV, append([]byte("\uFEFF"), content...), Choices{})
	require.NoError(t, err)
	require.Equal(t, endpoints, marked)
}

func TestOwnForm(t *testing.T) {
	t.Parallel()
	endpoints := read(t, JSON, "postrider.json", Choices{})
	require.Len(t, endpoints, 3)
	e := endpoints[0]
	require.Equal(t, 2, e.Line)
	require.Equal(t, Owner{"acme", map[string]any{"name": "Acme Ltd", "email": "ops@acme.example"}}, e.Owner)
	requireWebhook(t, e, `{"url":"https://receiver.example/own/orders","events":["order.*"],"secret":"a-secret-of-the-old-system",
		"headers":{"X-Api-Key":"key-of-acme"},"retry_schedule":["1m","5m"],"rate_limit":2.5}`)
	require.Equal(t, 5, endpoints[1].Line)
	require.Equal(t, "globex", endpoints[1].Owner.ExternalID)
	require.Equal(t, 8, endpoints[2].Line)
	require.Equal(t, "owner: expected the owner's external_id, or an object with external_id, name and more", endpoints[2].Fault)
}

// A file that is not of its form says where, and what to change.
func TestFilesThatAreNot(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ system, content, says string }{
		"nothing":        {Svix, "", "there is no endpoint in the file"},
		"not JSON":       {Svix, "{\n  \"endpoint\": nothing}", `line 2, column 16: this is not JSON (invalid character 'o' in literal null (expecting 'u')); save the answer of the system as it comes`},
		"cut":            {Hook0, "[\n{\"secret\": \"a", "line 2: the file ends in the middle of its JSON; export it again"},
		"no table":       {CSV, "", "the file is empty; its first row names the columns"},
		"semicolons":     {CSV, "owner;external_id;url;secret\n", "line 1: cells are separated by something else than commas; save the table with commas"},
		"column":         {CSV, "owner,external_id,uri,secret\n", `line 1: there is no column "uri"; take owner, owner_name, owner_email, external_id, url, events, secret, description, active, format, rate_limit, timeout, filter, header.NAME or metadata.NAME`},
		"twice":          {CSV, "owner,owner\n", `line 1: the column "owner" is there twice`},
		"column missing": {CSV, "owner,external_id,url\n", "line 1: the column secret is missing"},
		"quote":          {CSV, "owner,external_id,url,secret\na,b,c\"d,e\n", `line 2, column 6: a quote stands in the middle of a cell; write the whole cell in quotes, and "" for each quote in it`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(test.system, []byte(test.content), Choices{})
			require.EqualError(t, err, test.says)
		})
	}
}

// An endpoint that is not of its form says which field, and what it should be.
func TestEndpointsThatAreNot(t *testing.T) {
	t.Parallel()
	const (
		convoyEndpoints = `"endpoints":[{"uid":"e","owner_id":"o","url":"https://a.example","secrets":[{"value":"0123456789abcdef"}]%s}]`
		subscription    = `"subscriptions":[{"uid":"s","endpoint_metadata":{"uid":"e"}%s}]`
	)
	for name, test := range map[string]struct{ system, content, says string }{
		"number for text":     {Svix, `{"secret":{"key":5}}`, "secret.key: expected a text, not number"},
		"text for number":     {Svix, `{"endpoint":{"rateLimit":"5"}}`, "endpoint.rateLimit: expected a number, not string"},
		"object for list":     {Svix, `{"endpoint":{"filterTypes":{}}}`, "endpoint.filterTypes: expected a list, not object"},
		"text for object":     {Svix, `{"endpoint":"ep_1"}`, "endpoint: expected an object, not string"},
		"not an object":       {Svix, `5`, "expected an object, not number"},
		"no owner":            {Svix, `{}`, "owner: missing; say whose endpoint it is"},
		"no secret":           {Svix, `{"application":{"id":"a"},"endpoint":{"id":"e","url":"https://a.example"}}`, "secret: missing; without it the receiver would refuse what Postrider signs. Export it too"},
		"no URL":              {Svix, `{"application":{"id":"a"},"endpoint":{"id":"e"},"secret":{"key":"k"}}`, "url: missing"},
		"topics":              {Outpost, `{"tenant":{"id":"a"},"destinations":[{"topics":5}]}`, "topics: expected a list, not number"},
		"headers":             {Outpost, `{"tenant":{"id":"a"},"destinations":[{"type":"webhook","config":{"custom_headers":"x: y"}}]}`, "config.custom_headers: expected a JSON object of texts"},
		"no destinations":     {Outpost, `{"id":"a"}`, "destinations: missing; expected an object with tenant and destinations"},
		"no subscriptions":    {Convoy, `{"endpoints":[]}`, "subscriptions: missing; they say which events an endpoint gets"},
		"no endpoints":        {Convoy, `[{}]`, "endpoints: missing; expected an object with project, endpoints and subscriptions"},
		"unknown endpoint":    {Convoy, `{"endpoints":[],"subscriptions":[{"uid":"s","endpoint_metadata":{"uid":"e"}}]}`, "endpoint_metadata.uid: is not among the endpoints of the file; export all their pages"},
		"timeout":             {Convoy, `{"endpoints":[{"uid":"e","http_timeout":"soon"}],"subscriptions":[{"uid":"s","endpoint_id":"e"}]}`, "endpoint e: http_timeout: expected a number of seconds or a duration such as 10s, not something else"},
		"of the command line": {Convoy, `{` + fmt.Sprintf(convoyEndpoints, "") + `,` + fmt.Sprintf(subscription, `,"type":"cli"`) + `}`, "type: is cli; only subscriptions with an endpoint can be moved"},
		"forms":               {Convoy, `{` + fmt.Sprintf(convoyEndpoints, `,"content_type":"application/x-www-form-urlencoded"`) + `,` + fmt.Sprintf(subscription, "") + `}`, "content_type: is application/x-www-form-urlencoded; Postrider sends JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoints, err := Read(test.system, []byte(test.content), Choices{})
			require.NoError(t, err)
			require.Len(t, endpoints, 1)
			require.Equal(t, test.says, endpoints[0].Fault)
		})
	}
}
