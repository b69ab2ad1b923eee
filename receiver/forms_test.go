package receiver_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

// slashCommand is the request that Slack's documentation of its signatures shows, with
// its secret, time and signature.
const (
	slashCommand = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V" +
		"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=" +
		"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN" +
		"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	slashSecret    = "8f742231b10e8888abcd99yyyzzz85a5"
	slashTime      = 1531420618
	slashSignature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
)

// TestSlackSlashCommand sends the request of Slack's documentation.
func TestSlackSlashCommand(t *testing.T) {
	t.Parallel()
	h := newHandler(t, receiver.Options{
		Provider: receiver.Slack, Secrets: []string{slashSecret},
		Now: func() time.Time { return time.Unix(slashTime, 0) },
	})
	var got []receiver.Event
	h.On("*", func(_ context.Context, e receiver.Event) error {
		got = append(got, e)
		return nil
	})
	header := headers("X-Slack-Request-Timestamp", "1531420618", "X-Slack-Signature", slashSignature, "Content-Type", form)
	for range 2 {
		requireReceived(t, post(h, header, slashCommand))
	}
	require.Len(t, got, 1)
	require.Equal(t, "398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c", got[0].ID)
	require.Equal(t, "/webhook-collect", got[0].Type)
	require.Contains(t, string(got[0].Data), `"response_url":"https://hooks.slack.com/commands/T1DC2JH3J/`)
	require.Equal(t, slashCommand, string(got[0].Body))
	requireRefused(t, http.StatusUnauthorized, post(h, header, slashCommand+"&a=1"))
}

// withType returns headers of a request with a Content-Type.
func withType(contentType string, pairs ...string) http.Header {
	return headers(append(pairs, "Content-Type", contentType)...)
}

// byField names events by fields of a form or of JSON.
func byField(id, typ string) receiver.Provider {
	return receiver.HMAC(receiver.HMACOptions{Signature: hmacFormat, IDField: id, TypeField: typ})
}

func TestParseForms(t *testing.T) {
	t.Parallel()
	const button = `payload=%7B%22type%22%3A%22block_actions%22%2C%22trigger_id%22%3A%221.2%22%7D`
	standard := receiver.StandardWebhooks
	testParse(t, []parseCase{
		{
			name: "button", provider: receiver.Slack, header: withType("Application/X-WWW-Form-Urlencoded; charset=; foo"), body: button,
			id: "1.2", typ: "block_actions", data: `{"type":"block_actions","trigger_id":"1.2"}`,
		},
		{name: "button with no content type", provider: receiver.Slack, body: button, id: "1.2", typ: "block_actions", data: `{"type":"block_actions","trigger_id":"1.2"}`},
		{
			name: "button with another field", provider: receiver.Slack, header: withType(form), body: button + "&x=1",
			id: "1.2", typ: "block_actions", data: `{"payload":"{\"type\":\"block_actions\",\"trigger_id\":\"1.2\"}","x":"1"}`,
		},
		{
			name: "form of neither kind", provider: receiver.Slack, header: withType(form), body: `a=b`, typ: "event",
			id: "sha256:42144f3939c3ffbbf0bf8b1f12affb5c23a4c5bd41e0ff672d54a5754f062058", data: `{"a":"b"}`,
		},
		{name: "unreadable form", provider: receiver.Slack, header: withType(form), body: `command=%zz`},
		{name: "no form and no JSON", provider: receiver.Slack, header: withType("application/json"), body: "\xff"},

		{name: "payload alone", provider: byField("payload.id", "payload.type"), header: withType(form), body: `payload=%7B%22id%22%3A7%2C%22type%22%3A%22a%22%7D`, id: "7", typ: "a", data: `{"id":7,"type":"a"}`},
		{name: "unpacked payload", provider: byField("id", "type"), header: withType(form), body: `payload=%7B%22id%22%3A7%2C%22type%22%3A%22a%22%7D`, id: "7", typ: "a", data: `{"id":7,"type":"a"}`},
		{name: "payload among others", provider: byField("no", "payload.type"), header: withType(form), body: `no=1&payload=%7B%22type%22%3A%22a%22%7D`, id: "1", typ: "a", data: `{"no":"1","payload":"{\"type\":\"a\"}"}`},
		{name: "fields of a form", provider: byField("SmsSid", "SmsStatus"), header: withType(form), body: `SmsSid=SM1&SmsStatus=sent`, id: "SM1", typ: "sent", data: `{"SmsSid":"SM1","SmsStatus":"sent"}`},
		{name: "repeated field", provider: byField("a", "b"), header: withType(form), body: `a=1&a=2&b=3`},
		{name: "first of a repeated field", provider: byField("a.0", "b"), header: withType(form), body: `a=1&a=2&b=3`, id: "1", typ: "3", data: `{"a":["1","2"],"b":"3"}`},

		{name: "type by another name", provider: standard, header: headers("webhook-id", "1"), body: `{"event_type":"a.b"}`, id: "1", typ: "a.b"},
		{name: "type in camel case", provider: standard, header: headers("webhook-id", "1"), body: `{"eventType":"a.b","data":1}`, id: "1", typ: "a.b", data: `1`},
		{name: "type that is an object", provider: standard, header: headers("webhook-id", "1"), body: `{"type":{},"eventType":"a"}`, id: "1", typ: "a"},
		{name: "array", provider: standard, header: headers("webhook-id", "1", "webhook-timestamp", "1767225600"), body: `[{"type":"a"}]`, id: "1", typ: "event", at: sentAt},
		{name: "string", provider: standard, header: headers("webhook-id", "1"), body: `"a"`, id: "1", typ: "event"},
		{name: "null", provider: standard, header: headers("webhook-id", "1"), body: `null`, id: "1", typ: "event"},
		{name: "text", provider: standard, header: withType("text/plain", "webhook-id", "1"), body: `hello`, id: "1", typ: "event", data: "none"},
		{name: "nothing", provider: standard, header: headers("webhook-id", "1"), id: "1", typ: "event", data: "none"},
		{name: "form", provider: standard, header: withType(form, "webhook-id", "1"), body: `type=a&n=1`, id: "1", typ: "a", data: `{"n":"1","type":"a"}`},
		{name: "own names", provider: standard.WithFields(receiver.Fields{ID: "event.id", Type: "event.kind"}), header: headers("webhook-id", "1"), body: `{"type":"x","event":{"id":2,"kind":"a"}}`, id: "2", typ: "a"},
		{name: "without its own names", provider: standard.WithFields(receiver.Fields{ID: "event.id", Type: "event.kind"}), header: headers("webhook-id", "1"), body: `{"type":"x"}`, id: "1", typ: "x"},
	})
}

