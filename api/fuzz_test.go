package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
)

// hostile are texts that programs and databases have stumbled over.
var hostile = []string{
	"", "\x00", "a\x00b", "\xff\xfe", "a\r\nb: c", `' OR 1=1 --`, `{{.}}${x}%s%n`, strings.Repeat("x", 5000), "\U0001F600", "-1", "%",
	"9999-99-99T99:99:99Z", "0000-01-01T00:00:00Z", "9999999999999999999999", "..", "null",
}

// hostileBodies are bodies, not of JSON objects with the right fields.
var hostileBodies = []string{
	`null`, `[]`, `[{}]`, `1e999`, `"x"`, `{`, `{}{}`, `{"":""}`, `{"a":1,"a":2}`, "\xef\xbb\xbf{}", `<a/>`, "\x00",
	strings.Repeat("[", 20_000), strings.Repeat(`{"a":`, 20_000), `{"` + strings.Repeat("x", 5000) + `":1}`,
}

// hostileHeaders are lines of a request's head.
var hostileHeaders = []string{
	"Authorization: Bearer", "Authorization: Bearer \x80", "Authorization: Basic YTpi", "Authorization: Bearer a\r\nAuthorization: Bearer b",
	"Content-Type: text/xml", "Content-Type: \x80", "Content-Type: application/json; charset=utf-16", "Content-Encoding: gzip",
	"Accept: text/html", "Accept: \x80;q=x", "Accept: */*;q=0", "Expect: 100-continue", "Transfer-Encoding: chunked",
	"If-Match: *", "If-None-Match: *", "Range: bytes=0-1", "X-Forwarded-For: \x80", "X-HTTP-Method-Override: DELETE", "Host: \x80",
	"Idempotency-Key: " + strings.Repeat("k", 256), "Idempotency-Key: \x80", "Idempotency-Key: a b",
}

// No request is Postrider's fault, whatever is in it, and no refusal gives a secret away. PostgreSQL is the stricter of
// the databases. The seeds are made of the OpenAPI document; more are in testdata/fuzz.
//
// A request goes to the operation of the given ID, or to some operation. An empty id, and $wh and the like in all but the
// operation, stand for the ID of something that is there.
func FuzzOperations(f *testing.F) {
	document := readDocument(f)
	operations := map[string]template{}
	for _, of := range document.operations() {
		made := newTemplate(f, document, of)
		operations[of.OperationID] = made
		addSeeds(f, document, made)
	}
	ids := slices.Sorted(maps.Keys(operations))
	s := newServiceOn(f, storetest.Postgres(f))
	holder := s.newTenant("a")
	f.Fuzz(func(t *testing.T, asAdmin bool, id, thing, query, header, body string) {
		of, known := operations[id]
		if !known {
			hash := fnv.New32()
			_, _ = hash.Write([]byte(id))
			of = operations[ids[hash.Sum32()%uint32(len(ids))]]
		}
		s := s.in(t)
		s.deliver()
		request := of.write(holder, asAdmin, thing, query, header, body)
		read, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request)))
		if err != nil {
			return // net/http refuses it
		}
		recorder := httptest.NewRecorder()
		s.handler.ServeHTTP(recorder, read.WithContext(t.Context()))
		answer := reply{t, recorder.Code, recorder.Header(), recorder.Body.String()}

		require.Less(t, answer.status, http.StatusInternalServerError, "%s: %s", request, answer.body)
		require.NoError(t, s.promises.check(read.Method, read.URL.Path, answer), request)
		if answer.status >= http.StatusBadRequest {
			require.Equal(t, "application/problem+json", answer.header.Get("Content-Type"), request)
			var problem problem
			require.NoError(t, json.Unmarshal([]byte(answer.body), &problem), answer.body)
			answer.problem(answer.status, problem.Code)
			for _, secret := range []string{adminKey, holder.key, sourceSecret} {
				require.NotContains(t, answer.body, secret, request)
			}
		}
		if read.Method == http.MethodDelete && answer.status < 300 {
			holder = s.newTenant("a") // for those to come
		}
	})
}

// write writes a request as it goes over the wire.
func (o template) write(holder tenant, asAdmin bool, thing, query, header, body string) string {
	path, key := o.Path, holder.key
	for _, at := range o.names {
		if at.in == "path" {
			id := thing
			if id == "" {
				id = holder.ids[at.kind]
			}
			path = strings.Replace(path, "{"+at.name+"}", id, 1)
		}
	}
	if asAdmin {
		key = adminKey
	}
	var ids []string
	for kind, id := range holder.ids {
		ids = append(ids, "$"+string(kind), id)
	}
	there := strings.NewReplacer(ids...)
	body = there.Replace(body)
	lines := []string{o.Method + " " + there.Replace(path) + "?" + there.Replace(query) + " HTTP/1.1", "Host: postrider.example"}
	if header != "" {
		lines = append(lines, there.Replace(header))
	}
	lines = append(lines, "Authorization: Bearer "+key, fmt.Sprint("Content-Length: ", len(body)), "", body)
	return strings.Join(lines, "\r\n")
}

// addSeeds adds a request that is as it should be, and others with something hostile in one place each.
func addSeeds(f *testing.F, document document, of template) {
	add := func(thing, query, header, body string) { f.Add(true, of.OperationID, thing, query, header, body) }
	f.Add(false, of.OperationID, "", "", "", of.body)
	add("", "", "", of.body)
	for _, text := range hostile {
		add(url.PathEscape(text)+"x", "", "", of.body)
		add("", url.QueryEscape(text)+"="+url.QueryEscape(text), "", of.body)
		for _, parameter := range of.Parameters {
			if parameter.In == "query" {
				add("", parameter.Name+"="+url.QueryEscape(text), "", of.body)
			}
		}
	}
	for _, header := range hostileHeaders {
		add("", "", header, of.body)
	}
	if of.body == "" {
		add("", "", "", "{}")
		return
	}
	for _, body := range append(hostileBodies, "") {
		add("", "", "", body)
	}
	fields := document.fields(of.operation)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		values := []string{"null", "true", "-1", "1e999", "[]", "[null]", "{}", `{"a":{}}`, `{"a":null}`}
		for _, text := range hostile {
			quoted := jsonText(text)
			values = append(values, quoted)
			if fields[field].is("array") {
				values = append(values, "["+quoted+"]")
			}
			if fields[field].is("object") {
				values = append(values, `{"X-A":`+quoted+`}`, `{`+quoted+`:"x"}`)
			}
		}
		for _, value := range values {
			// The last of two members with one name counts.
			add("", "", "", strings.TrimSuffix(of.body, "}")+`,"`+field+`":`+value+"}")
		}
	}
}

// jsonText writes a text as JSON, with its bytes as they are where JSON does not forbid them.
func jsonText(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\x00", `\u0000`, "\r", `\r`, "\n", `\n`).Replace(value) + `"`
}
