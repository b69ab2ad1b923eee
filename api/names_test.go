package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Wherever an owner is named, its external_id will do.
func TestOwnersAreNamedByTheirExternalID(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		const name = "auth0|customer+42@example.com"
		owner := s.admin(http.StatusCreated, "POST", "/api/owners", `{"name":"acme","external_id":"`+name+`","metadata":{"plan":"pro"}}`).object()
		require.Equal(t, name, owner["external_id"])
		require.Equal(t, map[string]any{"plan": "pro"}, owner["metadata"])
		id, path := text(t, owner, "id"), "/api/owners/"+url.PathEscape(name)
		require.Equal(t, owner, s.admin(http.StatusOK, "GET", path, "").object())

		made := s.admin(http.StatusCreated, "POST", path+"/keys", "").object()
		require.Equal(t, id, made["owner_id"])
		keys, _ := s.admin(http.StatusOK, "GET", path+"/keys", "").list()
		require.Equal(t, made["id"], keys[0]["id"])
		for _, key := range []string{adminKey, text(t, made, "key")} {
			for path, body := range map[string]string{
				"/api/webhooks": `{"url":"https://example.com/x","events":["*"],"owner_id":"` + name + `"}`,
				"/api/sources":  `{"name":"x","scheme":"github","secret":"` + sourceSecret + `","owner_id":"` + name + `"}`,
			} {
				require.Equal(t, id, s.call(key, "POST", path, body).is(http.StatusCreated).object()["owner_id"])
			}
			event := s.call(key, "POST", "/api/events", `{"event":"a","data":1,"owner_id":"`+name+`"}`).is(http.StatusAccepted).object()
			require.Equal(t, id, s.call(key, "GET", "/api/events/"+text(t, event, "id"), "").object()["owner_id"])
			for _, list := range []string{"webhooks", "events", "deliveries"} {
				items, _ := s.call(key, "GET", "/api/"+list+"?owner_id="+url.QueryEscape(name), "").is(http.StatusOK).list()
				require.NotEmpty(t, items, list)
				items, _ = s.call(key, "GET", "/api/"+list+"?owner_id=nobody", "").is(http.StatusOK).list()
				require.Empty(t, items, list)
				problem := s.call(key, "GET", "/api/"+list+"?owner_id=own_x", "").problem(http.StatusUnprocessableEntity, "invalid")
				require.Equal(t, "query.owner_id", problem.Errors[0].Location)
			}
		}

		s.admin(http.StatusOK, "PATCH", path, `{"external_id":"renamed"}`)
		s.call(adminKey, "GET", path, "").problem(http.StatusNotFound, "not_found")
		s.call(adminKey, "POST", "/api/owners", `{"name":"x","external_id":"renamed"}`).problem(http.StatusConflict, "external_id_taken")
		other, _ := s.owner("other")
		s.call(adminKey, "PATCH", "/api/owners/"+other, `{"external_id":"renamed"}`).problem(http.StatusConflict, "external_id_taken")
		s.admin(http.StatusAccepted, "DELETE", "/api/owners/renamed", "")
		s.call(adminKey, "DELETE", "/api/owners/renamed", "").problem(http.StatusNotFound, "not_found")
		s.call(adminKey, "POST", "/api/events", `{"event":"a","data":1,"owner_id":"renamed"}`).problem(http.StatusUnprocessableEntity, "invalid")
		// What is deleted leaves its name to others.
		s.admin(http.StatusOK, "PATCH", "/api/owners/"+other, `{"external_id":"renamed"}`)
		require.Equal(t, other, s.admin(http.StatusOK, "GET", "/api/owners/renamed", "").object()["id"])
		require.Nil(t, s.admin(http.StatusOK, "PATCH", "/api/owners/renamed", `{"external_id":null}`).object()["external_id"])
	})
}

