package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

// signing returns the secrets that sign a webhook's requests now.
func (s *server) signing(id string) []string {
	s.t.Helper()
	webhook, err := s.store.Webhook(s.t.Context(), models.Scope{}, id)
	require.NoError(s.t, err)
	secrets, err := s.store.SigningSecrets(webhook, s.store.Now())
	require.NoError(s.t, err)
	return secrets
}

// A client that got no answer rotates again: no receiver loses the secret that it was promised.
func TestRotationsThatAreRepeated(t *testing.T) {
	t.Parallel()
	s := newService(t)
	made := s.admin(http.StatusCreated, "POST", "/api/webhooks", `{"url":"https://example.com","events":["*"]}`).object()
	id, want := text(t, made, "id"), []string{text(t, made, "secret")}
	path := "/api/webhooks/" + id + "/rotate-secret"
	for range models.MaxEarlierSecrets {
		rotated := s.admin(http.StatusOK, "POST", path, "").object()
		want = slices.Insert(want, 0, text(t, rotated, "secret"))
		require.Equal(t, want, s.signing(id))
	}
	problem := s.call(adminKey, "POST", path, "").problem(http.StatusConflict, "earlier_secrets_sign")
	require.Contains(t, problem.Detail, "5 earlier secrets sign")
	require.Contains(t, problem.Detail, "grace 0s")
	require.Equal(t, want, s.signing(id), "nothing has changed")

	// Without a grace, the present one gives way, and every other keeps its own.
	last := text(t, s.admin(http.StatusOK, "POST", path, `{"grace":"0s"}`).object(), "secret")
	require.Equal(t, append([]string{last}, want[1:]...), s.signing(id))
	only := text(t, s.admin(http.StatusOK, "POST", path, `{"grace":"1h","end_earlier":true}`).object(), "secret")
	require.Equal(t, []string{only, last}, s.signing(id))
}

func TestSecretThatIsGiven(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const first, second = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "sixteen-chars-16"
	made := s.admin(http.StatusCreated, "POST", "/api/webhooks", `{"url":"https://example.com","events":["*"],"secret":"`+first+`"}`).object()
	id := text(t, made, "id")
	require.Equal(t, first, made["secret"])
	require.Equal(t, []string{first}, s.signing(id))
	path := "/api/webhooks/" + id + "/rotate-secret"
	for range 2 { // the second time, it is the secret already
		rotated := s.admin(http.StatusOK, "POST", path, `{"secret":"`+second+`"}`).object()
		require.Equal(t, second, rotated["secret"])
		require.Equal(t, []string{second, first}, s.signing(id))
	}
	s.admin(http.StatusOK, "POST", path, `{"secret":"`+first+`"}`)
	require.Equal(t, []string{first, second}, s.signing(id), "back again, and each signs once")

	for _, secret := range []string{
		"", "fifteen-chars-1", strings.Repeat("x", 129), "sixteen chars 16", "sixteen-chärs-16", "sixteen-chars-16\\n", " sixteen-chars-16",
		"whsec_not-base64-at-all", "whsec_c2hvcnQ=", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	} {
		for _, call := range [][2]string{
			{"/api/webhooks", `{"url":"https://example.com","events":["*"],"secret":"` + secret + `"}`},
			{path, `{"secret":"` + secret + `"}`},
		} {
			reply := s.call(adminKey, "POST", call[0], call[1])
			problem := reply.problem(http.StatusUnprocessableEntity, "invalid")
			require.Equal(t, "body.secret", problem.Errors[0].Location, secret)
			if len(secret) > 3 {
				require.NotContains(t, reply.body, secret)
			}
		}
	}
	problem := s.call(adminKey, "POST", path, `{"grace":""}`).problem(http.StatusUnprocessableEntity, "invalid")
	require.Equal(t, "body.grace", problem.Errors[0].Location)
}
