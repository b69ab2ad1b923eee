package api_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// rows are those of the sources as the database has them.
func (s *server) rows() string {
	s.t.Helper()
	var rows []map[string]any
	require.NoError(s.t, s.db.Table("sources").Find(&rows).Error)
	var text bytes.Buffer
	for _, row := range rows {
		for name, value := range row {
			fmt.Fprintf(&text, "%s=%s\n", name, value)
		}
	}
	return text.String()
}

// A verify token is a credential: sealed where it is stored, never shown, and gone with its source.
func TestVerifyTokensAreCredentials(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		const token = "a-token-of-meta"
		made := s.call(adminKey, "POST", "/api/sources", sourceWith("hmac", plainSecret, `,"header":"X-Sign","verify_token":"`+token+`"`)).is(http.StatusCreated)
		id := text(t, made.object(), "id")
		require.NotContains(t, s.rows(), token)
		for _, reply := range []reply{
			made, s.admin(http.StatusOK, "GET", "/api/sources/"+id, ""), s.admin(http.StatusOK, "GET", "/api/sources", ""),
			s.admin(http.StatusOK, "PATCH", "/api/sources/"+id, `{"name":"y","header":"X-Sign-2"}`),
		} {
			require.NotContains(t, reply.body, token)
			require.Contains(t, reply.body, `"verify_token":"•••"`)
		}
		path := "/webhooks/" + id + "?hub.mode=subscribe&hub.challenge=42&hub.verify_token=" + token
		require.Equal(t, "42", s.call("", "GET", path, "").is(http.StatusOK).body)

		// One from before tokens were sealed works, and is sealed with the next change or by a change of keys.
		require.NoError(t, s.db.Exec(`UPDATE sources SET verify_token = ?, options = '{"header":"X-Sign","verify_token":"`+token+`"}'`, []byte{}).Error)
		require.Equal(t, "42", s.call("", "GET", path, "").is(http.StatusOK).body)
		_, err := s.store.RotateEncryption(t.Context())
		require.NoError(t, err)
		require.NotContains(t, s.rows(), token)
		require.Equal(t, "42", s.call("", "GET", path, "").is(http.StatusOK).body)

		s.admin(http.StatusNoContent, "DELETE", "/api/sources/"+id, "")
		var gone models.Source
		require.NoError(t, s.db.Where("id = ?", id).Take(&gone).Error)
		require.Empty(t, gone.Secrets)
		require.Empty(t, gone.VerifyToken)
		require.Equal(t, models.SourceOptions{}, gone.Options)
	})
}

// What a source receives is its owner's; only an administrator makes, or changes, one whose events reach everyone.
func TestOnlyAnAdministratorsSourceBroadcasts(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ownerID, key := s.owner("mine")
	_, other := s.owner("other")
	for _, who := range []string{adminKey, key, other} {
		s.webhook(who, "*")
	}
	cfg := signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{stripeSecret}}
	// deliveries is how many come of an event of a source that is made with a key.
	deliveries := func(key, more string) (sourceID string, n int) {
		made := s.call(key, "POST", "/api/sources", sourceWith("stripe", stripeSecret, more)).is(http.StatusCreated).object()
		sourceID = text(t, made, "id")
		body := `{"id":"evt_1","type":"a"}`
		s.call("", "POST", "/webhooks/"+sourceID, body, s.sign(cfg, body)...).is(http.StatusOK)
		s.process()
		events, _, err := s.store.Events(t.Context(), models.Scope{}, models.EventFilter{}, models.Page{Limit: 1})
		require.NoError(t, err)
		return sourceID, events[0].DeliveryCount
	}
	for _, test := range []struct {
		key, more string
		want      int
	}{
		{adminKey, "", 1}, {key, "", 1}, {adminKey, `,"owner_id":"` + ownerID + `"`, 1}, {adminKey, `,"broadcast":true`, 3},
	} {
		_, n := deliveries(test.key, test.more)
		require.Equal(t, test.want, n, test.more)
	}
	s.call(key, "POST", "/api/sources", sourceWith("stripe", stripeSecret, `,"broadcast":true`)).fault("body.broadcast")
	mine, _ := deliveries(key, "")
	s.call(key, "PATCH", "/api/sources/"+mine, `{"broadcast":true}`).fault("body.broadcast")
	everyones, n := deliveries(adminKey, `,"broadcast":true,"owner_id":"`+ownerID+`"`)
	require.Equal(t, 3, n)
	s.call(key, "PATCH", "/api/sources/"+everyones, `{"secret":"whsec_of-the-owner"}`).fault("body.broadcast")
	inbound := s.received()[0].ID
	s.call(key, "POST", "/api/inbound-events/"+inbound+"/reprocess", "").problem(http.StatusUnprocessableEntity, "invalid")
	s.admin(http.StatusAccepted, "POST", "/api/inbound-events/"+inbound+"/reprocess", "")
	s.admin(http.StatusOK, "PATCH", "/api/sources/"+everyones, `{"broadcast":false}`)
	s.call(key, "PATCH", "/api/sources/"+everyones, `{"secret":"whsec_of-the-owner"}`).is(http.StatusOK)
}
