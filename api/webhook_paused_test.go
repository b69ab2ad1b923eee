package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
)

// A webhook that is made paused gets nothing until it is resumed.
func TestWebhookIsMadePaused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		publish := func() any {
			return s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"order.created","data":{}}`).object()["deliveries"]
		}
		const body = `{"url":"https://example.com","events":["*"],"active":`
		made := s.admin(http.StatusCreated, "POST", "/api/webhooks", body+`false}`).object()
		require.Equal(t, false, made["active"])
		require.Nil(t, made["disabled_reason"])
		require.EqualValues(t, 0, publish())
		s.admin(http.StatusOK, "PATCH", "/api/webhooks/"+text(t, made, "id"), `{"active":true}`)
		require.EqualValues(t, 1, publish())
		require.Equal(t, true, s.admin(http.StatusCreated, "POST", "/api/webhooks", body+`true}`).object()["active"])
	})
}
