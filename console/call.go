package console

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/postrider/postrider/console/view"
)

// A form of the console is a call of the API: its field _call has the method and the path, and the others make the body (see
// body.go). What the API answers goes back to the form. So a button does what the call does, for whom it does it, with the same
// checks and errors; and it can be shown as curl.

// maxForm bounds what a form sends: 1,000 events of a batch, encoded.
const maxForm = 8 << 20

// call is one call of the API.
type call struct {
	Method, Path string
	// Body is nil for none.
	Body []byte
	// Key makes the call once, however often it is sent; empty for none. Named says that somebody has given it.
	Key   string
	Named bool
}

// answer is what the API answered.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) good() bool { return a.status < 300 }

// problem is what an answer that is not good says.
func (a answer) problem() view.Problem {
	var problem view.Problem
	if json.Unmarshal(a.body, &problem) != nil || problem.Detail == "" {
		problem.Detail = "something went wrong inside Postrider; its log has the details"
	}
	return problem
}

// callsOf reads the calls of a form: one for each value of _call, all with the same body.
func callsOf(w http.ResponseWriter, r *request) ([]call, *view.Problem) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := parseForm(r.Request); err != nil {
		return nil, &view.Problem{Detail: "what was sent is too large, or no form"}
	}
	body, wrong := bodyOf(r.PostForm)
	if wrong != nil {
		return nil, wrong
	}
	var calls []call
	for i, text := range r.PostForm["_call"] {
		method, path, _ := strings.Cut(text+r.PostFormValue("_act"), " ")
		if !strings.HasPrefix(path, "/api/") {
			return nil, &view.Problem{Detail: "the form names no call of the API"}
		}
		of := call{Method: method, Path: path}
		if key := r.PostFormValue("_key"); key != "" {
			of.Key = key + "-" + strconv.Itoa(i)
		}
		if name := strings.TrimSpace(r.PostFormValue("_idempotency_key")); name != "" {
			of.Key, of.Named = name, true
		}
		if method != http.MethodDelete && method != http.MethodGet {
			of.Body = body
		}
		calls = append(calls, of)
	}
	if len(calls) == 0 {
		return nil, &view.Problem{Detail: "choose at least one"}
	}
	return calls, nil
}

func parseForm(r *http.Request) error {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return r.ParseMultipartForm(maxForm)
	}
	return r.ParseForm()
}

// call makes the calls of a form.
func (c *console) call(w http.ResponseWriter, r *request) {
	calls, wrong := callsOf(w, r)
	if wrong == nil {
		wrong = notTyped(r.PostForm)
	}
	if wrong != nil {
		c.renderTo(w, r, http.StatusUnprocessableEntity, view.Wrong(*wrong))
		return
	}
	var last answer
	var failed []view.Problem
	for _, of := range calls {
		if last = c.ask(r, of); !last.good() {
			failed = append(failed, last.problem())
		}
	}
	switch {
	case len(failed) == 1 && len(calls) == 1:
		c.renderTo(w, r, last.status, view.Wrong(failed[0]))
	case len(failed) > 0:
		c.renderTo(w, r, http.StatusConflict, view.WrongOfSeveral(len(calls), failed))
	case r.PostFormValue("_show") != "":
		c.showAnswer(w, r, shownOf(r.PostForm, last.body))
	default:
		c.done(w, r, filled(r.PostFormValue("_next"), last.body))
	}
}

// showAnswer shows what a call answered in its form, or as a page where no script has sent the form.
func (c *console) showAnswer(w http.ResponseWriter, r *request, of templ.Component) {
	if r.Header.Get("HX-Request") == "" {
		of = view.Framed(c.frame(r), view.Page{Title: r.PostFormValue("_show"), Body: of})
	} else {
		of = view.Within(c.frame(r), of)
	}
	c.renderTo(w, r, http.StatusOK, of)
}

// notTyped says that a name was to be typed, so that nothing is ended by mistake, and was not.
func notTyped(form url.Values) *view.Problem {
	if name := form.Get("_must"); strings.TrimSpace(form.Get("_typed")) != strings.TrimSpace(name) {
		return &view.Problem{Detail: "type " + name + " to show that you mean it"}
	}
	return nil
}

// shownOf is how a form shows what its call answered: in a way of its own where _as names one, else by the members that
// _members names, or all.
func shownOf(form url.Values, body []byte) templ.Component {
	title := form.Get("_show")
	switch form.Get("_as") {
	case "batch":
		return view.BatchResults(body)
	case "import":
		return view.ImportResults(body)
	case "test":
		var result view.TestResult
		_ = json.Unmarshal(body, &result) // the API wrote it
		return view.Tested(title, result)
	case "trial":
		var trial view.Trial
		_ = json.Unmarshal(body, &trial)
		return view.Tried(title, trial)
	}
	members := membersOf(body)
	if named := strings.Fields(form.Get("_members")); len(named) > 0 {
		members = slices.DeleteFunc(members, func(m view.Member) bool { return m.Text == "null" || !slices.Contains(named, m.Name) })
	}
	return view.Shown(title, members, filled(form.Get("_next"), body))
}

