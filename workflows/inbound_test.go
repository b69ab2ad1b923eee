package workflows_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/workflows"
)

// inboundRig has a source whose events some webhooks want.
type inboundRig struct {
	t       *testing.T
	env     *testsuite.TestWorkflowEnvironment
	store   *store.Store
	started *starts
	source  models.Source
}

func newInboundRig(t *testing.T, open opener, webhooks int) *inboundRig {
	t.Helper()
	env, store, started := newStartRig(t, open, webhooks)
	source := models.Source{
		OwnerID: models.DefaultOwnerID, Name: "Stripe", Scheme: "stripe", EventPrefix: "stripe", Active: true,
	}
	require.NoError(t, store.CreateSource(t.Context(), &source, []string{"whsec_x"}))
	return &inboundRig{t: t, env: env, store: store, started: started, source: source}
}

func (r *inboundRig) receive(providerType, contentType, body string) models.InboundEvent {
	r.t.Helper()
	inbound := models.InboundEvent{
		SourceID: r.source.ID, OwnerID: r.source.OwnerID, ProviderID: "evt_1", Type: providerType,
		Headers: models.Headers{"Content-Type": contentType}, Body: []byte(body),
	}
	fresh, err := r.store.StoreInbound(r.t.Context(), &inbound)
	require.NoError(r.t, err)
	require.True(r.t, fresh)
	return inbound
}

func (r *inboundRig) process(id string) error {
	r.env.ExecuteWorkflow(workflows.Inbound, contract.InboundInput{InboundEventID: id})
	return r.env.GetWorkflowError()
}

func (r *inboundRig) row(id string) models.InboundEvent {
	r.t.Helper()
	inbound, err := r.store.InboundEvent(r.t.Context(), models.Scope{}, id)
	require.NoError(r.t, err)
	return inbound
}

func TestInboundIsPublishedToTheMatchingWebhooks(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for _, webhooks := range []int{0, 2, 250} {
			t.Run(fmt.Sprint(webhooks), func(t *testing.T) {
				t.Parallel()
				r := newInboundRig(t, open, webhooks)
				inbound := r.receive("payment_intent.succeeded", "application/json", `{"id":"evt_1", "n":1.0}`)
				require.NoError(t, r.process(inbound.ID))
				requireAllOnce(t, webhooks, r.started)
				row := r.row(inbound.ID)
				require.Equal(t, models.InboundProcessed, row.Status)
				require.Equal(t, 1, row.Attempts)
				require.NotNil(t, row.ProcessedAt)
				event, err := r.store.Event(t.Context(), models.Scope{}, row.EventID)
				require.NoError(t, err)
				require.Equal(t, "stripe.payment_intent.succeeded", event.Type)
				require.Equal(t, `{"id":"evt_1", "n":1.0}`, string(event.Data))
				require.Equal(t, r.source.OwnerID, event.OwnerID)
				require.Equal(t, webhooks, event.DeliveryCount)
			})
		}
	})
}

// A process that dies between the commit and its report to Temporal leaves an event that is processed again.
func TestInboundProcessedTwiceIsPublishedOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newInboundRig(t, open, 2)
		inbound := r.receive("charge.refunded", "application/json", `{}`)
		implementation := &activities.Activities{Store: r.store, Now: time.Now}
		first, err := implementation.ProcessInbound(t.Context(), activities.ProcessInput{InboundEventID: inbound.ID})
		require.NoError(t, err)
		again, err := implementation.ProcessInbound(t.Context(), activities.ProcessInput{InboundEventID: inbound.ID})
		require.NoError(t, err)
		require.Equal(t, first, again)
		require.Equal(t, 2, again.Deliveries)
		events, _, err := r.store.Events(t.Context(), models.Scope{}, models.EventFilter{}, models.Page{})
		require.NoError(t, err)
		require.Len(t, events, 1)
	})
}

func TestInboundBodiesBecomeJSON(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for name, test := range map[string]struct{ contentType, body, want string }{
			"json is kept":           {"application/json", `[1, 2.0]`, `[1, 2.0]`},
			"a form with a payload":  {"application/x-www-form-urlencoded", `payload=%7B%22a%22%3A1%7D`, `{"a":1}`},
			"any other form":         {"application/x-www-form-urlencoded; charset=utf-8", `b=2&a=1&a=3`, `{"a":["1","3"],"b":"2"}`},
			"a payload among others": {"application/x-www-form-urlencoded", `payload=5&amount=10&user=7`, `{"amount":"10","payload":"5","user":"7"}`},
			"an odd content type":    {"Application/X-WWW-Form-Urlencoded; charset=; foo", `a=1`, `{"a":"1"}`},
			"a byte order mark":      {"application/json", "\ufeff{\"a\": 1}", `{"a": 1}`},
			"one before a text":      {"text/plain", "\ufeffhello", `{"body":"hello"}`},
			"an unreadable form":     {"application/x-www-form-urlencoded", `a=%zz`, `{"body":"a=%zz"}`},
			"a text":                 {"text/plain", `hello "you"`, `{"body":"hello \"you\""}`},
			"bytes":                  {"application/octet-stream", "\xff\x00", `{"body_base64":"/wA="}`},
			"json that is not UTF-8": {"application/json", "\"\xff\"", `{"body_base64":"Iv8i"}`},
			"nothing":                {"", "", `{"body":""}`},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newInboundRig(t, open, 0)
				inbound := r.receive("x", test.contentType, test.body)
				require.NoError(t, r.process(inbound.ID))
				event, err := r.store.Event(t.Context(), models.Scope{}, r.row(inbound.ID).EventID)
				require.NoError(t, err)
				require.Equal(t, test.want, string(event.Data))
			})
		}
	})
}

func TestInboundWithoutAUsableTypeFails(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newInboundRig(t, open, 1)
		inbound := r.receive(strings.Repeat("x", 200), "application/json", `{}`)
		err := r.process(inbound.ID)
		var failure *temporal.ApplicationError
		require.ErrorAs(t, err, &failure)
		require.Equal(t, activities.ErrTypeInboundFailed, failure.Type())
		row := r.row(inbound.ID)
		require.Equal(t, models.InboundFailed, row.Status)
		require.Equal(t, 1, row.Attempts)
		require.Contains(t, row.Error, "event types have 128 at most")
		require.Empty(t, r.started.ids)
	})
}
