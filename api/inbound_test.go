package api_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// The log of what was received is narrowed by source, type, status and time, and shows why processing failed.
func TestInboundLog(t *testing.T) {
	t.Parallel()
	s := newService(t)
	cfg := signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"whsec_of-stripe"}}
	sources := []string{
		s.source(`{"name":"x","scheme":"stripe","secret":"whsec_of-stripe"}`), s.source(`{"name":"y","scheme":"stripe","secret":"whsec_of-stripe"}`),
	}
	// Newest first, as the API lists them.
	var ids []string
	for i, eventType := range []string{"a", "b", "a"} {
		body := fmt.Sprintf(`{"id":"evt_%d","type":%q}`, i, eventType)
		s.call("", "POST", "/webhooks/"+sources[i%2], body, s.sign(cfg, body)...).is(http.StatusOK)
		ids = append([]string{s.received()[0].ID}, ids...)
	}
	require.NoError(t, s.store.FailInbound(t.Context(), ids[0], "cannot be published"))
	middle, err := s.store.InboundEvent(t.Context(), models.Scope{}, ids[1])
	require.NoError(t, err)
	since := middle.CreatedAt.Format(time.RFC3339Nano)
	for query, want := range map[string][]string{
		"":                         ids,
		"?source_id=" + sources[1]: ids[1:2],
		"?type=a":                  {ids[0], ids[2]},
		"?status=failed":           ids[:1],
		"?status=pending":          ids[1:],
		"?status=processed":        nil,
		"?since=" + since:          ids[:2],
		"?until=" + since:          ids[2:],
		"?type=a&status=pending&source_id=" + sources[0]: ids[2:],
	} {
		items, _ := s.admin(http.StatusOK, "GET", "/api/inbound-events"+query, "").list()
		var got []string
		for _, item := range items {
			got = append(got, text(t, item, "id"))
			require.NotContains(t, item, "body")
		}
		require.Equal(t, want, got, query)
	}
	failed := s.admin(http.StatusOK, "GET", "/api/inbound-events/"+ids[0], "").object()
	require.Equal(t, "cannot be published", failed["error"])
	require.EqualValues(t, 1, failed["attempts"])
	require.Equal(t, `{"id":"evt_2","type":"a"}`, failed["body"])
	s.admin(http.StatusAccepted, "POST", "/api/inbound-events/"+ids[0]+"/reprocess", "")
	again := s.admin(http.StatusOK, "GET", "/api/inbound-events/"+ids[0], "").object()
	require.Equal(t, "pending", again["status"])
	require.Nil(t, again["error"])
}