// done leads the browser on after a form has done what it is for.
func (c *console) done(w http.ResponseWriter, r *request, next string) {
	if r.Header.Get("HX-Request") == "" {
		if from, err := url.Parse(r.Referer()); err == nil && next == "" {
			next = from.RequestURI()
		}
		http.Redirect(w, r.Request, local(next), http.StatusSeeOther)
		return
	}
	said, err := json.Marshal(map[string]string{"postrider:done": r.PostFormValue("_done")})
	if err != nil {
		panic(err) // a text can always be written
	}
	w.Header().Set("HX-Trigger", string(said))
	if next != "" {
		w.Header().Set("HX-Location", local(next))
	}
	w.WriteHeader(http.StatusNoContent)
}

// ask makes a call for who has sent a request.
func (c *console) ask(r *request, of call) answer {
	asked := r.Clone(r.Context())
	asked.Method, asked.RequestURI = of.Method, of.Path
	target, err := url.Parse(of.Path)
	if err != nil {
		return answer{status: http.StatusBadRequest}
	}
	asked.URL = target
	asked.Header = http.Header{"Accept": {"application/json"}, "Content-Type": {"application/json"}}
	for _, kept := range []string{"X-Forwarded-For", "Authorization"} {
		if values := r.Header.Values(kept); values != nil {
			asked.Header[kept] = values
		}
	}
	if of.Key != "" {
		asked.Header.Set("Idempotency-Key", of.Key)
	}
	asked.Body, asked.ContentLength, asked.Form, asked.PostForm, asked.MultipartForm = http.NoBody, 0, nil, nil, nil
	if of.Body != nil {
		asked.Body, asked.ContentLength = io.NopCloser(bytes.NewReader(of.Body)), int64(len(of.Body))
	}
	kept := &recorder{answer{status: http.StatusOK, header: http.Header{}}}
	c.API.ServeHTTP(kept, asked)
	return kept.answer
}

// recorder keeps an answer.
type recorder struct{ answer }

func (r *recorder) Header() http.Header    { return r.header }
func (r *recorder) WriteHeader(status int) { r.status = status }
func (r *recorder) Write(part []byte) (int, error) {
	r.body = append(r.body, part...)
	return len(part), nil
}

// membersOf reads the members of a JSON object for showing them, sorted by name.
func membersOf(body []byte) (members []view.Member) {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return nil
	}
	for name, raw := range object {
		member := view.Member{Name: name, Text: string(raw)}
		_ = json.Unmarshal(raw, &member.Text) // what is no text is shown as it is
		members = append(members, member)
	}
	slices.SortFunc(members, func(a, b view.Member) int { return strings.Compare(a.Name, b.Name) })
	return members
}

// filled puts members of what a call answered into a path that has their names, such as {id}.
func filled(path string, body []byte) string {
	var made map[string]any
	_ = json.Unmarshal(body, &made) // what is no object has no members
	for _, name := range []string{"id", "name"} {
		text, _ := made[name].(string)
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(text))
	}
	return path
}

// curl shows the call that a form would make, for a shell.
func (c *console) curl(w http.ResponseWriter, r *request) {
	calls, wrong := callsOf(w, r)
	if wrong != nil {
		c.renderTo(w, r, http.StatusUnprocessableEntity, view.Wrong(*wrong))
		return
	}
	var lines []string
	for _, of := range calls {
		lines = append(lines, curlOf(c.PublicURL, of))
	}
	c.renderTo(w, r, http.StatusOK, view.Curl(strings.Join(lines, "\n")))
}

// longBody is from where on a body is no part of a command: shells would refuse it.
const longBody = 32 << 10

// curlOf writes a call as a command for a POSIX shell, with the key in a variable.
func curlOf(base string, of call) string {
	command := "curl"
	if of.Method != http.MethodGet {
		command += " -X " + of.Method
	}
	command += " " + quoted(base+of.Path) + ` -H "Authorization: Bearer $POSTRIDER_KEY"`
	if of.Named {
		command += " \\\n  -H " + quoted("Idempotency-Key: "+of.Key)
	}
	switch {
	case len(of.Body) > longBody:
		command += " \\\n  -d @body.json"
	case len(of.Body) > 0:
		command += " \\\n  -d " + quoted(string(of.Body))
	}
	return command
}

// quoted is a text as a word of a POSIX shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
