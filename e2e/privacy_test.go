package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// nothingPrivateTold uses every feature with marked things, while the processes log all that they can, and then
// searches every workflow's history, every log and every refusal for the marks, and the database for secrets.
func nothingPrivateTold(t *testing.T, p *installation, mail *mailServer) {
	m := newMarked(t, p)
	id := m.failAndResend(t, mail)
	m.rotateAndRecover(t)
	m.signIn(t)
	m.fanOut(t)
	m.receive(t)
	m.beRefused(t)
	m.markSignatures()

	temporal := p.dial(t)
	require.NoError(t, temporal.ScheduleClient().GetHandle(t.Context(), contract.RetentionScheduleID).
		Trigger(t.Context(), client.ScheduleTriggerOptions{}))
	for _, workflowType := range []string{contract.TypeFanOut, contract.TypeInbound, contract.TypeNotification,
		contract.TypeRecovery, contract.TypeRetention, contract.TypeSweep} {
		eventually(t, func() bool {
			return len(find(t, temporal, "WorkflowType='"+workflowType+"' AND ExecutionStatus!='Running'")) > 0
		}, "no %s has ended", workflowType)
	}
	var runs []run
	eventually(t, func() bool {
		runs = find(t, temporal, "WorkflowId STARTS_WITH '"+id+"'")
		return len(runs) == 5
	}, "three runs of the delivery and two notifications are not found")
	told := 0
	for _, run := range find(t, temporal, "") {
		for _, event := range historyOf(t, temporal, run.workflowID, run.runID).GetEvents() {
			// On the wire, payloads are bytes; in JSON they would hide behind base64.
			encoded, err := proto.Marshal(event)
			require.NoError(t, err)
			requireNone(t, string(encoded), m.marks, "%s of %s", event.GetEventType(), run.workflowID)
			require.Empty(t, secretForm.FindString(string(encoded)), "%s of %s", event.GetEventType(), run.workflowID)
			told += bytes.Count(encoded, []byte(id))
		}
	}
	require.NotZero(t, told, "the search finds what is there: the delivery's ID")
	for _, program := range p.programs {
		requireNone(t, program.Stdout.String()+program.Stderr.String(), m.marks, "the log of %s", program)
	}
	for request, answer := range m.refusals {
		requireNone(t, answer, m.marks, "the answer to %s", request)
	}
	m.requireNoSecretShown(t)
	contents := storetest.Dump(t, storetest.Open(t, p.databaseURL))
	require.Contains(t, string(contents["webhooks.id"]), m.hook.ID, "the search sees the data")
	for column, content := range contents {
		requireNone(t, string(content), m.secrets, "%s", column)
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

// What every log is searched for has the form of what would be there.
func TestSecretForm(t *testing.T) {
	t.Parallel()
	secret, err := signature.NewSecret()
	require.NoError(t, err)
	signer, err := signature.NewSigner(secret)
	require.NoError(t, err)
	now, body := time.Now(), []byte(`{}`)
	for _, text := range []string{secret, models.NewAPIKeyToken(), signer.Postrider(now, body), signer.Standard("dlv_1", now, body)} {
		require.Regexp(t, secretForm, "error: "+text+" is wrong")
	}
	require.NotRegexp(t, secretForm, `method=GET route=/api/webhooks attempt=1 id=wh_01m88xs11pegb94bk1v27gkpzs v1,v2`)
}