// TestPaths reads names from anywhere in a body.
func TestPaths(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"a": "1", "b.c": "2", "b.d.0": "3", "b.d.1.e": "4", "f.g": "5", "b.f.g": "6", "packed.h": "7", "é": "8",
		"b": "", "b.d": "", "b.d.2": "", "b.d.-1": "", "b.d.x": "", "x": "", "b.x.y": "", "A": "", "a.b": "", "": "", ".": "", "n": "", "t": "",
		strings.Repeat("k.", 9) + "k": "9", strings.Repeat("k.", 10) + "k": "",
	} {
		body := `{"a":1,"b":{"c":2,"d":["3",{"e":4}],"f.g":6},"f.g":5,"packed":"{\"h\":7}","é":8,"n":null,"t":true,
			"k":` + strings.Repeat(`{"k":`, 9) + `9` + strings.Repeat(`}`, 10)
		p := receiver.HMAC(receiver.HMACOptions{Signature: hmacFormat}).WithFields(receiver.Fields{Type: path})
		got, err := p.Identify(http.Header{}, []byte(body))
		require.NoError(t, err)
		if want == "" {
			want = receiver.DefaultType
		}
		require.Equal(t, want, got.Type, path)
	}
}

// TestByteOrderMark sends bodies that begin with one, as it was signed, to every
// provider.
func TestByteOrderMark(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		provider receiver.Provider
		scheme   signature.Scheme
		body     string
		headers  []string
	}{
		{receiver.Postrider, signature.SchemePostrider, `{"id":"1","event":"a"}`, nil},
		{receiver.StandardWebhooks, signature.SchemeStandardWebhooks, `{"type":"a"}`, nil},
		{receiver.Stripe, signature.SchemeStripe, `{"id":"1","type":"a"}`, nil},
		{receiver.GitHub, signature.SchemeGitHub, `{"action":"a"}`, []string{"X-GitHub-Delivery", "1", "X-GitHub-Event", "issues"}},
		{receiver.Shopify, signature.SchemeShopify, `{"n":1}`, []string{"X-Shopify-Webhook-Id", "1", "X-Shopify-Topic", "a"}},
		{receiver.Slack, signature.SchemeSlack, `{"type":"url_verification_not","event_id":"1"}`, nil},
		{acme, signature.SchemeHMAC, `{"meta":{"event":{"id":1},"kind":"a"}}`, nil},
	} {
		t.Run(c.provider.String(), func(t *testing.T) {
			t.Parallel()
			h := newHandler(t, receiver.Options{Provider: c.provider})
			var got []receiver.Event
			h.On("*", func(_ context.Context, e receiver.Event) error {
				got = append(got, e)
				return nil
			})
			body := "\ufeff" + c.body
			requireReceived(t, post(h, sign(t, c.scheme, "1", body, c.headers...), body))
			require.Len(t, got, 1)
			require.Equal(t, c.body, string(got[0].Data))
			require.Equal(t, body, string(got[0].Body))
			requireRefused(t, http.StatusUnauthorized, post(h, sign(t, c.scheme, "1", c.body, c.headers...), body))
		})
	}
}

// TestSlackChecksItsCertificates answers the request that Slack sends now and then
// to the address of a slash command.
func TestSlackChecksItsCertificates(t *testing.T) {
	t.Parallel()
	reply, ok := receiver.Slack.Handshake(withType(form), []byte("ssl_check=1&token=x"))
	require.True(t, ok)
	require.JSONEq(t, receivedBody, string(reply.Body))
	_, ok = receiver.Slack.Handshake(withType(form), []byte("command=%2Fssl_check&text=1"))
	require.False(t, ok)
}
