package service_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

const gitHubSecret = "a secret of GitHub's"

func gitHubHeader(body string) map[string][]string {
	mac := hmac.New(sha256.New, []byte(gitHubSecret))
	mac.Write([]byte(body))
	return map[string][]string{
		"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac.Sum(nil))}, "X-Github-Event": {"push"}, "X-Github-Delivery": {"d-1"},
	}
}

func (r *rig) source(t *testing.T, who service.Caller, in service.NewSource) models.Source {
	t.Helper()
	in.Name = "x"
	source, err := r.CreateSource(t.Context(), who, in)
	require.NoError(t, err)
	return source
}

// A request is judged as if it had come, and leaves nothing behind.
func TestTryRequest(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		r := newRig(t, db, service.Config{})
		source := r.source(t, r.mine, service.NewSource{Scheme: "github", Secret: gitHubSecret})
		body := `{"action": "created"}`

		_, tried, err := r.TryRequest(t.Context(), r.mine, source.ID, gitHubHeader(body), []byte(body))
		require.NoError(t, err)
		require.Equal(t, service.TriedRequest{ID: "d-1", ProviderType: "push.created", EventType: "github.push.created"}, tried)

		ping := gitHubHeader(body)
		ping["X-Github-Event"] = []string{"ping"}
		_, tried, err = r.TryRequest(t.Context(), r.mine, source.ID, ping, []byte(body))
		require.NoError(t, err)
		require.NotNil(t, tried.Reply)

		_, tried, err = r.TryRequest(t.Context(), r.mine, source.ID, gitHubHeader(body), []byte(body+"!"))
		require.NoError(t, err)
		require.ErrorIs(t, tried.Refused, signature.ErrSignatureMismatch)
		nameless := gitHubHeader(body)
		delete(nameless, "X-Github-Delivery")
		_, tried, err = r.TryRequest(t.Context(), r.mine, source.ID, nameless, []byte(body))
		require.NoError(t, err)
		require.ErrorIs(t, tried.Refused, receiver.ErrMalformed)

		_, _, err = r.TryRequest(t.Context(), r.theirs, source.ID, gitHubHeader(body), []byte(body))
		require.ErrorIs(t, err, models.ErrNotFound)

		events, _, err := r.ListInboundEvents(t.Context(), r.mine, models.InboundFilter{}, models.Page{})
		require.NoError(t, err)
		require.Empty(t, events)
		after, rejections, err := r.GetSource(t.Context(), r.mine, source.ID)
		require.NoError(t, err)
		require.Empty(t, rejections)
		require.Zero(t, after.Rejected)
	})
}

// What pasting does to a body is undone, and said.
func TestTryRequestAsItWasPasted(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), service.Config{})
	source := r.source(t, r.mine, service.NewSource{Scheme: "github", Secret: gitHubSecret})
	for _, test := range []struct {
		signed, pasted string
		want           service.Pasted
	}{
		{"{\n}", "{\n}", service.PastedAsItIs},
		{"{\r\n}", "{\r\n}", service.PastedAsItIs},
		{"{\n}", "{\r\n}", service.PastedLineEnds},
		{"{\n}\n", "{\r\n}\r\n", service.PastedLineEnds},
		{"{\n}", "{\r\n}\r\n", service.PastedEnd},
		{`{"a":1}`, "{\n  \"a\": 1\n}", service.PastedFormatted},
	} {
		_, tried, err := r.TryRequest(t.Context(), r.mine, source.ID, gitHubHeader(test.signed), []byte(test.pasted))
		require.NoError(t, err)
		require.NoError(t, tried.Refused, test.pasted)
		require.Equal(t, test.want, tried.Pasted, test.pasted)
	}
}

// A signature that was right once is told from a wrong one, and a type that cannot be published is refused.
func TestTryRequestOfLongAgo(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), service.Config{})
	secret := "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	source := r.source(t, r.mine, service.NewSource{Scheme: "postrider", Secret: secret})
	signer, err := signature.NewSigner(secret)
	require.NoError(t, err)
	body := []byte(`{"id":"dlv_1","event":"a.b","data":{}}`)
	for age, want := range map[time.Duration]error{0: nil, time.Hour: signature.ErrTimestampOutsideTolerance} {
		header := map[string][]string{signature.HeaderPostrider: {signer.Postrider(time.Now().Add(-age), body)}}
		_, tried, err := r.TryRequest(t.Context(), r.mine, source.ID, header, body)
		require.NoError(t, err)
		if want == nil {
			require.NoError(t, tried.Refused)
		} else {
			require.ErrorIs(t, tried.Refused, want)
		}
	}
	body = []byte(`{"id":"dlv_1","event":"webhook.failing","data":{}}`)
	header := map[string][]string{signature.HeaderPostrider: {signer.Postrider(time.Now(), body)}}
	_, tried, err := r.TryRequest(t.Context(), r.mine, source.ID, header, body)
	require.NoError(t, err)
	require.ErrorIs(t, tried.Refused, models.ErrUnusableType)
	require.Equal(t, service.CauseType, service.CauseOf(tried.Refused.Error()))
}

// What is kept of a rejection tells its cause.
func TestCausesOfRejections(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), service.Config{})
	source := r.source(t, r.mine, service.NewSource{Scheme: "github", Secret: gitHubSecret})
	body := []byte("{}")
	with := func(name, value string) map[string][]string {
		header := gitHubHeader(string(body))
		header[name] = []string{value}
		return header
	}
	for want, header := range map[service.RejectionCause]map[string][]string{
		service.CauseNoSignature:     {},
		service.CauseMismatch:        with("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64)),
		service.CauseMalformedHeader: with("X-Hub-Signature-256", "sha256=nothing"),
		service.CauseMalformed:       with("X-Github-Delivery", ""),
	} {
		_, err := r.Receive(t.Context(), source, "192.0.2.1", header, body)
		require.Error(t, err)
		require.Equal(t, want, service.CauseOf(err.Error()), err)
	}
	_, rejections, err := r.GetSource(t.Context(), r.mine, source.ID)
	require.NoError(t, err)
	require.Len(t, rejections, 4)
	for _, rejection := range rejections {
		require.NotEqual(t, service.CauseOther, service.CauseOf(rejection.Reason), rejection.Reason)
	}
	require.Equal(t, service.CauseVerifyToken, service.CauseOf(service.ErrWrongVerifyToken.Error()))
	require.Equal(t, service.CauseOther, service.CauseOf("the body is larger than 5 bytes"))
}

// Every provider uses the settings that it names, and no other.
func TestProviders(t *testing.T) {
	t.Parallel()
	settings := map[string][]string{}
	for _, provider := range service.Providers() {
		settings[provider.Scheme] = provider.Settings
	}
	require.Len(t, settings, 7)
	require.Empty(t, settings["github"])
	require.Equal(t, []string{"tolerance"}, settings["stripe"])
	require.Equal(t, []string{"id_field", "type_field", "tolerance"}, settings["standard-webhooks"])
	require.Equal(t, []string{"header", "prefix", "encoding", "hash", "id_header", "type_header", "id_field", "type_field"}, settings["hmac"])
}
