package api_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// What looks the same is stored the same, and nobody stores what nobody sees.
func TestNamesAreWhatIsSeen(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for path, of := range map[string]struct{ field, rest string }{
		"/api/owners":   {"name", ""},
		"/api/sources":  {"name", `,"scheme":"github","secret":"provider's"`},
		"/api/webhooks": {"description", `,"url":"https://example.com/hook","events":["*"]`},
	} {
		body := func(text string) string {
			encoded, err := json.Marshal(text)
			require.NoError(t, err)
			return `{"` + of.field + `":` + string(encoded) + of.rest + `}`
		}
		for given, want := range map[string]string{
			"  Café\t": "Café", "Cafe\u0301": "Caf\u00e9", "\u212bngstr\u00f6m": "\u00c5ngstr\u00f6m", "👩\u200d💻": "👩\u200d💻", "می\u200cخواهم": "می\u200cخواهم",
		} {
			made := s.admin(http.StatusCreated, "POST", path, body(given)).object()
			require.Equal(t, want, made[of.field], path)
			changed := s.admin(http.StatusOK, "PATCH", path+"/"+made["id"].(string), `{"`+of.field+`":"Cafe\u0301"}`).object()
			require.Equal(t, "Café", changed[of.field], path)
			problem := s.call(adminKey, "PATCH", path+"/"+made["id"].(string), `{"`+of.field+`":"a\u202eb"}`).problem(http.StatusUnprocessableEntity, "invalid")
			require.Contains(t, problem.Errors[0].Message, "U+202E", path)
		}
		for given, says := range map[string]string{
			"ac\u200bme": "U+200B", "\ufeffacme": "U+FEFF", "ac\u00adme": "U+00AD", "ac\u200dme": "U+200D", "é\u200d": "U+200D", "\u3164": "U+3164",
			"a\u0085b": "U+0085", "a\u2028b": "U+2028",
		} {
			problem := s.call(adminKey, "POST", path, body(given)).problem(http.StatusUnprocessableEntity, "invalid")
			require.Contains(t, problem.Errors[0].Message, says, path)
		}
	}
	s.admin(http.StatusCreated, "POST", "/api/webhooks", `{"url":"https://example.com/hook","events":["*"],"description":"two\nlines"}`)
}
