package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// unaudited are the operations that are no entry of the trail. An event is its own; what is only tried changes nothing.
var unaudited = []string{"publish-event", "publish-events", "try-filter"}

// No operation can forget the trail: whoever may call it leaves an entry with what it did.
func TestEveryChangeIsInTheTrail(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	for _, of := range document.operations() {
		if of.Method == http.MethodGet {
			continue
		}
		t.Run(of.OperationID, func(t *testing.T) {
			t.Parallel()
			of := newTemplate(t, document, of)
			s := newService(t)
			s.deliver()
			mine, theirs := s.newTenant("mine"), s.newTenant("theirs")
			s.settle()
			key, actor := mine.key, mine.ids[typeid.KindKey]
			if of.forAdmins() {
				key, actor = adminKey, "admin key"
			}
			seen := len(s.trail(adminKey, ""))
			reply := s.fill(of, key, mine, name{}, "")
			require.Less(t, reply.status, 300, reply.body)
			entries := s.trail(adminKey, "")
			if len(entries) == seen {
				require.Contains(t, unaudited, of.OperationID, "it changes something and leaves no entry")
				return
			}
			require.Len(t, entries, seen+1)
			entry := entries[0]
			require.Equal(t, of.OperationID, entry["action"])
			require.Equal(t, of.Extension, entry["action"], "the document names the action")
			require.Equal(t, actor, entry["actor"])
			require.Equal(t, "127.0.0.1", entry["address"])
			require.NotEmpty(t, entry["object_id"])
			fields, ok := entry["fields"].([]any)
			require.True(t, ok)
			for _, field := range fields {
				require.Contains(t, of.body, `"`+field.(string)+`"`)
			}
			require.Equal(t, of.body == "", len(fields) == 0)
			if strings.HasPrefix(of.Path, "/api/event-types") {
				require.Nil(t, entry["owner_id"], "it is about the installation")
			} else if of.OperationID != "create-owner" {
				require.Equal(t, mine.ids[typeid.KindOwner], entry["owner_id"])
				// A key may be gone by what it did.
				if of.OperationID != "delete-key" && of.OperationID != "delete-owner" {
					require.Equal(t, of.OperationID, s.trail(mine.key, "")[0]["action"])
				}
			}
			for _, of := range s.trail(theirs.key, "") {
				require.Equal(t, theirs.ids[typeid.KindOwner], of["owner_id"])
			}
		})
	}
}

// trail lists entries, newest first.
func (s *server) trail(key, query string) []map[string]any {
	s.t.Helper()
	items, _ := s.call(key, "GET", "/api/audit?limit=250"+query, "").is(http.StatusOK).list()
	return items
}

func TestTrailIsFiltered(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		_, key := s.owner("a")
		id := s.webhook(key, "a")
		s.call(key, "PATCH", "/api/webhooks/"+id, `{"headers":{"Authorization":"s3cr3t"},"description":"s3cr3t"}`).is(http.StatusOK)
		s.call(key, "PATCH", "/api/webhooks/"+id, `{"url":"s3cr3t"}`).is(http.StatusUnprocessableEntity)
		s.call(key, "DELETE", "/api/webhooks/"+typeid.New(typeid.KindWebhook, s.store.Now()), "").is(http.StatusNotFound)
		s.admin(http.StatusNoContent, "DELETE", "/api/webhooks/"+id, "")

		actions := func(key, query string) (list []string) {
			for _, entry := range s.trail(key, query) {
				list = append(list, entry["action"].(string))
			}
			return list
		}
		require.Equal(t, []string{"delete-webhook", "update-webhook", "create-webhook", "create-key", "create-owner"}, actions(key, ""))
		require.Equal(t, []string{"delete-webhook", "create-webhook"}, actions(adminKey, "&action=create-webhook,delete-webhook"))
		require.Equal(t, []string{"delete-webhook", "create-key", "create-owner"}, actions(adminKey, "&actor=admin+key"))
		changed := s.trail(adminKey, "&action=update-webhook")[0]
		require.Equal(t, []any{"description", "headers"}, changed["fields"])
		require.NotContains(t, fmt.Sprint(s.trail(adminKey, "")), "s3cr3t")
		at, err := time.Parse(time.RFC3339Nano, text(t, changed, "created_at"))
		require.NoError(t, err)
		require.Empty(t, actions(key, "&since="+at.Add(time.Hour).Format(time.RFC3339)))
		require.Empty(t, actions(key, "&until="+at.Add(-time.Hour).Format(time.RFC3339)))
		require.Len(t, actions(key, "&since="+at.Add(-time.Hour).Format(time.RFC3339)+"&until="+at.Add(time.Hour).Format(time.RFC3339)), 5)

		// An owner sees that an administrator did something, not which one from where.
		require.Equal(t, "administrator", s.trail(key, "")[0]["actor"])
		require.Nil(t, s.trail(key, "")[0]["address"])
		require.Empty(t, s.trail(key, "&actor=admin+key"))
		s.call(key, "GET", "/api/audit?action=", "").problem(http.StatusUnprocessableEntity, "invalid")
		s.call(key, "GET", "/api/audit?actor=a,,b", "").problem(http.StatusUnprocessableEntity, "invalid")

		items, next := s.call(key, "GET", "/api/audit?limit=2", "").list()
		require.Len(t, items, 2)
		items, _ = s.call(key, "GET", "/api/audit?limit=250&cursor="+next, "").list()
		require.Len(t, items, 3)
	})
}

// A change whose entry cannot be written has happened, and the log has it instead.
func TestTrailThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var counted []string
	s := newService(t, func(cfg *config) {
		cfg.Service.Store = forgetful{cfg.Service.Store}
		cfg.Logger = slog.New(slog.NewJSONHandler(&log, nil))
		cfg.Service.Audited = func(_ context.Context, action string) { counted = append(counted, action) }
	})
	s.admin(http.StatusCreated, "POST", "/api/owners", `{"name":"a"}`)
	require.Equal(t, []string{"create-owner"}, counted)
	require.Contains(t, log.String(), `"level":"ERROR","msg":"audit","action":"create-owner","actor":"admin key"`)
	require.Contains(t, log.String(), `"not_stored":"the disk is full"`)
	s.call("prk_wrong", "GET", "/api/owners", "").is(http.StatusUnauthorized)
	require.Equal(t, models.ActionSignInFailed, counted[1])
}

type forgetful struct{ service.Store }

func (forgetful) RecordAudit(context.Context, *models.AuditEntry) error {
	return errors.New("the disk is full")
}

// Failed sign-ins are in the trail of administrators, by address.
func TestFailedSignInsAreInTheTrail(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, key := s.owner("a")
	s.call("", "GET", "/api/owners", "").is(http.StatusUnauthorized)
	require.Empty(t, s.trail(adminKey, "&action=sign-in-failed"), "who has no key at all has only looked")
	s.call("prk_wrong", "GET", "/api/owners", "").is(http.StatusUnauthorized)
	entries := s.trail(adminKey, "&action=sign-in-failed")
	require.Len(t, entries, 1)
	require.Equal(t, "127.0.0.1", entries[0]["address"])
	require.Nil(t, entries[0]["actor"])
	require.EqualValues(t, 1, entries[0]["count"])
	require.NotContains(t, fmt.Sprint(entries), "prk_wrong")
	require.NotContains(t, fmt.Sprint(s.trail(key, "")), "sign-in-failed")
}
