package attempt_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

func (r *rig) transform(source string) {
	r.t.Helper()
	_, err := r.store.UpdateWebhook(r.t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
		w.Transform = source
		return nil
	})
	require.NoError(r.t, err)
}

// A transformation makes what is sent, signed and the same on every attempt.
func TestTransformedDataAreSent(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.transform(`{"kept": data, "b": data.b, "a": event.type, "at": event.time, "to": webhook.host}`)
		r.status = http.StatusInternalServerError
		require.Equal(t, models.StatusFailed, r.deliver(1).Status)
		require.Equal(t, models.StatusFailed, r.deliver(2).Status)
		require.Equal(t, r.bodies[0], r.bodies[1])
		require.Equal(t, fmt.Sprintf(`{"id":"%s","event":"order.created","event_id":"%s","timestamp":"2026-01-02T03:04:05.123456Z",`+
			`"data":{"a":"order.created","at":"2026-01-02T03:04:05.123456Z","b":1,"kept":{"b":1.0, "a":1e3},"to":"%s"}}`,
			r.delivery.ID, r.delivery.EventID, r.webhook.Host), r.bodies[0])
		signer, err := signature.NewSigner(storetest.Secret)
		require.NoError(t, err)
		require.Equal(t, signer.Standard(r.delivery.ID, now, []byte(r.bodies[0])), r.requests[0].Header.Get("Webhook-Signature"))

		event, err := r.store.Event(t.Context(), models.Scope{}, r.delivery.EventID)
		require.NoError(t, err)
		require.Equal(t, `{"b":1.0, "a":1e3}`, string(event.Data), "the event keeps its data")
	})
}

// A transformation that fails is a failed attempt without a request; once it is put right, the delivery goes on.
func TestTransformThatFails(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.transform(`{"total": data.amount}`)
		result := r.deliver(1)
		require.Equal(t, models.StatusFailed, result.Status)
		require.Equal(t, models.ErrorTransform, result.ErrorClass)
		require.Equal(t, "transform: line 1, column 15: there is no such member; ask has(…) first, or write .?name.orValue(…)", result.Error)
		require.NotNil(t, result.NextAttemptAt)
		require.Empty(t, r.requests)
		logged := r.attempts()
		require.Len(t, logged, 1)
		require.Equal(t, models.ErrorTransform, logged[0].ErrorClass)
		require.Nil(t, logged[0].StatusCode)

		r.transform(`{"total": data.b}`)
		require.Equal(t, models.StatusDelivered, r.deliver(2).Status)
		require.Contains(t, r.bodies[0], `"data":{"total":1}}`)
	})
}

// Without a workflow too.
func TestFirstAttemptIsTransformed(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.transform(`[data.b, webhook.metadata.plan, webhook.external_id]`)
		name := "primary"
		_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
			w.Metadata, w.ExternalID = models.Metadata{"plan": "pro"}, &name
			return nil
		})
		require.NoError(t, err)
		published, err := r.store.Publish(t.Context(), models.Event{Type: "order.created", Data: []byte(`{"b":2}`)})
		require.NoError(t, err)
		job, err := r.store.Job(t.Context(), published.Deliveries[0].ID, "")
		require.NoError(t, err)
		if len(published.Jobs) > 0 {
			job = published.Jobs[0]
		}
		require.True(t, r.maker.MakeFirst(t.Context(), job))
		require.Contains(t, r.bodies[0], `"data":[2,"pro","primary"]}`)
	})
}
