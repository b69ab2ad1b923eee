package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/postrider/postrider/models"
)

// marked is an owner all of whose private things are marked, so that they can be searched for where they must
// not be.
type marked struct {
	*installation
	owner, email string
	hook         webhook
	// target gets the hook's requests, news what the owner is told of them by operational events.
	target, news, slack *receiver
	// marks are what is private, by what it is; secrets those of them that no answer shows but the first.
	marks, secrets map[string]string
	// refusals are the bodies of answers to requests that were refused.
	refusals map[string]string
}

func newMarked(t *testing.T, p *installation) *marked {
	t.Helper()
	m := &marked{installation: p, email: "private@example.com", secrets: map[string]string{}, refusals: map[string]string{}}
	m.marks = map[string]string{
		"data": rand.Text(), "response body": rand.Text(), "response header": rand.Text(), "webhook header": rand.Text(),
		"secret of a further signature": rand.Text(), "token in the URL": rand.Text(), "Slack URL": rand.Text(), "idempotency key": rand.Text(), "metadata": rand.Text(),
	}
	m.target = newReceiver(t, func(n int, _ *http.Request) answer {
		told := answer{status: http.StatusInternalServerError, body: m.marks["response body"],
			header: http.Header{"X-Told": {m.marks["response header"]}}}
		if n == 5 {
			told.status = http.StatusOK
		}
		return told
	})
	m.news = newReceiver(t, always(http.StatusOK))
	m.slack = newReceiver(t, func(int, *http.Request) answer {
		return answer{status: http.StatusNotFound, body: m.marks["response body"]}
	})
	m.owner = p.newOwner(t, object{"email": m.email, "slack_url": m.slack.url + "/" + m.marks["Slack URL"]})
	m.hook = p.newWebhook(t, m.owner, m.target.url+"/"+m.marks["token in the URL"]+"?token="+m.marks["token in the URL"], object{
		"retry_schedule": []string{"1s"}, "headers": object{"Authorization": "Bearer " + m.marks["webhook header"]},
		"signatures": []object{{"header": "X-Own-Signature", "secret": m.marks["secret of a further signature"]}},
	})
	news := p.newWebhook(t, m.owner, m.news.url, object{"events": []string{"postrider.delivery.permanently_failed"}})
	m.secret("secret", m.hook.Secret)
	m.secret("secret of a further signature", m.marks["secret of a further signature"])
	m.secret("secret of the other webhook", news.Secret)
	var key struct {
		Key string `json:"key"`
	}
	p.call(t, http.MethodPost, "/api/owners/"+m.owner+"/keys", nil, http.StatusCreated, &key)
	m.secret("owner's key", key.Key)
	return m
}

// secret marks what is shown once.
func (m *marked) secret(name, value string) {
	m.secrets[name] = strings.TrimPrefix(value, "whsec_")
	m.marks[name] = m.secrets[name]
}

// failAndResend uses up the schedule twice, each time with the owner told, before the fifth attempt succeeds.
// It returns the delivery's ID.
func (m *marked) failAndResend(t *testing.T, mail *mailServer) string {
	t.Helper()
	status, body, err := m.ask(t, http.MethodPost, "/api/events",
		object{"event": "order.created", "owner_id": m.owner, "data": object{"card": m.marks["data"]}, "metadata": object{"card": m.marks["metadata"]}},
		http.Header{"Idempotency-Key": {m.marks["idempotency key"]}})
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, status)
	var published event
	require.NoError(t, json.Unmarshal(body, &published))
	id := m.deliveriesOf(t, published.ID)[0].ID
	temporal := m.dial(t)
	for _, attempts := range []int{2, 4, 5} {
		eventually(t, func() bool { return m.delivery(t, id).AttemptCount >= attempts }, "attempt %d is not recorded", attempts)
		if attempts < 5 {
			given := m.await(t, id, "permanently_failed")
			awaitWorkflow(t, temporal, id, *given.Workflow.RunID, enumspb.WORKFLOW_EXECUTION_STATUS_FAILED)
			m.resend(t, id)
		}
	}
	m.await(t, id, "delivered")
	awaitWorkflow(t, temporal, id, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	for _, notification := range []string{id + "/notification/2", id + "/notification/4"} {
		// It failed: Slack refused it, which must not tell the URL either.
		awaitWorkflow(t, temporal, notification, "", enumspb.WORKFLOW_EXECUTION_STATUS_FAILED)
	}
	require.Len(t, mail.to(m.email), 2)
	m.news.await(t, 2)
	return id
}

