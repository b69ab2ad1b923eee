package api_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// A suspended owner gets nothing, its keys say why, and all of it goes on when it is active again.
func TestSuspendedOwnerGetsNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		s.deliver()
		id, key := s.owner("a")
		webhookID := s.webhook(key, "*")
		_, deliveryID := s.delivery(key, "a")
		source := s.call(key, "POST", "/api/sources", bodies["create-source"]).is(http.StatusCreated).object()
		receive := func() reply {
			header, err := signature.Sign(signature.Config{Scheme: signature.SchemeGitHub, Secrets: []string{sourceSecret}}, "", time.Now(), []byte(`{}`))
			require.NoError(t, err)
			return s.call("", "POST", "/webhooks/"+text(t, source, "id"), `{}`, "X-Hub-Signature-256", header.Get("X-Hub-Signature-256"),
				"X-GitHub-Event", "push", "X-GitHub-Delivery", typeid.New(typeid.KindInbound, s.store.Now()))
		}
		publish := func() any {
			return s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"a","data":{},"owner_id":"`+id+`"}`).object()["deliveries"]
		}
		receive().is(http.StatusOK)
		for _, wrong := range []string{`{"active":null}`, `{"active":"no"}`} {
			s.call(adminKey, "PATCH", "/api/owners/"+id, wrong).problem(http.StatusUnprocessableEntity, "invalid")
		}
		require.Equal(t, false, s.admin(http.StatusOK, "PATCH", "/api/owners/"+id, `{"active":false}`).object()["active"])

		for _, call := range [][3]string{{"GET", "/api/webhooks", ""}, {"POST", "/api/events", `{"event":"a","data":{}}`}, {"GET", "/api/owners", ""}} {
			s.call(key, call[0], call[1], call[2]).problem(http.StatusForbidden, "owner_suspended")
		}
		require.EqualValues(t, 0, publish(), "accepted: it can be recovered later")
		receive().problem(http.StatusNotFound, "not_found")
		for _, path := range []string{"/api/webhooks/" + webhookID + "/test", "/api/deliveries/" + deliveryID + "/resend"} {
			s.call(adminKey, "POST", path, "").problem(http.StatusConflict, "owner_suspended")
		}
		s.call(adminKey, "POST", "/api/webhooks/"+webhookID+"/recover", bodies["recover-webhook"]).problem(http.StatusConflict, "owner_suspended")
		require.Equal(t, true, s.admin(http.StatusOK, "GET", "/api/webhooks/"+webhookID, "").object()["active"])

		s.admin(http.StatusOK, "PATCH", "/api/owners/"+id, `{"active":true}`)
		require.EqualValues(t, 1, publish())
		receive().is(http.StatusOK)
		s.call(key, "POST", "/api/deliveries/"+deliveryID+"/resend", "").is(http.StatusAccepted)
	})
}

func TestDeletedOwnerIsGone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		id, key := s.owner("a")
		webhookID := s.webhook(key, "*")
		path := "/api/owners/" + id
		s.call(key, "DELETE", path, "").problem(http.StatusForbidden, "forbidden")
		s.call(adminKey, "DELETE", "/api/owners/"+models.DefaultOwnerID, "").problem(http.StatusConflict, "default_owner")
		deleted := s.admin(http.StatusAccepted, "DELETE", path, "").object()
		require.Equal(t, map[string]any{
			"id": id + "/deletion", "run_id": nil, "url": "https://temporal.example/" + id + "/deletion/",
		}, deleted["workflow"])
		require.Eventually(t, func() bool { return slices.Contains(s.temporal.asked(), "start "+id+"/deletion") }, 30*time.Second, time.Millisecond)
		require.Equal(t, deleted, s.admin(http.StatusAccepted, "DELETE", path, "").object(), "again")

		s.call(key, "GET", "/api/webhooks", "").problem(http.StatusUnauthorized, "unauthorized")
		s.call(adminKey, "GET", path, "").problem(http.StatusNotFound, "not_found")
		s.call(adminKey, "PATCH", path, `{"active":true}`).problem(http.StatusNotFound, "not_found")
		s.call(adminKey, "POST", path+"/keys", "").problem(http.StatusNotFound, "not_found")
		s.call(adminKey, "GET", path+"/keys", "").problem(http.StatusNotFound, "not_found")
		s.call(adminKey, "GET", "/api/webhooks/"+webhookID, "").problem(http.StatusNotFound, "not_found")
		for _, call := range [][2]string{
			{"/api/events", `{"event":"a","data":{},"owner_id":"` + id + `"}`},
			{"/api/webhooks", `{"url":"https://example.com","events":["a"],"owner_id":"` + id + `"}`},
			{"/api/sources", `{"name":"n","scheme":"github","secret":"` + sourceSecret + `","owner_id":"` + id + `"}`},
		} {
			problem := s.call(adminKey, "POST", call[0], call[1]).problem(http.StatusUnprocessableEntity, "invalid")
			require.Equal(t, "body.owner_id", problem.Errors[0].Location)
		}
		items, _ := s.admin(http.StatusOK, "GET", "/api/owners", "").list()
		require.Equal(t, []string{models.DefaultOwnerID}, idsOf(t, items))
		require.Equal(t, "delete-owner", s.trail(adminKey, "&action=delete-owner")[0]["action"])
		for done := false; !done; {
			purge, err := s.store.PurgeOwner(t.Context(), id, 100)
			require.NoError(t, err)
			done = purge.Done
		}
		s.call(adminKey, "DELETE", path, "").problem(http.StatusNotFound, "not_found")
	})
}
