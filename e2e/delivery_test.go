package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	stripe "github.com/stripe/stripe-go/v82/webhook"
	svix "github.com/svix/svix-webhooks/go"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/postrider/postrider/internal/contract"
)

// raw is JSON that must arrive byte for byte: white space, the order of keys, forms of numbers and escapes.
const raw = `{"b":1.0,  "a":1e3, "n":12345678901234567890, "é":"é <&>", "nested":{"z":[1, 2],"y":null}}`

// firstDelivery follows an event from the API to the receiver and to Temporal.
func firstDelivery(t *testing.T, p *installation) {
	target := newReceiver(t, func(int, *http.Request) answer {
		return answer{status: http.StatusCreated, body: "thank you"}
	})
	owner := p.newOwner(t, nil)
	hook := p.newWebhook(t, owner, target.url+"/hook?a=b", object{"headers": object{"X-Team": "blue"}})

	published := publishRaw(t, p, owner, "order.created", raw)
	require.Equal(t, 1, published.Deliveries)
	require.False(t, published.Duplicate)
	id := p.deliveriesOf(t, published.ID)[0].ID
	shown := p.await(t, id, "delivered")

	requests := target.all()
	require.Len(t, requests, 1)
	require.Equal(t, http.MethodPost, requests[0].method)
	require.Equal(t, "/hook?a=b", requests[0].path)
	requireContract(t, p, requests[0], hook.Secret, published, id, 1)
	require.Equal(t, "blue", requests[0].header.Get("X-Team"))
	require.Equal(t, []string{
		"Accept-Encoding", "Content-Length", "Content-Type", "User-Agent", "Webhook-Id", "Webhook-Signature", "Webhook-Timestamp",
		"X-Team", "X-Webhook-Attempt", "X-Webhook-Delivery", "X-Webhook-Event", "X-Webhook-Signature",
	}, sortedNames(requests[0].header))

	require.Equal(t, published.ID, shown.EventID)
	require.Equal(t, hook.ID, shown.WebhookID)
	require.Equal(t, owner, shown.OwnerID)
	require.Equal(t, "order.created", shown.Event)
	require.Equal(t, 1, shown.AttemptCount)
	require.Nil(t, shown.NextAttemptAt)
	require.NotNil(t, shown.DeliveredAt)
	require.Equal(t, http.StatusCreated, *shown.LastStatusCode)
	require.Nil(t, shown.LastError)
	require.Len(t, shown.Attempts, 1)
	only := shown.Attempts[0]
	require.Equal(t, 1, only.Number)
	require.Equal(t, "schedule", only.Trigger)
	require.Equal(t, http.StatusCreated, *only.StatusCode)
	require.Nil(t, only.ErrorClass)
	require.Nil(t, only.Error)
	require.Equal(t, "thank you", *only.ResponseBody)
	require.Equal(t, hostOf(t, target.url), *only.RemoteAddr)

	requireInTemporal(t, p, shown, hostOf(t, target.url))
}

// publishRaw publishes data whose bytes the test chooses.
func publishRaw(t *testing.T, p *installation, owner, eventType, data string) event {
	t.Helper()
	// An encoder would rewrite the data, so the request is put together by hand.
	body := fmt.Sprintf(`{"event":%q,"owner_id":%q,"data":%s}`, eventType, owner, data)
	var published event
	p.call(t, http.MethodPost, "/api/events", verbatim(body), http.StatusAccepted, &published)
	return published
}

// requireContract compares a request with section 3 of the design and verifies its signatures with libraries
// that are not ours.
func requireContract(t *testing.T, p *installation, r request, secret string, published event, id string, attempt int) {
	t.Helper()
	typeID := regexp.MustCompile(`^[a-z]+_[0-7][0-9a-hjkmnp-tv-z]{25}$`)
	require.Regexp(t, typeID, id)
	require.True(t, strings.HasPrefix(id, "dlv_"))
	require.True(t, strings.HasPrefix(published.ID, "evt_"))

	require.Equal(t, "application/json", r.header.Get("Content-Type"))
	require.Regexp(t, `^Postrider/\d+\.\d+\.\d+\S*$`, r.header.Get("User-Agent"))
	require.Equal(t, published.Event, r.header.Get("X-Webhook-Event"))
	require.Equal(t, id, r.header.Get("X-Webhook-Delivery"))
	require.Equal(t, strconv.Itoa(attempt), r.header.Get("X-Webhook-Attempt"))
	require.Equal(t, id, r.header.Get("Webhook-Id"))
	timestamp := r.header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	require.NoError(t, err)
	require.WithinDuration(t, r.at, time.Unix(seconds, 0), patience)
	require.Regexp(t, `^t=`+timestamp+`,v1=[0-9a-f]{64}$`, r.header.Get("X-Webhook-Signature"))
	require.Regexp(t, `^v1,[A-Za-z0-9+/]{43}=$`, r.header.Get("Webhook-Signature"))

	envelope := regexp.MustCompile(`^\{"id":"([^"]*)","event":"([^"]*)","event_id":"([^"]*)","timestamp":"([^"]*)","data":`)
	parts := envelope.FindSubmatch(r.body)
	require.NotNil(t, parts, "%s", r.body)
	require.Equal(t, id, string(parts[1]))
	require.Equal(t, published.Event, string(parts[2]))
	require.Equal(t, published.ID, string(parts[3]))
	at, err := time.Parse(time.RFC3339, string(parts[4]))
	require.NoError(t, err)
	var stored struct {
		CreatedAt time.Time `json:"created_at"`
	}
	p.call(t, http.MethodGet, "/api/events/"+published.ID, nil, http.StatusOK, &stored)
	require.True(t, stored.CreatedAt.Equal(at), "the event was published at %s, the body says %s", stored.CreatedAt, at)
	require.Equal(t, raw+"}", string(r.body[len(parts[0]):]), "the publisher's bytes are kept")

	requireVerified(t, r, secret)
}

