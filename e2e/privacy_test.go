package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"google.golang.org/protobuf/proto"
)

// nothingPrivateTold lets deliveries succeed, fail for good, be resent and be cancelled, and then searches
// Temporal's histories and the processes' logs, which are at their most talkative, for what was marked: the
// payload, the receiver's answer, a header of the webhook, the secrets, the token within the URL.
func nothingPrivateTold(t *testing.T, p *installation, mail *mailServer) {
	marks := map[string]string{
		"data": rand.Text(), "response body": rand.Text(), "response header": rand.Text(), "webhook header": rand.Text(),
		"token in the URL": rand.Text(), "Slack URL": rand.Text(), "idempotency key": rand.Text(),
	}
	target := newReceiver(t, func(n int, _ *http.Request) answer {
		told := answer{status: http.StatusInternalServerError, body: marks["response body"],
			header: http.Header{"X-Told": {marks["response header"]}}}
		if n == 5 {
			told.status = http.StatusOK
		}
		return told
	})
	slack := newReceiver(t, func(int, *http.Request) answer {
		return answer{status: http.StatusNotFound, body: marks["response body"]}
	})
	const email = "private@example.com"
	owner := p.newOwner(t, object{"email": email, "slack_url": slack.url + "/" + marks["Slack URL"]})
	hook := p.newWebhook(t, owner, target.url+"/"+marks["token in the URL"]+"?token="+marks["token in the URL"], object{
		"retry_schedule": []string{"1s"}, "headers": object{"Authorization": "Bearer " + marks["webhook header"]},
	})
	marks["secret"] = strings.TrimPrefix(hook.Secret, "whsec_")
	var key struct {
		Key string `json:"key"`
	}
	p.call(t, http.MethodPost, "/api/owners/"+owner+"/keys", nil, http.StatusCreated, &key)
	marks["owner's key"] = key.Key

	// The schedule is used up twice, and the owner told each time, before the fifth attempt succeeds.
	status, body, err := p.ask(t, http.MethodPost, "/api/events",
		object{"event": "order.created", "owner_id": owner, "data": object{"card": marks["data"]}},
		http.Header{"Idempotency-Key": {marks["idempotency key"]}})
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, status)
	var published event
	require.NoError(t, json.Unmarshal(body, &published))
	id := p.deliveriesOf(t, published.ID)[0].ID
	temporal := p.dial(t)
	for _, attempts := range []int{2, 4, 5} {
		eventually(t, func() bool { return p.delivery(t, id).AttemptCount >= attempts }, "attempt %d is not recorded", attempts)
		if attempts < 5 {
			given := p.await(t, id, "permanently_failed")
			awaitWorkflow(t, temporal, id, *given.Workflow.RunID, enumspb.WORKFLOW_EXECUTION_STATUS_FAILED)
			p.resend(t, id)
		}
	}
	p.await(t, id, "delivered")
	awaitWorkflow(t, temporal, id, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	for _, notification := range []string{id + "/notification/2", id + "/notification/4"} {
		// It failed: Slack refused it, which must not tell the URL either.
		awaitWorkflow(t, temporal, notification, "", enumspb.WORKFLOW_EXECUTION_STATUS_FAILED)
		awaitFound(t, temporal, notification, "WorkflowType='Notification'")
	}
	require.Len(t, mail.to(email), 2)

	var runs []run
	eventually(t, func() bool {
		runs = find(t, temporal, "WorkflowId STARTS_WITH '"+id+"'")
		return len(runs) == 5
	}, "three runs of the delivery and two notifications are not found")
	told := 0
	for _, run := range runs {
		for _, event := range historyOf(t, temporal, run.workflowID, run.runID).GetEvents() {
			// On the wire, payloads are bytes; in JSON they would hide behind base64.
			encoded, err := proto.Marshal(event)
			require.NoError(t, err)
			requireNone(t, string(encoded), marks, "%s of %s", event.GetEventType(), run.workflowID)
			told += bytes.Count(encoded, []byte(id))
		}
	}
	require.NotZero(t, told, "the search finds what is there: the delivery's ID")
	for _, program := range p.programs {
		requireNone(t, program.Stdout.String()+program.Stderr.String(), marks, "the log of %s", program)
	}
}

// keysNotLogged searches everything that the processes wrote for the installation's keys. The welcome of
// postrider-dev, on its standard output, shows the administrator's.
func keysNotLogged(t *testing.T, p *installation) {
	t.Helper()
	marks := map[string]string{"admin key": p.adminKey, "encryption key": p.encryptionKey}
	for _, program := range p.programs {
		requireNone(t, program.Stderr.String(), marks, "the log of %s", program)
		told := program.Stdout.String()
		require.NotContains(t, told, p.encryptionKey)
		if _, rest, welcome := strings.Cut(told, "Try it"); welcome {
			require.Contains(t, rest, p.adminKey)
			continue
		}
		requireNone(t, told, marks, "the output of %s", program)
	}
}

// requireNone searches a text for marks, as they are and in the encodings that they could have got into.
func requireNone(t testing.TB, text string, marks map[string]string, where string, args ...any) {
	t.Helper()
	for name, mark := range marks {
		for _, form := range formsOf(mark) {
			if strings.Contains(text, form) {
				at := strings.Index(text, form)
				require.FailNowf(t, "told: "+name, where+": …%q…",
					append(args, text[max(0, at-300):min(len(text), at+len(form)+100)])...)
			}
		}
	}
}

// formsOf are a text and its encodings. Base64 depends on where in its input the text begins.
func formsOf(text string) []string {
	forms := []string{text, hex.EncodeToString([]byte(text))}
	for offset := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", offset) + text))
		// The digits at both ends depend on what stands beside the text.
		inner := encoded[(8*offset+5)/6 : (8*(offset+len(text)))/6]
		forms = append(forms, inner)
	}
	if decoded, err := base64.StdEncoding.DecodeString(text); err == nil && len(decoded) >= 16 {
		forms = append(forms, string(decoded))
	}
	return forms
}