// PUT makes an owner or replaces what is said of it; at the same time, too, it makes one.
func TestPutOwner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		made := s.admin(http.StatusCreated, "PUT", "/api/owners/acme", `{"name":" Acme ","email":"ops@example.com","metadata":{"a":"1"}}`).object()
		require.Equal(t, "acme", made["external_id"])
		require.Equal(t, "Acme", made["name"])
		require.Equal(t, true, made["active"])
		s.admin(http.StatusOK, "PATCH", "/api/owners/acme", `{"active":false}`)
		put := s.admin(http.StatusOK, "PUT", "/api/owners/acme", `{"name":"Acme","slack_url":"https://hooks.slack.com/services/x"}`).object()
		require.Equal(t, []any{made["id"], nil, "https://hooks.slack.com/services/x", map[string]any{}, false},
			[]any{put["id"], put["email"], put["slack_url"], put["metadata"], put["active"]}, "what is left out is removed, and a suspension stays")
		byID := s.admin(http.StatusOK, "PUT", "/api/owners/"+text(t, made, "id"), `{"name":"by ID"}`).object()
		require.Equal(t, []any{made["id"], "acme", "by ID"}, []any{byID["id"], byID["external_id"], byID["name"]})

		s.call(adminKey, "PUT", "/api/owners/"+typeid.New(typeid.KindOwner, s.store.Now()), `{"name":"x"}`).problem(http.StatusNotFound, "not_found")
		for _, bad := range []string{"own_x", "OWN_1", "-x", "a%2Cb", "%C3%BC", strings.Repeat("x", 129)} {
			problem := s.call(adminKey, "PUT", "/api/owners/"+bad, `{"name":"x"}`).problem(http.StatusUnprocessableEntity, "invalid")
			require.Equal(t, "path.id", problem.Errors[0].Location, bad)
		}
		problem := s.call(adminKey, "PUT", "/api/owners/wrong", `{"name":"\n","metadata":{"a b":"1"}}`).problem(http.StatusUnprocessableEntity, "invalid")
		require.Len(t, problem.Errors, 2)
		s.call(adminKey, "GET", "/api/owners/wrong", "").problem(http.StatusNotFound, "not_found")

		var statuses [8]int
		var ids [8]string
		var group sync.WaitGroup
		for i := range statuses {
			group.Go(func() {
				reply := s.call(adminKey, "PUT", "/api/owners/together", fmt.Sprintf(`{"name":"%d"}`, i))
				var owner struct{ ID string }
				_ = json.Unmarshal([]byte(reply.body), &owner)
				statuses[i], ids[i] = reply.status, owner.ID
			})
		}
		group.Wait()
		slices.Sort(statuses[:])
		require.Equal(t, []int{200, 200, 200, 200, 200, 200, 200, 201}, statuses[:])
		require.Len(t, slices.Compact(ids[:]), 1)
	})
}

// A webhook's external_id is unique among those of its owner.
func TestNamesOfWebhooks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		_, mine := s.owner("mine")
		_, theirs := s.owner("theirs")
		const body = `{"url":"https://example.com/x","events":["*"],"external_id":"main","metadata":{"team":"a","Stage":"1"}}`
		made := s.call(mine, "POST", "/api/webhooks", body).is(http.StatusCreated).object()
		require.Equal(t, []any{"main", map[string]any{"team": "a", "Stage": "1"}}, []any{made["external_id"], made["metadata"]})
		s.call(mine, "POST", "/api/webhooks", body).problem(http.StatusConflict, "external_id_taken")
		other := s.call(theirs, "POST", "/api/webhooks", body).is(http.StatusCreated).object()

		items, _ := s.call(mine, "GET", "/api/webhooks?external_id=main", "").is(http.StatusOK).list()
		require.Equal(t, []string{text(t, made, "id")}, idsOf(t, items))
		items, _ = s.admin(http.StatusOK, "GET", "/api/webhooks?external_id=main&owner_id="+text(t, other, "owner_id"), "").list()
		require.Equal(t, []string{text(t, other, "id")}, idsOf(t, items))
		items, _ = s.call(mine, "GET", "/api/webhooks?external_id=none", "").is(http.StatusOK).list()
		require.Empty(t, items)
		s.call(mine, "GET", "/api/webhooks?external_id=a%00", "").problem(http.StatusUnprocessableEntity, "invalid")

		path := "/api/webhooks/" + text(t, made, "id")
		patched := s.call(mine, "PATCH", path, `{"metadata":{"team":null,"new":"x"},"description":"d"}`).is(http.StatusOK).object()
		require.Equal(t, []any{"main", map[string]any{"Stage": "1", "new": "x"}}, []any{patched["external_id"], patched["metadata"]})
		patched = s.call(mine, "PATCH", path, `{"metadata":null,"external_id":null}`).is(http.StatusOK).object()
		require.Equal(t, []any{nil, map[string]any{}}, []any{patched["external_id"], patched["metadata"]})
		second := s.call(mine, "POST", "/api/webhooks", body).is(http.StatusCreated).object()
		s.call(mine, "PATCH", path, `{"external_id":"main"}`).problem(http.StatusConflict, "external_id_taken")
		s.call(mine, "DELETE", "/api/webhooks/"+text(t, second, "id"), "").is(http.StatusNoContent)
		s.call(mine, "PATCH", path, `{"external_id":"main"}`).is(http.StatusOK)

		for wrong, location := range map[string]string{
			`"external_id":"wh_1"`: "body.external_id", `"external_id":"a b"`: "body.external_id", `"metadata":{"":"x"}`: "body.metadata",
			`"metadata":{"a":"x\u0000"}`: "body.metadata.a", `"metadata":{"a":1}`: "body.metadata.a",
		} {
			for _, call := range [][3]string{
				{"POST", "/api/webhooks", `{"url":"https://example.com/x","events":["*"],` + wrong + `}`}, {"PATCH", path, `{` + wrong + `}`},
			} {
				problem := s.call(mine, call[0], call[1], call[2]).problem(http.StatusUnprocessableEntity, "invalid")
				require.Equal(t, location, problem.Errors[0].Location, wrong)
			}
		}
		stored, err := s.store.Webhook(t.Context(), models.Scope{}, text(t, made, "id"))
		require.NoError(t, err)
		require.Equal(t, "main", *stored.ExternalID)
	})
}
