package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// httpClient asks the API. Nothing that it asks for takes long.
var httpClient = &http.Client{Timeout: 20 * time.Second}

// object is a JSON object to send, verbatim a body that is sent as it stands.
type (
	object   map[string]any
	verbatim string
)

// What the API answers, as far as the tests look at it.
type (
	webhook struct {
		ID             string  `json:"id"`
		OwnerID        string  `json:"owner_id"`
		Active         bool    `json:"active"`
		DisabledReason *string `json:"disabled_reason"`
		Secret         string  `json:"secret"`
	}
	event struct {
		ID         string `json:"id"`
		Event      string `json:"event"`
		Deliveries int    `json:"deliveries"`
		Duplicate  bool   `json:"duplicate"`
	}
	delivery struct {
		ID             string     `json:"id"`
		EventID        string     `json:"event_id"`
		WebhookID      string     `json:"webhook_id"`
		OwnerID        string     `json:"owner_id"`
		Event          string     `json:"event"`
		Status         string     `json:"status"`
		AttemptCount   int        `json:"attempt_count"`
		NextAttemptAt  *time.Time `json:"next_attempt_at"`
		WaitsFor       *string    `json:"waits_for"`
		DeliveredAt    *time.Time `json:"delivered_at"`
		CreatedAt      time.Time  `json:"created_at"`
		LastStatusCode *int       `json:"last_status_code"`
		LastError      *string    `json:"last_error"`
		CancelReason   *string    `json:"cancel_reason"`
		FilterError    *string    `json:"filter_error"`
		Workflow       struct {
			ID    string  `json:"id"`
			RunID *string `json:"run_id"`
			URL   *string `json:"url"`
		} `json:"workflow"`
		Attempts []loggedAttempt `json:"attempts"`
	}
	loggedAttempt struct {
		Number       int     `json:"number"`
		Trigger      string  `json:"trigger"`
		StatusCode   *int    `json:"status_code"`
		ErrorClass   *string `json:"error_class"`
		Error        *string `json:"error"`
		ResponseBody *string `json:"response_body"`
		RemoteAddr   *string `json:"remote_addr"`
	}
	problem struct {
		Status int    `json:"status"`
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}
)

// triggers lists what caused each attempt.
func (d delivery) triggers() []string {
	var all []string
	for _, attempt := range d.Attempts {
		all = append(all, attempt.Trigger)
	}
	return all
}

// ask calls the API as the administrator and returns the status and the body. An error means that there was
// no whole answer.
func (p *installation) ask(t testing.TB, method, path string, body any, header http.Header) (int, []byte, error) {
	t.Helper()
	var content io.Reader
	switch body := body.(type) {
	case nil:
	case verbatim:
		content = strings.NewReader(string(body))
	default:
		encoded, err := json.Marshal(body)
		require.NoError(t, err)
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, p.url+path, content)
	require.NoError(t, err)
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("Authorization", "Bearer "+p.adminKey)
	response, err := httpClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// call calls the API, insists on a status and decodes the answer unless into is nil.
func (p *installation) call(t testing.TB, method, path string, body any, status int, into any) {
	t.Helper()
	got, answer, err := p.ask(t, method, path, body, nil)
	require.NoError(t, err)
	require.Equal(t, status, got, "%s %s answered %s", method, path, answer)
	if into != nil {
		require.NoError(t, json.Unmarshal(answer, into), "%s", answer)
	}
}

// newOwner makes an owner, so that what a test publishes goes to its own webhooks only.
func (p *installation) newOwner(t testing.TB, more object) string {
	t.Helper()
	body := object{"name": t.Name()}
	for name, value := range more {
		body[name] = value
	}
	var owner struct {
		ID string `json:"id"`
	}
	p.call(t, http.MethodPost, "/api/owners", body, http.StatusCreated, &owner)
	return owner.ID
}

// newWebhook makes a webhook for all events of its owner.
func (p *installation) newWebhook(t testing.TB, ownerID, url string, more object) webhook {
	t.Helper()
	body := object{"url": url, "events": []string{"*"}, "owner_id": ownerID}
	for name, value := range more {
		body[name] = value
	}
	var made webhook
	p.call(t, http.MethodPost, "/api/webhooks", body, http.StatusCreated, &made)
	return made
}

// publish publishes to an owner's webhooks.
func (p *installation) publish(t testing.TB, ownerID, eventType string, data any) event {
	t.Helper()
	var published event
	p.call(t, http.MethodPost, "/api/events", object{"event": eventType, "data": data, "owner_id": ownerID},
		http.StatusAccepted, &published)
	return published
}

// send publishes order.created to one webhook, the owner's only one, and returns the delivery's ID.
func (p *installation) send(t testing.TB, ownerID string, data any) string {
	t.Helper()
	published := p.publish(t, ownerID, "order.created", data)
	require.Equal(t, 1, published.Deliveries)
	return p.deliveriesOf(t, published.ID)[0].ID
}

func (p *installation) deliveriesOf(t testing.TB, eventID string) []delivery {
	t.Helper()
	return p.list(t, "/api/deliveries?limit=250&event_id="+eventID)
}

// list reads all pages of a list of deliveries.
func (p *installation) list(t testing.TB, path string) []delivery {
	t.Helper()
	var all []delivery
	for cursor := ""; ; {
		var page struct {
			Data []delivery `json:"data"`
			Next *string    `json:"next_cursor"`
		}
		p.call(t, http.MethodGet, path+cursor, nil, http.StatusOK, &page)
		all = append(all, page.Data...)
		if page.Next == nil {
			return all
		}
		cursor = "&cursor=" + *page.Next
	}
}

func (p *installation) delivery(t testing.TB, id string) delivery {
	t.Helper()
	var found delivery
	p.call(t, http.MethodGet, "/api/deliveries/"+id, nil, http.StatusOK, &found)
	return found
}

// await waits until a delivery has one of the statuses and returns it with its attempts.
func (p *installation) await(t testing.TB, id string, statuses ...string) delivery {
	t.Helper()
	var found delivery
	eventually(t, func() bool {
		found = p.delivery(t, id)
		return slices.Contains(statuses, found.Status)
	}, "%s does not become %v", id, statuses)
	return found
}

func (p *installation) resend(t testing.TB, id string) {
	t.Helper()
	p.call(t, http.MethodPost, "/api/deliveries/"+id+"/resend", nil, http.StatusAccepted, nil)
}

// settled waits until everything that an event published now could wait behind has happened: a new event
// makes the whole way. What has not arrived by then is not on its way.
func (p *installation) settled(t testing.TB) {
	t.Helper()
	fence := newReceiver(t, always(http.StatusOK))
	owner := p.newOwner(t, nil)
	p.newWebhook(t, owner, fence.url, nil)
	p.await(t, p.send(t, owner, object{}), "delivered")
}
