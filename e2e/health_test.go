package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// health is what the API shows of a webhook's.
type health struct {
	Status              string     `json:"status"`
	ConsecutiveFailures int        `json:"consecutive_failures"`
	FailedDeliveries    int        `json:"failed_deliveries"`
	FirstFailureAt      *time.Time `json:"first_failure_at"`
	LastSuccessAt       *time.Time `json:"last_success_at"`
}

func (p *installation) health(t testing.TB, webhookID string) health {
	t.Helper()
	var shown struct {
		Health health `json:"health"`
	}
	p.call(t, http.MethodGet, "/api/webhooks/"+webhookID, nil, http.StatusOK, &shown)
	return shown.Health
}

// giveUp has so many deliveries fail for good, one after the other.
func (p *installation) giveUp(t testing.TB, owner string, deliveries int) {
	t.Helper()
	for range deliveries {
		p.await(t, p.send(t, owner, object{}), "permanently_failed")
	}
}

// TestWebhookHealth lets a webhook fail, recover, flap, and be disabled, by time and by 410, while the processes
// are killed in between. Its owner is told of each turn once, by message and by operational event.
func TestWebhookHealth(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		var status atomic.Int64
		status.Store(http.StatusInternalServerError)
		target := newReceiver(t, func(int, *http.Request) answer { return answer{status: int(status.Load())} })
		slack, news := newReceiver(t, always(http.StatusOK)), newReceiver(t, always(http.StatusOK))
		owner := p.newOwner(t, object{"slack_url": slack.url})
		id := p.newWebhook(t, owner, target.url, object{"events": []string{"order.*"}, "retry_schedule": []string{}}).ID
		p.newWebhook(t, owner, news.url, object{"events": []string{"postrider.webhook.*"}})
		told := turns{failing: 0}
		requireTold := func() {
			t.Helper()
			eventually(t, func() bool { return told.arrived(t, slack, news) }, "not told of %+v", told)
			p.settled(t)
			require.True(t, told.arrived(t, slack, news), "told of more than %+v", told)
		}
		crash := func() {
			t.Helper()
			p.killPostrider()
			p.killTemporal()
			p.start(t)
		}

		// Ten in a row, whatever process counts them.
		p.giveUp(t, owner, 6)
		crash()
		p.giveUp(t, owner, 3)
		require.Equal(t, "healthy", p.health(t, id).Status)
		p.giveUp(t, owner, 1)
		told.failing++
		shown := p.health(t, id)
		require.Equal(t, "failing", shown.Status)
		require.Equal(t, 10, shown.ConsecutiveFailures)
		require.Equal(t, 10, shown.FailedDeliveries)
		require.Nil(t, shown.LastSuccessAt)
		requireTold()
		crash()
		p.giveUp(t, owner, 2)
		requireTold()

		// It recovers, and fails again within the hour.
		status.Store(http.StatusOK)
		p.await(t, p.send(t, owner, object{}), "delivered")
		told.recovered++
		requireTold()
		shown = p.health(t, id)
		require.Equal(t, "healthy", shown.Status)
		require.Zero(t, shown.ConsecutiveFailures)
		require.NotNil(t, shown.LastSuccessAt)
		status.Store(http.StatusInternalServerError)
		p.giveUp(t, owner, 11)
		requireTold()

		// Nothing has succeeded for --disable-after.
		eventually(t, func() bool { return time.Since(*p.health(t, id).FirstFailureAt) > disableAfter }, "time stands still")
		p.giveUp(t, owner, 4)
		require.Equal(t, "disabled", p.health(t, id).Status)
		told.disabled++
		requireTold()
		require.Zero(t, p.publish(t, owner, "order.created", object{}).Deliveries)
		crash()
		require.Equal(t, "disabled", p.health(t, id).Status)
		p.enable(t, id)
		require.Equal(t, "healthy", p.health(t, id).Status)
		status.Store(http.StatusOK)
		p.await(t, p.send(t, owner, object{}), "delivered")

		// At once, by 410.
		status.Store(http.StatusGone)
		p.giveUp(t, owner, 1)
		told.disabled++
		requireTold()
		require.Zero(t, p.publish(t, owner, "order.created", object{}).Deliveries)
		p.enable(t, id)
		status.Store(http.StatusOK)
		p.await(t, p.send(t, owner, object{}), "delivered")
		requireTold()
	}, "POSTRIDER_DISABLE_AFTER="+disableAfter.String(), "POSTRIDER_DISABLE_AFTER_DELIVERIES=15")
}

// disableAfter takes the place of the five days.
const disableAfter = 2 * time.Second