// rotateAndRecover tests the webhook, rotates its secret and recovers a delivery that failed under both.
func (m *marked) rotateAndRecover(t *testing.T) {
	t.Helper()
	began := time.Now()
	path := "/api/webhooks/" + m.hook.ID
	var tested struct {
		Success bool   `json:"success"`
		Error   string `json:"error"`
	}
	m.call(t, http.MethodPost, path+"/test", nil, http.StatusOK, &tested)
	require.False(t, tested.Success)
	m.refusals["a test that fails"] = tested.Error
	var rotated webhook
	m.call(t, http.MethodPost, path+"/rotate-secret", object{"grace": "1h"}, http.StatusOK, &rotated)
	m.secret("rotated secret", rotated.Secret)
	m.await(t, m.send(t, m.owner, object{"card": m.marks["data"]}), "permanently_failed")
	var made recovery
	m.call(t, http.MethodPost, path+"/recover", object{"since": began}, http.StatusAccepted, &made)
	done := m.awaitRecovery(t, made.ID, func(r recovery) bool { return r.Status == "completed" })
	require.EqualValues(t, 1, done.Resent)
}

// fanOut publishes to so many webhooks that a workflow starts their deliveries.
func (m *marked) fanOut(t *testing.T) {
	t.Helper()
	const webhooks = 101
	many := newReceiver(t, always(http.StatusOK))
	owner := m.newOwner(t, nil)
	insertWebhooks(t, m.store(t), owner, many.url, webhooks)
	m.publish(t, owner, "order.created", object{"card": m.marks["data"]})
	many.await(t, webhooks)
}

// receive takes an event in, has it processed again, and refuses others.
func (m *marked) receive(t *testing.T) {
	t.Helper()
	m.marks["received body"], m.marks["refused body"], m.marks["verify token"] = rand.Text(), rand.Text(), rand.Text()
	m.secret("source's secret", "whsec_"+rand.Text())
	m.secret("another source's secret", rand.Text())
	var from, described source
	m.call(t, http.MethodPost, "/api/sources", object{"name": "Stripe", "scheme": "stripe", "owner_id": m.owner,
		"secret": "whsec_" + m.secrets["source's secret"]}, http.StatusCreated, &from)
	m.call(t, http.MethodPost, "/api/sources", object{"name": "Meta", "scheme": "hmac", "owner_id": m.owner, "header": "X-Signature",
		"secret": m.secrets["another source's secret"], "verify_token": m.marks["verify token"]}, http.StatusCreated, &described)

	status, _ := sendAsStripe(t, from.URL, stripeEvent(m.marks["received body"]), "whsec_"+m.secrets["source's secret"])
	require.Equal(t, http.StatusOK, status)
	received := m.awaitInbound(t, from.ID, "processed")
	m.call(t, http.MethodPost, "/api/inbound-events/"+received[0].ID+"/reprocess", nil, http.StatusAccepted, nil)
	m.awaitInbound(t, from.ID, "processed")

	for request, send := range map[string]func() (int, string){
		"a bad signature": func() (int, string) {
			return sendAsStripe(t, from.URL, stripeEvent(m.marks["refused body"]), rand.Text())
		},
		"an event without ID": func() (int, string) {
			return sendAsStripe(t, from.URL, []byte(`{"is":"`+m.marks["refused body"]+`"}`), "whsec_"+m.secrets["source's secret"])
		},
		"no signature": func() (int, string) {
			return askPlainly(t, http.MethodPost, from.URL, m.marks["refused body"], nil)
		},
		"a malformed signature": func() (int, string) {
			return askPlainly(t, http.MethodPost, described.URL, m.marks["refused body"], http.Header{"X-Signature": {m.marks["refused body"]}})
		},
		"a wrong token": func() (int, string) {
			query := url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {m.marks["refused body"]}, "hub.challenge": {m.marks["data"]}}
			return askPlainly(t, http.MethodGet, described.URL+"?"+query.Encode(), "", nil)
		},
	} {
		status, answer := send()
		require.GreaterOrEqual(t, status, 400, request)
		m.refusals[request] = answer
	}
	// Why they were refused is shown, and nothing of what they held.
	for _, id := range []string{from.ID, described.ID} {
		var shown source
		eventually(t, func() bool {
			m.call(t, http.MethodGet, "/api/sources/"+id, nil, http.StatusOK, &shown)
			return len(shown.Rejections) > 0
		}, "no rejection is shown")
		for i, rejection := range shown.Rejections {
			m.refusals[fmt.Sprintf("rejection %d of %s", i, id)] = rejection.Reason
		}
	}
}

