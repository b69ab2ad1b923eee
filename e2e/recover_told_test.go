package e2e

import (
	"encoding/json"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/contract"
)

// printed matches the commands of notices: method, path and body.
var printed = regexp.MustCompile(`curl -X ([A-Z]+) \S+?(/api/\S+) -H "Authorization: Bearer \$POSTRIDER_KEY" -d '([^']+)'`)

// told waits for a notice that prints commands with a body, and returns them by method and path.
func told(t *testing.T, slack *receiver) map[string]verbatim {
	t.Helper()
	commands := map[string]verbatim{}
	eventually(t, func() bool {
		for _, post := range slack.all() {
			for _, command := range printed.FindAllStringSubmatch(slackText(t, post.body), -1) {
				commands[command[1]+" "+command[2]] = verbatim(command[3])
			}
		}
		return len(commands) > 0
	}, "no notice prints a command")
	return commands
}

// recovered starts a recovery and waits for its end.
func (p *installation) recovered(t *testing.T, webhookID string, body any) recovery {
	t.Helper()
	var made recovery
	p.call(t, http.MethodPost, "/api/webhooks/"+webhookID+"/recover", body, http.StatusAccepted, &made)
	return p.awaitRecovery(t, made.ID, func(r recovery) bool { return r.Status == "completed" })
}

// TestRecoverWhatTheOwnerIsToldOf has a webhook disabled by the second of two events, while the first waits for its
// retry and before a third is published. With the commands of the notice all three arrive, once each. A pause is the
// same without a notice.
func TestRecoverWhatTheOwnerIsToldOf(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		target := newReceiver(t, func(n int, _ *http.Request) answer {
			switch n {
			case 1:
				return answer{status: http.StatusInternalServerError}
			case 2:
				return answer{status: http.StatusGone}
			}
			return answer{status: http.StatusOK}
		})
		slack := newReceiver(t, always(http.StatusOK))
		owner := p.newOwner(t, object{"slack_url": slack.url})
		hook := p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1h"}})
		waits := p.send(t, owner, object{"n": "A"})
		p.await(t, waits, "failed")
		gone := p.send(t, owner, object{"n": "B"})
		p.await(t, gone, "permanently_failed")
		missed := p.publish(t, owner, "order.created", object{"n": "C"})
		require.Zero(t, missed.Deliveries)
		temporal := p.dial(t)
		require.NoError(t, temporal.SignalWorkflow(t.Context(), waits, "", contract.SignalResend, nil)) // its hour is over
		p.await(t, waits, "cancelled")

		commands, path := told(t, slack), "/api/webhooks/"+hook.ID
		p.call(t, http.MethodPatch, path, commands["PATCH "+path], http.StatusOK, nil)
		again := commands["POST "+path+"/recover"]
		three := int64(3)
		require.Equal(t, recovery{Status: "completed", Total: &three, Resent: 3}, withoutID(p.recovered(t, hook.ID, again)))
		requireEachOnce(t, target.await(t, 5)[2:], "A", "B", "C")
		p.await(t, waits, "delivered")
		p.await(t, gone, "delivered")
		made := p.deliveriesOf(t, missed.ID)
		require.Len(t, made, 1)
		require.Equal(t, []string{"schedule"}, p.await(t, made[0].ID, "delivered").triggers())

		paused := time.Now()
		p.call(t, http.MethodPatch, path, object{"active": false}, http.StatusOK, nil)
		require.Zero(t, p.publish(t, owner, "order.created", object{"n": "D"}).Deliveries)
		p.enable(t, hook.ID)
		one := int64(1)
		require.Equal(t, recovery{Status: "completed", Total: &one, Resent: 1},
			withoutID(p.recovered(t, hook.ID, object{"since": paused, "include": "missed"})))
		requireEachOnce(t, target.await(t, 6)[5:], "D")
		require.Zero(t, *p.recovered(t, hook.ID, again).Total, "nothing is recovered twice")
		p.settled(t)
		require.Equal(t, 6, target.count())
	})
}

// TestRecoverSinceTheFirstFailure has twelve deliveries fail at once, long after they were published. Since what the
// notice, the API and the operational event say, all twelve come back.
func TestRecoverSinceTheFirstFailure(t *testing.T) {
	t.Parallel()
	const events = 12
	onEach(t, func(t *testing.T, p *installation) {
		gate := newGate(t)
		target := newReceiver(t, func(n int, r *http.Request) answer {
			if n > events {
				return answer{status: http.StatusOK}
			}
			return gate.holding(n, always(http.StatusServiceUnavailable))(n, r)
		})
		slack, news := newReceiver(t, always(http.StatusOK)), newReceiver(t, always(http.StatusOK))
		owner := p.newOwner(t, object{"slack_url": slack.url})
		hook := p.newWebhook(t, owner, target.url, object{"events": []string{"order.*"}, "retry_schedule": []string{}})
		p.newWebhook(t, owner, news.url, object{"events": []string{"postrider.webhook.failing"}})
		ids := make([]string, events)
		for i := range ids {
			ids[i] = p.send(t, owner, object{})
		}
		target.await(t, events)
		published := time.Now()
		gate.open()
		for _, id := range ids {
			p.await(t, id, "permanently_failed")
		}
		health := *p.health(t, hook.ID).FirstFailureAt
		require.Greater(t, health.Add(time.Millisecond), published, "an attempt's duration is cut to milliseconds")
		var event struct {
			Data struct {
				FirstFailureAt time.Time `json:"first_failure_at"`
			} `json:"data"`
		}
		require.NoError(t, json.Unmarshal(news.await(t, 1)[0].body, &event))
		require.Equal(t, health.UTC(), event.Data.FirstFailureAt.UTC())
		var notice struct {
			Since time.Time `json:"since"`
		}
		command := told(t, slack)["POST /api/webhooks/"+hook.ID+"/recover"]
		require.NoError(t, json.Unmarshal([]byte(command), &notice))
		require.Equal(t, health.UTC().Truncate(time.Second), notice.Since.UTC())

		all := int64(events)
		require.Equal(t, recovery{Status: "completed", Total: &all, Resent: all},
			withoutID(p.recovered(t, hook.ID, object{"since": health, "rate": 100})))
		for _, id := range ids {
			p.await(t, id, "delivered")
		}
		p.settled(t)
		require.Equal(t, 2*events, target.count())
	}, directly)
}

func withoutID(r recovery) recovery {
	r.ID = ""
	return r
}

// requireEachOnce says that requests brought these events, each once.
func requireEachOnce(t *testing.T, requests []request, want ...string) {
	t.Helper()
	var got []string
	for _, request := range requests {
		var body struct {
			Data struct {
				N string `json:"n"`
			} `json:"data"`
		}
		require.NoError(t, json.Unmarshal(request.body, &body))
		got = append(got, body.Data.N)
	}
	require.ElementsMatch(t, want, got)
}