func (p *installation) enable(t testing.TB, webhookID string) {
	t.Helper()
	p.call(t, http.MethodPatch, "/api/webhooks/"+webhookID, object{"active": true}, http.StatusOK, nil)
}

// turns counts what an owner is to be told of a webhook's health.
type turns struct{ failing, disabled, recovered int }

// arrived says whether that is what came: messages tell of failing and disabled, operational events of all.
func (want turns) arrived(t testing.TB, slack, news *receiver) bool {
	t.Helper()
	var messages, events turns
	for _, request := range slack.all() {
		switch text := slackText(t, request.body); {
		case strings.Contains(text, "Webhook failing"):
			messages.failing++
		case strings.Contains(text, "Webhook disabled"):
			messages.disabled++
		}
	}
	for _, request := range news.all() {
		var body struct {
			Event string `json:"event"`
		}
		require.NoError(t, json.Unmarshal(request.body, &body))
		switch body.Event {
		case "postrider.webhook.failing":
			events.failing++
		case "postrider.webhook.disabled":
			events.disabled++
		case "postrider.webhook.recovered":
			events.recovered++
		}
	}
	return events == want && messages == turns{failing: want.failing, disabled: want.disabled}
}

// TestOperationalEvents has one webhook fail for ever. Of its owner's other webhooks, one receives the news; one
// fails for ever itself, and that is no news of news.
func TestOperationalEvents(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		const orders = 12
		news := newReceiver(t, always(http.StatusOK))
		owner := p.newOwner(t, nil)
		fails := object{"retry_schedule": []string{"1s"}, "events": []string{"order.*", "postrider.*"}}
		broken := newReceiver(t, always(http.StatusInternalServerError))
		source := p.newWebhook(t, owner, broken.url, fails)
		p.newWebhook(t, owner, broken.url, fails)
		p.newWebhook(t, owner, news.url, object{"events": []string{"postrider.delivery.permanently_failed"}})
		everything := newReceiver(t, always(http.StatusOK))
		p.newWebhook(t, owner, everything.url, nil)

		failed := map[string]bool{}
		for range orders {
			for _, made := range p.deliveriesOf(t, p.publish(t, owner, "order.created", object{}).ID) {
				if p.await(t, made.ID, "permanently_failed", "delivered").Status == "permanently_failed" {
					failed[made.ID] = true
				}
			}
		}
		require.Len(t, failed, 2*orders)
		told := func() map[string]int {
			all := map[string]int{}
			for _, request := range news.all() {
				require.Equal(t, "postrider.delivery.permanently_failed", request.header.Get("X-Webhook-Event"))
				var body struct {
					Data struct {
						DeliveryID string `json:"delivery_id"`
						Host       string `json:"host"`
						StatusCode int    `json:"status_code"`
						Attempts   int    `json:"attempts"`
					} `json:"data"`
				}
				require.NoError(t, json.Unmarshal(request.body, &body))
				require.Equal(t, hostOf(t, broken.url), body.Data.Host)
				require.Equal(t, http.StatusInternalServerError, body.Data.StatusCode)
				require.Equal(t, 2, body.Data.Attempts)
				all[body.Data.DeliveryID]++
			}
			return all
		}
		eventually(t, func() bool { return len(told()) == len(failed) }, "not all failures are told")
		// Beside the orders: the failure of each goes to the two webhooks that ask for it and are not its own; so
		// does the news that either of the broken webhooks is failing, to the other one.
		expected := map[string]int{
			"order.created":                         3 * orders,
			"postrider.delivery.permanently_failed": 2 * orders * 2,
			"postrider.webhook.failing":             2,
		}
		made := func() map[string]int {
			all := map[string]int{}
			for _, delivery := range p.list(t, "/api/deliveries?limit=250&owner_id="+owner) {
				all[delivery.Event]++
				require.Contains(t, []string{"pending", "failed", "permanently_failed", "delivered"}, delivery.Status)
			}
			return all
		}
		ended := func() bool {
			for _, status := range []string{"pending", "failed"} {
				if len(p.list(t, "/api/deliveries?limit=250&status="+status+"&owner_id="+owner)) > 0 {
					return false
				}
			}
			return true
		}
		eventually(t, ended, "it goes on and on")
		p.settled(t)
		require.True(t, ended())
		require.Equal(t, expected, made())
		require.Equal(t, orders, everything.count(), "who asks for everything gets no news")
		for id, times := range told() {
			require.True(t, failed[id], "%s did not fail", id)
			require.Equal(t, 1, times, "%s is told again", id)
		}
		require.Equal(t, "failing", p.health(t, source.ID).Status)
	})
}
