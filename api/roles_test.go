package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Every operation of the document is for the roles that the contract names, and refuses keys of the others, an owner's and
// an administrator's, without doing anything.
func TestEveryOperationAsksForARole(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	for _, of := range document.operations() {
		t.Run(of.OperationID, func(t *testing.T) {
			t.Parallel()
			of := newTemplate(t, document, of)
			roles := []models.Role{models.RoleFull}
			switch {
			case of.Path == "/api/events" && of.Method == "POST", of.Path == "/api/events/batch":
				roles = append(roles, models.RolePublish)
			case of.Method == "GET", slices.Contains(changesNothing, of.OperationID):
				roles = append(roles, models.RoleRead)
			}
			require.Equal(t, roles[len(roles)-1], of.NeededRole, "the document names the role")

			s := newService(t)
			s.deliver()
			holder := s.newTenant("mine")
			s.settle()
			ask := func(ownerID string, role models.Role) reply {
				_, key, err := s.store.CreateAPIKey(t.Context(), ownerID, role, nil)
				require.NoError(t, err)
				return s.fill(of, key, holder, name{}, "")
			}
			owners := []string{holder.ids[typeid.KindOwner], ""}
			before := s.state()
			for _, role := range []models.Role{models.RoleRead, models.RolePublish, models.RoleFull} {
				for _, ownerID := range owners {
					if slices.Contains(roles, role) {
						continue
					}
					problem := ask(ownerID, role).problem(http.StatusForbidden, "insufficient_role")
					require.Contains(t, problem.Detail, "this key has the role "+string(role))
					require.Contains(t, problem.Detail, "role "+string(roles[0]))
				}
			}
			changed := slices.DeleteFunc(difference(before, s.state()), func(line string) bool { return strings.HasPrefix(line, "+api_keys ") })
			require.Empty(t, changed, "nothing changes but the keys that were made to ask with")

			// What is allowed comes last: it may delete what the others need, and goes on after its reply.
			for _, role := range roles {
				for _, ownerID := range owners {
					require.NotContains(t, ask(ownerID, role).body, "insufficient_role", role)
				}
			}
		})
	}
}

// A key that only looks does not see what whoever changes the webhook may see.
func TestKeysThatReadSeeNoHeaderValues(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ownerID, full := s.owner("a")
	made := s.call(full, "POST", "/api/webhooks", `{"url":"https://example.com/x","events":["*"],"headers":{"Authorization":"hidden"}}`).object()
	_, read, err := s.store.CreateAPIKey(t.Context(), ownerID, models.RoleRead, nil)
	require.NoError(t, err)
	for _, path := range []string{"/api/webhooks", "/api/webhooks/" + text(t, made, "id")} {
		require.Contains(t, s.call(full, "GET", path+"?include=headers", "").is(http.StatusOK).body, "hidden")
		require.NotContains(t, s.call(read, "GET", path, "").is(http.StatusOK).body, "hidden")
		require.NotContains(t, s.call(read, "GET", path+"?include=headers", "").problem(http.StatusForbidden, "insufficient_role").Detail, "hidden")
	}
}

// A key's role is shown, and only roles that there are can be given.
func TestRolesOfKeys(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ownerID, _ := s.owner("a")
	path := "/api/owners/" + ownerID + "/keys"
	for body, role := range map[string]string{``: "full", `{}`: "full", `{"role":"full"}`: "full", `{"role":"read"}`: "read", `{"role":"publish","expires_in":"1h"}`: "publish"} {
		made := s.admin(http.StatusCreated, "POST", path, body).object()
		require.Equal(t, role, made["role"], body)
		require.True(t, strings.HasPrefix(text(t, made, "key"), "prk_"))
		keys, _ := s.admin(http.StatusOK, "GET", path+"?limit=1", "").list()
		require.Equal(t, role, keys[0]["role"])
	}
	for _, wrong := range []string{`""`, `"admin"`, `"Full"`, `1`} {
		s.call(adminKey, "POST", path, `{"role":`+wrong+`}`).problem(http.StatusUnprocessableEntity, "invalid")
	}
}