// requireVerified has the libraries of Stripe, Standard Webhooks and Svix verify a request.
func requireVerified(t *testing.T, r request, secret string) {
	t.Helper()
	require.Regexp(t, `^whsec_[A-Za-z0-9+/]{43}=$`, secret)
	require.NoError(t, stripe.ValidatePayload(r.body, r.header.Get("X-Webhook-Signature"), secret))
	standard, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	require.NoError(t, standard.Verify(r.body, r.header))
	sv, err := svix.NewWebhook(secret)
	require.NoError(t, err)
	require.NoError(t, sv.Verify(r.body, r.header))

	// The checks bite: one changed byte, and none of them passes.
	forged := append([]byte(nil), r.body...)
	forged[len(forged)-2] ^= 1
	require.ErrorIs(t, stripe.ValidatePayload(forged, r.header.Get("X-Webhook-Signature"), secret), stripe.ErrNoValidSignature)
	require.Error(t, standard.Verify(forged, r.header))
	require.Error(t, sv.Verify(forged, r.header))
}

// requireInTemporal finds a delivery that succeeded at once where section 5 of the design says.
func requireInTemporal(t *testing.T, p *installation, shown delivery, host string) {
	t.Helper()
	temporal := p.dial(t)
	require.Equal(t, shown.ID, shown.Workflow.ID)
	require.NotNil(t, shown.Workflow.RunID)
	awaitWorkflow(t, temporal, shown.ID, *shown.Workflow.RunID, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)

	page := *shown.Workflow.URL
	require.True(t, strings.HasPrefix(page, p.temporalUI+"/"), page)
	require.Contains(t, page, shown.ID)
	response, err := httpClient.Get(page)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Contains(t, response.Header.Get("Content-Type"), "text/html")

	description, err := temporal.DescribeWorkflow(t.Context(), shown.ID, *shown.Workflow.RunID)
	require.NoError(t, err)
	require.Equal(t, "Delivery", description.WorkflowType.Name)
	require.Equal(t, "deliveries", description.TaskQueueName)
	for key, want := range map[string]string{
		"PostriderEvent": shown.Event, "PostriderWebhook": shown.WebhookID, "PostriderOwner": shown.OwnerID,
	} {
		awaitFound(t, temporal, shown.ID, fmt.Sprintf("%s='%s'", key, want))
	}
	attributes := description.TypedSearchAttributes
	eventType, _ := attributes.GetKeyword(contract.SearchEvent)
	require.Equal(t, shown.Event, eventType)
	webhookID, _ := attributes.GetKeyword(contract.SearchWebhook)
	require.Equal(t, shown.WebhookID, webhookID)
	ownerID, _ := attributes.GetKeyword(contract.SearchOwner)
	require.Equal(t, shown.OwnerID, ownerID)
	summary, err := description.GetStaticSummary()
	require.NoError(t, err)
	require.Equal(t, shown.Event+" → "+host, summary)

	history := historyOf(t, temporal, shown.ID, *shown.Workflow.RunID)
	require.Equal(t, []string{
		"WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted",
		"MarkerRecorded", "WorkflowExecutionCompleted",
	}, typesOf(history))
	require.True(t, history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetEagerExecutionAccepted())
}

// retries sees every attempt of a delivery carry the same ID and body under a fresh signature.
func retries(t *testing.T, p *installation) {
	target := newReceiver(t, failFirst(2, http.StatusInternalServerError))
	owner := p.newOwner(t, nil)
	hook := p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1s", "2s", "1h"}})
	published := publishRaw(t, p, owner, "order.created", raw)
	id := p.deliveriesOf(t, published.ID)[0].ID
	shown := p.await(t, id, "delivered")

	requests := target.all()
	require.Equal(t, []string{"1", "2", "3"}, attempts(requests))
	requireSameDelivery(t, id, requests)
	stamps := map[string]bool{}
	for i, request := range requests {
		requireContract(t, p, request, hook.Secret, published, id, i+1)
		stamps[request.header.Get("Webhook-Timestamp")] = true
	}
	require.Len(t, stamps, 3, "every attempt has its own timestamp")
	require.Equal(t, []string{"schedule", "schedule", "schedule"}, shown.triggers())
	require.Equal(t, "http_status", *shown.Attempts[0].ErrorClass)
	require.Equal(t, http.StatusInternalServerError, *shown.Attempts[0].StatusCode)
	require.Nil(t, shown.Attempts[2].ErrorClass)

	temporal := p.dial(t)
	awaitWorkflow(t, temporal, id, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	require.Equal(t, []timer{{time.Second, "retry 1 of 3"}, {2 * time.Second, "retry 2 of 3"}},
		timersOf(t, historyOf(t, temporal, id, "")))
}

// privateTarget is refused at once. Names are judged when they are sent to, because addresses change; package
// egress tests that.
func privateTarget(t *testing.T, p *installation) {
	owner := p.newOwner(t, nil)
	for _, target := range []string{"http://169.254.169.254/latest", "http://10.0.0.1/", "https://example.com:0/"} {
		var refused problem
		p.call(t, http.MethodPost, "/api/webhooks", object{"url": target, "events": []string{"*"}, "owner_id": owner},
			http.StatusUnprocessableEntity, &refused)
		require.Equal(t, "invalid", refused.Code)
	}
}

func hostOf(t testing.TB, raw string) string {
	t.Helper()
	parsed, err := url.Parse(raw)
	require.NoError(t, err)
	return parsed.Host
}

func sortedNames(header http.Header) []string {
	var names []string
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
