package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// What can be changed is said; a webhook that was deleted cannot be set active.
func TestResendSaysWhyTheWebhookIsInactive(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id := s.webhook(adminKey, "a")
	_, delivery := s.delivery(adminKey, "a")
	s.admin(http.StatusOK, "PATCH", "/api/webhooks/"+id, `{"active":false}`)
	paused := s.call(adminKey, "POST", "/api/deliveries/"+delivery+"/resend", "").problem(http.StatusConflict, "webhook_inactive")
	require.Contains(t, paused.Detail, "set active to true first")
	s.admin(http.StatusNoContent, "DELETE", "/api/webhooks/"+id, "")
	deleted := s.call(adminKey, "POST", "/api/deliveries/"+delivery+"/resend", "").problem(http.StatusConflict, "webhook_inactive")
	require.Contains(t, deleted.Detail, "was deleted")
	require.NotContains(t, deleted.Detail, "active")
}
