package moving

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The scripts of the document make exports that are read as those of the tests: they are run against answers of the form
// that the systems give, in pages.
func TestScriptsOfTheDocument(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"sh", "curl", "jq"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: the scripts of docs/moving-in.md are not run", program)
		}
	}
	for system, test := range map[string]struct {
		export, holding, made string
		answers               func(t *testing.T) map[string]string
		environment           []string
	}{
		Svix:    {"svix.jsonl", "SVIX_URL", "svix.jsonl", svixAnswers, nil},
		Convoy:  {"convoy.json", "CONVOY_URL", "convoy.json", convoyAnswers, []string{"PROJECT=p1"}},
		Outpost: {"outpost.jsonl", "OUTPOST_URL", "outpost.jsonl", outpostAnswers, []string{"TENANTS=acme globex"}},
		Hook0:   {"hook0.json", "HOOK0_URL", "hook0.json", hook0Answers, []string{"APPLICATIONS=a1 a2"}},
	} {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			answers := test.answers(t)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer, ok := answers[r.URL.RequestURI()]
				if r.Header.Get("Authorization") != "Bearer the-token" || !ok {
					t.Errorf("nobody answers %s", r.URL)
					http.NotFound(w, r)
				}
				_, _ = io.WriteString(w, answer)
			}))
			defer server.Close()
			folder, name := t.TempDir(), strings.ToUpper(system)
			shell := exec.CommandContext(t.Context(), "sh", "-eu")
			shell.Dir, shell.Stdin = folder, strings.NewReader(script(t, test.holding))
			shell.Env = append([]string{"PATH=" + os.Getenv("PATH"), name + "_URL=" + server.URL, name + "_TOKEN=the-token", name + "_KEY=the-token"}, test.environment...)
			said, err := shell.CombinedOutput()
			require.NoError(t, err, "%s", said)
			require.Empty(t, string(said))

			path := filepath.Join(folder, test.made)
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "the file holds secrets")
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			endpoints, err := Read(system, content, Choices{})
			require.NoError(t, err)
			require.Equal(t, withoutLines(read(t, system, test.export, Choices{})), withoutLines(endpoints))
		})
	}
}

func withoutLines(endpoints []Endpoint) []Endpoint {
	for i := range endpoints {
		endpoints[i].Line = 0
	}
	return endpoints
}

// script takes the block of shell code from the document that holds a text.
func script(t *testing.T, holding string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "moving-in.md"))
	require.NoError(t, err)
	for _, rest := range strings.Split(string(text), "```sh\n")[1:] {
		if code, _, _ := strings.Cut(rest, "```"); strings.Contains(code, holding) {
			return code
		}
	}
	require.FailNow(t, "no script", holding)
	return ""
}

// export is a file of testdata as JSON values.
func export(t *testing.T, name string) []any {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	values, err := newFile(content).values()
	require.NoError(t, err)
	var all []any
	for _, of := range values {
		var read any
		require.NoError(t, json.Unmarshal(of.raw, &read))
		all = append(all, read)
	}
	return all
}

func asJSON(t *testing.T, of any) string {
	t.Helper()
	text, err := json.Marshal(of)
	require.NoError(t, err)
	return string(text)
}

// svixAnswers lists applications and endpoints in pages of one.
func svixAnswers(t *testing.T) map[string]string {
	t.Helper()
	answers := map[string]string{}
	page := func(element any, iterator string) string {
		return asJSON(t, object{"data": []any{element}, "iterator": iterator, "done": iterator == ""})
	}
	lines := export(t, "svix.jsonl")
	of := func(i int, what string) object { return lines[i].(object)[what].(object) }
	acme, globex := of(0, "application")["id"].(string), of(2, "application")["id"].(string)
	answers["/api/v1/app?limit=100"] = page(of(0, "application"), "next")
	answers["/api/v1/app?limit=100&iterator=next"] = page(of(2, "application"), "")
	answers["/api/v1/app/"+acme+"/endpoint?limit=100"] = page(of(0, "endpoint"), "more")
	answers["/api/v1/app/"+acme+"/endpoint?limit=100&iterator=more"] = page(of(1, "endpoint"), "")
	answers["/api/v1/app/"+globex+"/endpoint?limit=100"] = page(of(2, "endpoint"), "")
	for i := range lines {
		path := "/api/v1/app/" + of(i, "application")["id"].(string) + "/endpoint/" + of(i, "endpoint")["id"].(string)
		answers[path+"/secret"], answers[path+"/headers"] = asJSON(t, of(i, "secret")), asJSON(t, of(i, "headers"))
	}
	return answers
}

// convoyAnswers lists endpoints and subscriptions in pages of one or two.
func convoyAnswers(t *testing.T) map[string]string {
	t.Helper()
	file := export(t, "convoy.json")[0].(object)
	answers := map[string]string{"/api/v1/projects/p1": asJSON(t, file["project"])}
	for _, name := range []string{"endpoints", "subscriptions"} {
		content := file[name].(object)["data"].(object)["content"].([]any)
		page := func(elements []any, cursor string) string {
			return asJSON(t, object{"status": true, "message": "", "data": object{
				"content": elements, "pagination": object{"has_next_page": cursor != "", "next_page_cursor": cursor},
			}})
		}
		path := "/api/v1/projects/p1/" + name + "?perPage=100&direction=next&next_page_cursor="
		answers[path], answers[path+"c2"] = page(content[:1], "c2"), page(content[1:], "")
	}
	return answers
}

func outpostAnswers(t *testing.T) map[string]string {
	t.Helper()
	answers := map[string]string{}
	for _, line := range export(t, "outpost.jsonl") {
		tenant := line.(object)["tenant"].(object)
		answers["/tenants/"+tenant["id"].(string)] = asJSON(t, tenant)
		answers["/tenants/"+tenant["id"].(string)+"/destinations"] = asJSON(t, line.(object)["destinations"])
	}
	return answers
}

func hook0Answers(t *testing.T) map[string]string {
	t.Helper()
	subscriptions := export(t, "hook0.json")[0].([]any)
	return map[string]string{
		"/api/v1/subscriptions/?application_id=a1": asJSON(t, subscriptions[:1]),
		"/api/v1/subscriptions/?application_id=a2": asJSON(t, subscriptions[1:]),
	}
}