// beRefused makes mistakes with private things in their hands.
func (m *marked) beRefused(t *testing.T) {
	t.Helper()
	m.marks["password in a URL"], m.marks["unknown key"] = rand.Text(), models.NewAPIKeyToken()
	hooks := "/api/webhooks"
	for _, mistake := range []struct{ path, body string }{
		{"/api/events", `{"event":"order.created","data":{"card":"` + m.marks["data"] + `"`},
		{"/api/events", `{"event":"` + m.marks["data"] + ` ","data":1}`},
		{"/api/events", `{"event":"a","data":1,"owner_id":"` + m.marks["data"] + `"}`},
		{"/api/events", `["` + m.marks["data"] + `"]`},
		{"/api/events", `{"event":"a","data":1,"metadata":{"card":"` + m.marks["metadata"] + `ü"}}`},
		{"/api/events", `{"event":"a","data":1,"webhook_ids":["` + m.marks["data"] + `"]}`},
		{"/api/owners", `{"name":"x","slack_url":"` + m.marks["Slack URL"] + `"}`},
		{"/api/sources", `{"name":"x","scheme":"standard-webhooks","secret":"whsec_` + m.marks["data"] + `!"}`},
		{"/api/sources", `{"name":"x","scheme":"` + m.secrets["source's secret"] + `","secret":"x"}`},
		{hooks, `{"url":"https://u:` + m.marks["password in a URL"] + `@example.com/","events":["*"]}`},
		{hooks, `{"url":"https://example.com:99999/` + m.marks["token in the URL"] + `","events":["*"]}`},
		{hooks, `{"url":"https://example.com/","events":["*"],"headers":{"X-A":"` + m.marks["webhook header"] + `\r\nX-B: 1"}}`},
		{hooks, `{"url":"https://example.com/","events":["*"],"headers":{"X-A":["` + m.marks["webhook header"] + `"]}}`},
		{hooks, `{"url":"https://example.com/","events":["*"],"description":["` + m.marks["data"] + `"]}`},
		{hooks, `{"url":"https://example.com/","events":["*"],"signatures":[{"header":"Host","secret":"` + m.secrets["secret of a further signature"] + `"}]}`},
		{hooks, `{"url":"https://example.com/","events":["*"],"signing":"ed25519","secret":"` + m.secrets["secret of a further signature"] + `"}`},
	} {
		status, answer := askPlainly(t, http.MethodPost, m.url+mistake.path, mistake.body, http.Header{"Authorization": {"Bearer " + m.adminKey}})
		require.GreaterOrEqual(t, status, 400, mistake.body)
		require.Less(t, status, 500, mistake.body)
		m.refusals[mistake.path+" "+mistake.body] = answer
	}
	status, answer := askPlainly(t, http.MethodPost, m.url+"/api/events",
		`{"event":"order.created","owner_id":"`+m.owner+`","data":"other"}`,
		http.Header{"Authorization": {"Bearer " + m.adminKey}, "Idempotency-Key": {m.marks["idempotency key"]}})
	require.Equal(t, http.StatusConflict, status, answer)
	m.refusals["a conflict"] = answer
	for _, authorization := range []string{"Bearer " + m.marks["unknown key"], "Bearer " + m.secrets["owner's key"] + "x",
		"Basic " + m.marks["unknown key"], m.secrets["owner's key"]} {
		status, answer := askPlainly(t, http.MethodGet, m.url+hooks, "", http.Header{"Authorization": {authorization}})
		require.Equal(t, http.StatusUnauthorized, status)
		m.refusals[authorization] = answer
	}
}

// markSignatures marks the signatures of all requests that arrived.
func (m *marked) markSignatures() {
	for i, request := range append(m.target.all(), m.news.all()...) {
		for _, name := range []string{"X-Webhook-Signature", "Webhook-Signature", "X-Own-Signature"} {
			for j, part := range strings.FieldsFunc(request.header.Get(name), func(r rune) bool { return r == ',' || r == ' ' }) {
				const shortest = 40 // not the version, not the time
				if len(part) >= shortest {
					m.secret(fmt.Sprintf("%s %d of request %d", name, j, i+1), strings.TrimPrefix(part, "v1="))
				}
			}
		}
	}
}

// requireNoSecretShown looks at whatever the API shows of the owner, and of its things by its own key.
func (m *marked) requireNoSecretShown(t *testing.T) {
	t.Helper()
	byOwner := *m.installation
	byOwner.adminKey = m.secrets["owner's key"]
	show := func(p *installation, path string) {
		t.Helper()
		status, answer, err := p.ask(t, http.MethodGet, path, nil, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, "%s: %s", path, answer)
		requireNone(t, string(answer), m.secrets, "%s", path)
	}
	for _, path := range []string{"/api/owners?limit=250", "/api/owners/" + m.owner, "/api/owners/" + m.owner + "/keys"} {
		show(m.installation, path)
	}
	for _, path := range []string{"/api/webhooks?include=headers", "/api/attempts?limit=250&include=request_headers,response_headers,response_body"} {
		show(&byOwner, path)
	}
	for _, list := range []string{"webhooks", "sources", "events", "deliveries", "inbound-events", "recoveries"} {
		path := "/api/" + list
		show(&byOwner, path)
		var page struct {
			Data []struct {
				ID string `json:"id"`
			} `json:"data"`
		}
		byOwner.call(t, http.MethodGet, path, nil, http.StatusOK, &page)
		require.NotEmpty(t, page.Data, list)
		for _, thing := range page.Data {
			show(&byOwner, path+"/"+thing.ID)
		}
	}
}

// askPlainly sends a request with nothing in it but what is given.
func askPlainly(t testing.TB, method, url, body string, header http.Header) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader([]byte(body)))
	require.NoError(t, err)
	maps.Copy(request.Header, header)
	response, err := httpClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(answer)
}
