package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// locations of the fields that an error names.
func locations(t *testing.T, err error) (names []string) {
	t.Helper()
	var wrong service.FieldsError
	require.ErrorAs(t, err, &wrong)
	for _, field := range wrong {
		require.NotEmpty(t, field.Message)
		names = append(names, field.Location)
	}
	return names
}

// One answer names every wrong field.
func TestWrongFieldsAreNamedTogether(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), service.Config{})
	ctx := t.Context()
	limit, secret := 0.0, "short"
	_, err := r.CreateWebhook(ctx, r.mine, service.NewWebhook{
		URL: refusedURL, Events: []string{"a", "*b"}, Headers: models.Headers{"Host": "x"}, Description: "\u200b", RateLimit: &limit,
		Secret: &secret, RetrySchedule: []service.Duration{{Text: "soon", Err: models.ErrBadDuration}}, OwnerID: r.theirs.OwnerID,
	})
	require.Equal(t, []string{"url", "events[1]", "headers.Host", "description", "rate_limit", "secret", "retry_schedule", "owner_id"}, locations(t, err))
	_, err = r.CreateSource(ctx, r.mine, service.NewSource{Scheme: "stripe", Secrets: []string{"whsec_1234567890", " "}, Broadcast: true})
	require.Equal(t, []string{"name", "secrets[1]", "broadcast"}, locations(t, err))
	key := "two words"
	_, err = r.Publish(ctx, r.mine, models.Event{Type: "a b", Data: []byte("1"), IdempotencyKey: &key, Broadcast: true})
	require.Equal(t, []string{"event", "idempotency_key", "broadcast"}, locations(t, err))
	_, _, err = r.ListDeliveries(ctx, r.mine, models.DeliveryFilter{WebhookIDs: []string{"x"}}, models.Page{})
	require.Equal(t, []string{"webhook_id"}, locations(t, err))
}

// Why a target is refused may tell what lies inside: owners do not see it.
func TestOnlyAdministratorsSeeWhyATargetIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), service.Config{})
	for message, who := range map[string]service.Caller{"url: is refused": r.mine, "url: is refused: it is 10.1.2.3": r.admin} {
		_, err := r.CreateWebhook(t.Context(), who, service.NewWebhook{URL: refusedURL, Events: []string{"*"}})
		require.EqualError(t, err, message)
	}
}
