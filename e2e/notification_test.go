package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
)

// ownerIsTold gives a delivery up and sees its owner told, once by mail and once through a Slack-compatible
// webhook, and once more each when a resend fails for good as well.
func ownerIsTold(t *testing.T, p *installation, mail *mailServer) {
	slack := newReceiver(t, always(http.StatusOK))
	target := newReceiver(t, always(http.StatusTeapot))
	email := "ops-" + hostOf(t, target.url)[len("127.0.0.1:"):] + "@example.com"
	owner := p.newOwner(t, object{"email": email, "slack_url": slack.url + "/services/T0/B0/token"})
	hook := p.newWebhook(t, owner, target.url+"/hook", object{
		"retry_schedule": []string{"1s", "1s"}, "description": "the warehouse",
	})
	id := p.send(t, owner, object{})
	temporal := p.dial(t)

	for round := 1; round <= 2; round++ {
		attempts := 3 * round
		target.await(t, attempts)
		p.await(t, id, "permanently_failed")
		awaitWorkflow(t, temporal, fmt.Sprintf("%s/notification/%d", id, attempts), "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
		posts, mails := slack.all(), mail.to(email)
		require.Len(t, posts, round)
		require.Len(t, mails, round)

		subject, text := mails[round-1].plain(t)
		require.Contains(t, subject, "order.created")
		chat := slackText(t, posts[round-1].body)
		for channel, told := range map[string]string{"mail": text, "Slack": chat} {
			for _, fact := range []string{
				hook.ID, "the warehouse", target.url + "/hook", "order.created", id, fmt.Sprint(attempts), "418",
				"/api/deliveries/" + id + "/resend", p.temporalUI,
			} {
				require.Contains(t, told, fact, channel)
			}
		}
		require.Equal(t, "/services/T0/B0/token", posts[round-1].path)
		if round == 1 {
			p.resend(t, id)
		}
	}
	shown := p.await(t, id, "permanently_failed")
	require.Equal(t, []string{"schedule", "schedule", "schedule", "resend", "schedule", "schedule"}, shown.triggers())
}

// slackText is all text of a Block Kit message, its markup undone.
func slackText(t testing.TB, body []byte) string {
	t.Helper()
	var decoded any
	require.NoError(t, json.Unmarshal(body, &decoded))
	var texts []string
	var collect func(any)
	collect = func(value any) {
		switch value := value.(type) {
		case string:
			texts = append(texts, value)
		case []any:
			for _, member := range value {
				collect(member)
			}
		case map[string]any:
			for _, member := range value {
				collect(member)
			}
		}
	}
	collect(decoded)
	return strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(strings.Join(texts, "\n"))
}
