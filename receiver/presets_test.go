package receiver_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

// acme is an HMAC provider with everything that one can have.
var acme = receiver.HMAC(receiver.HMACOptions{
	Name: "acme", Signature: hmacFormat,
	IDField: "meta.event.id", IDHeader: "X-Acme-ID", TypeField: "meta.kind", TypeHeader: "X-Acme-Kind",
})

var (
	plain   = receiver.HMAC(receiver.HMACOptions{Signature: hmacFormat})
	byHead  = receiver.HMAC(receiver.HMACOptions{Signature: hmacFormat, IDHeader: "X-Acme-ID", TypeHeader: "X-Acme-Kind"})
	orderAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

const bodyHash = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // sha256sum of {}

// headers returns headers given as names and values, in canonical spelling.
func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

type parseCase struct {
	name     string
	provider receiver.Provider
	header   http.Header
	body     string
	id       string // empty: malformed
	typ      string
	at       time.Time
	data     string // the body if empty
}

var parseCases = []parseCase{
	{
		name: "as it is sent", provider: receiver.Postrider,
		header: headers("X-Webhook-Event", "order.created", "X-Webhook-Delivery", "dlv_1", "webhook-id", "dlv_1"),
		body:   `{"id":"dlv_1","event":"order.created","event_id":"evt_1","timestamp":"2026-01-02T03:04:05Z","data":{"n":1.0}}`,
		id:     "dlv_1", typ: "order.created", at: orderAt, data: `{"n":1.0}`,
	},
	{name: "body alone", provider: receiver.Postrider, body: `{"id":"dlv_1","event":"a"}`, id: "dlv_1", typ: "a"},
	{
		name: "headers alone", provider: receiver.Postrider,
		header: headers("X-Webhook-Event", "a", "X-Webhook-Delivery", "dlv_1"), body: `{}`, id: "dlv_1", typ: "a",
	},
	{name: "webhook-id alone", provider: receiver.Postrider, header: headers("webhook-id", "dlv_1"), body: `{"event":"a"}`, id: "dlv_1", typ: "a"},
	{name: "another ID", provider: receiver.Postrider, header: headers("X-Webhook-Delivery", "dlv_2"), body: `{"id":"dlv_1","event":"a"}`},
	{name: "another webhook-id", provider: receiver.Postrider, header: headers("webhook-id", "dlv_2"), body: `{"id":"dlv_1","event":"a"}`},
	{name: "IDs at odds", provider: receiver.Postrider, header: headers("webhook-id", "2", "X-Webhook-Delivery", "1"), body: `{"event":"a"}`},
	{name: "another type", provider: receiver.Postrider, header: headers("X-Webhook-Event", "b"), body: `{"id":"dlv_1","event":"a"}`},
	{name: "ID twice", provider: receiver.Postrider, header: headers("webhook-id", "dlv_1", "webhook-id", "dlv_1"), body: `{"id":"dlv_1","event":"a"}`},

	{
		name: "as the specification shows", provider: receiver.StandardWebhooks,
		header: headers("webhook-id", "msg_1", "webhook-timestamp", "1767225600", "webhook-signature", "v1,x"),
		body:   `{"type":"user.created","timestamp":"2026-01-02T04:04:05.000+01:00","data":{"id":7}}`,
		id:     "msg_1", typ: "user.created", at: orderAt, data: `{"id":7}`,
	},
	{
		name: "time of the header", provider: receiver.StandardWebhooks, header: headers("webhook-id", "1", "webhook-timestamp", "1767225600"),
		body: `{"type":"a"}`, id: "1", typ: "a", at: sentAt,
	},
	{
		name: "time in milliseconds", provider: receiver.StandardWebhooks, header: headers("webhook-id", "1", "webhook-timestamp", "1767225600"),
		body: `{"type":"a","timestamp":1767225600000}`, id: "1", typ: "a", at: sentAt,
	},
	{
		name: "Svix", provider: receiver.StandardWebhooks,
		header: headers("svix-id", "msg_1", "svix-timestamp", "1767225600", "svix-signature", "v1,x"),
		body:   `{"type":"a"}`, id: "msg_1", typ: "a", at: sentAt,
	},
	{
		name: "an unsigned ID beside Svix's", provider: receiver.StandardWebhooks,
		header: headers("svix-id", "right", "svix-timestamp", "1767225600", "svix-signature", "v1,x", "webhook-id", "forged", "webhook-timestamp", "1"),
		body:   `{"type":"a"}`, id: "right", typ: "a", at: sentAt,
	},
	{
		name: "Svix's unsigned ID", provider: receiver.StandardWebhooks,
		header: headers("svix-id", "forged", "svix-signature", "v1,x", "webhook-id", "right", "webhook-signature", "v1,x"),
		body:   `{"type":"a"}`, id: "right", typ: "a",
	},
	{
		name: "Postrider's", provider: receiver.StandardWebhooks, header: headers("webhook-id", "dlv_1"),
		body: `{"id":"dlv_1","event":"a","data":null}`, id: "dlv_1", typ: "a", data: `null`,
	},
	{name: "no ID", provider: receiver.StandardWebhooks, body: `{"id":"1","type":"a"}`},
	{name: "no type", provider: receiver.StandardWebhooks, header: headers("webhook-id", "1"), body: `{}`, id: "1", typ: "event"},
	{name: "not JSON", provider: receiver.StandardWebhooks, header: headers("webhook-id", "1"), body: `type=a`, id: "1", typ: "event", data: "none"},
	{
		name: "signature twice in two spellings", provider: receiver.StandardWebhooks,
		header: http.Header{"webhook-signature": {"v1,x"}, "Webhook-Signature": {"v1,x"}, "Webhook-Id": {"1"}}, body: `{"type":"a"}`,
	},

	{
		name: "snapshot", provider: receiver.Stripe,
		body: `{"id":"evt_1","object":"event","created":1767225600,"type":"invoice.paid","data":{"object":{"id":"in_1"}}}`,
		id:   "evt_1", typ: "invoice.paid", at: sentAt, data: `{"object":{"id":"in_1"}}`,
	},
	{
		name: "thin", provider: receiver.Stripe,
		body: `{"id":"evt_1","object":"v2.core.event","created":"2026-01-02T03:04:05.000Z","type":"v1.billing.meter.no_meter_found"}`,
		id:   "evt_1", typ: "v1.billing.meter.no_meter_found", at: orderAt,
	},
	{name: "no ID", provider: receiver.Stripe, body: `{"type":"invoice.paid"}`},
	{name: "ID null", provider: receiver.Stripe, body: `{"id":null,"type":"invoice.paid"}`},

	{
		name: "with an action", provider: receiver.GitHub, header: headers("X-GitHub-Delivery", "72d3", "X-GitHub-Event", "issues"),
		body: `{"action":"opened","issue":{}}`, id: "72d3", typ: "issues.opened",
	},
	{name: "without", provider: receiver.GitHub, header: headers("X-GitHub-Delivery", "72d3", "X-GitHub-Event", "push"), body: `{"ref":"x"}`, id: "72d3", typ: "push"},
	{name: "odd action", provider: receiver.GitHub, header: headers("X-GitHub-Delivery", "72d3", "X-GitHub-Event", "push"), body: `{"action":{}}`, id: "72d3", typ: "push"},
	{
		name: "form", provider: receiver.GitHub,
		header: headers("X-GitHub-Delivery", "72d3", "X-GitHub-Event", "issues", "Content-Type", "application/x-www-form-urlencoded"),
		body:   `payload=%7B%22action%22%3A%22opened%22%7D`, id: "72d3", typ: "issues.opened", data: `{"action":"opened"}`,
	},
	{
		name: "form without payload", provider: receiver.GitHub, body: `{"action":"opened"}`,
		header: headers("X-GitHub-Delivery", "72d3", "X-GitHub-Event", "issues", "Content-Type", "application/x-www-form-urlencoded"),
	},
	{
		name: "broken form", provider: receiver.GitHub, body: `payload=%7`,
		header: headers("X-GitHub-Delivery", "72d3", "X-GitHub-Event", "issues", "Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
	},
	{name: "no ID", provider: receiver.GitHub, header: headers("X-GitHub-Event", "push"), body: `{}`},
	{name: "no type", provider: receiver.GitHub, header: headers("X-GitHub-Delivery", "72d3"), body: `{"action":"opened"}`},
	{name: "a list", provider: receiver.GitHub, header: headers("X-GitHub-Delivery", "72d3", "X-GitHub-Event", "push"), body: `[]`},
	{name: "type twice", provider: receiver.GitHub, header: headers("X-GitHub-Delivery", "1", "X-GitHub-Event", "push", "X-GitHub-Event", "ping"), body: `{}`},
	{name: "ID twice", provider: receiver.GitHub, header: headers("X-GitHub-Delivery", "1", "X-GitHub-Delivery", "2", "X-GitHub-Event", "push"), body: `{}`},
	{name: "content type twice", provider: receiver.GitHub, header: headers("X-GitHub-Delivery", "1", "X-GitHub-Event", "push", "Content-Type", "a/b", "Content-Type", "a/b"), body: `{}`},

	{
		name: "as it is sent", provider: receiver.Shopify,
		header: headers("X-Shopify-Webhook-Id", "b545", "X-Shopify-Event-Id", "98b8", "X-Shopify-Topic", "orders/create", "X-Shopify-Triggered-At", "2026-01-02T03:04:05Z"),
		body:   `{"id":820982911946154508}`, id: "b545", typ: "orders/create", at: orderAt,
	},
	{name: "event ID alone", provider: receiver.Shopify, header: headers("X-Shopify-Event-Id", "98b8", "X-Shopify-Topic", "orders/create"), body: `[]`, id: "98b8/orders/create", typ: "orders/create"},
	{name: "no ID", provider: receiver.Shopify, header: headers("X-Shopify-Topic", "orders/create"), body: `{"id":1}`},
	{name: "no topic", provider: receiver.Shopify, header: headers("X-Shopify-Webhook-Id", "b545"), body: `{}`},
	{name: "XML", provider: receiver.Shopify, header: headers("X-Shopify-Webhook-Id", "b545", "X-Shopify-Topic", "orders/create"), body: `<order/>`},
	{name: "topic twice", provider: receiver.Shopify, header: headers("X-Shopify-Webhook-Id", "1", "X-Shopify-Topic", "a", "X-Shopify-Topic", "a"), body: `{}`},
	{name: "ID twice", provider: receiver.Shopify, header: headers("X-Shopify-Webhook-Id", "1", "X-Shopify-Webhook-Id", "1", "X-Shopify-Topic", "a"), body: `{}`},
	{name: "event ID twice", provider: receiver.Shopify, header: headers("X-Shopify-Event-Id", "1", "X-Shopify-Event-Id", "1", "X-Shopify-Topic", "a"), body: `{}`},
	{name: "time twice", provider: receiver.Shopify, header: headers("X-Shopify-Webhook-Id", "1", "X-Shopify-Topic", "a", "X-Shopify-Triggered-At", "b", "X-Shopify-Triggered-At", "b"), body: `{}`},

	{
		name: "event_callback", provider: receiver.Slack,
		body: `{"type":"event_callback","event_id":"Ev1","event_time":1767225600,"event":{"type":"app_mention","text":"hi"}}`,
		id:   "Ev1", typ: "app_mention", at: sentAt, data: `{"type":"app_mention","text":"hi"}`,
	},
	{
		name: "notice", provider: receiver.Slack, body: `{"type":"app_rate_limited","minute_rate_limited":1767225600}`,
		id: "sha256:1190ebb8642d68ef69dee17857e0361724ab8cf0fd0087d5de03ee04bbf9c69b", typ: "app_rate_limited",
	},
	{name: "no event ID", provider: receiver.Slack, body: `{"type":"event_callback","event":{"type":"app_mention"}}`},
	{name: "no inner type", provider: receiver.Slack, body: `{"type":"event_callback","event_id":"Ev1","event":{}}`},
	{name: "inner text", provider: receiver.Slack, body: `{"type":"event_callback","event_id":"Ev1","event":"app_mention"}`},
	{
		name: "slash command", provider: receiver.Slack, body: `command=%2Fweather&text=94070`, typ: "/weather",
		id: "sha256:8b769b0917e057dc515f0539685ac298139c9295006e7383459ebc79bb890549", data: `{"command":"/weather","text":"94070"}`,
	},

	{name: "plain", provider: plain, body: `{}`, id: bodyHash, typ: receiver.DefaultType},
	{name: "plain form", provider: plain, body: `a=b`, id: "sha256:42144f3939c3ffbbf0bf8b1f12affb5c23a4c5bd41e0ff672d54a5754f062058", typ: "event", data: "none"},
	{name: "plain and empty", provider: plain},
	{name: "by headers", provider: byHead, header: headers("X-Acme-ID", "7", "X-Acme-Kind", "paid"), body: `{}`, id: "7", typ: "paid"},
	{name: "by headers, not JSON", provider: byHead, header: headers("X-Acme-ID", "7", "X-Acme-Kind", "paid"), id: "7", typ: "paid", data: "none"},
	{name: "without its ID header", provider: byHead, header: headers("X-Acme-Kind", "paid"), body: `{}`},
	{name: "without its type header", provider: byHead, header: headers("X-Acme-ID", "7"), body: `{}`},
	{name: "ID twice", provider: byHead, header: headers("X-Acme-ID", "7", "X-Acme-ID", "7", "X-Acme-Kind", "paid"), body: `{}`},
	{name: "type twice", provider: byHead, header: headers("X-Acme-ID", "7", "X-Acme-Kind", "paid", "X-Acme-Kind", "paid"), body: `{}`},
	{name: "by fields", provider: acme, body: `{"meta":{"event":{"id":-12},"kind":"paid"}}`, id: "-12", typ: "paid"},
	{
		name: "signed fields first", provider: acme, header: headers("X-Acme-ID", "forged", "X-Acme-Kind", "forged"),
		body: `{"meta":{"event":{"id":12},"kind":"paid"}}`, id: "12", typ: "paid",
	},
	{name: "headers second", provider: acme, header: headers("X-Acme-ID", "7", "X-Acme-Kind", "paid"), body: `{"meta":7}`, id: "7", typ: "paid"},
	{name: "fields, but not JSON", provider: acme, header: headers("X-Acme-ID", "7", "X-Acme-Kind", "paid"), body: `a=b`},
}

func TestParse(t *testing.T) {
	t.Parallel()
	testParse(t, parseCases)
}

func testParse(t *testing.T, cases []parseCase) {
	t.Helper()
	for _, test := range cases {
		t.Run(test.provider.String()+"/"+test.name, func(t *testing.T) {
			t.Parallel()
			if test.header == nil {
				test.header = http.Header{}
			}
			event, err := test.provider.Parse(test.header, []byte(test.body))
			identity, identifyErr := test.provider.Identify(test.header, []byte(test.body))
			require.Equal(t, err, identifyErr)
			if test.id == "" {
				require.ErrorIs(t, err, receiver.ErrMalformed)
				require.Zero(t, event)
				return
			}
			require.NoError(t, err)
			require.Equal(t, receiver.Identity{ID: test.id, Type: test.typ}, identity)
			require.Equal(t, identity, receiver.Identity{ID: event.ID, Type: event.Type})
			require.Equal(t, test.at, event.Timestamp)
			require.Equal(t, test.header, event.Header)
			require.Equal(t, test.body, string(event.Body))
			switch test.data {
			case "none":
				require.Nil(t, event.Data)
			case "":
				require.Equal(t, test.body, string(event.Data))
			default:
				require.Equal(t, test.data, string(event.Data))
			}
		})
	}
}

func TestParseRefusesNames(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]string{
		"empty": "", "too long": strings.Repeat("x", 256), "NUL": "a\x00", "line break": "a\nb", "not UTF-8": "a\xff", "C1": "a\u0085",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := byHead.Parse(headers("X-Acme-ID", bad, "X-Acme-Kind", "paid"), nil)
			require.ErrorIs(t, err, receiver.ErrMalformed)
			_, err = byHead.Parse(headers("X-Acme-ID", "7", "X-Acme-Kind", bad), nil)
			require.ErrorIs(t, err, receiver.ErrMalformed)
		})
	}
	_, err := byHead.Parse(headers("X-Acme-ID", strings.Repeat("x", 255), "X-Acme-Kind", "bestellt ✓ & ß"), nil)
	require.NoError(t, err)
}

// What a provider identifies must be what package signature verified: of a header
// in two spellings, neither may use one and the other another.
func TestParseReadsHeadersInAnySpelling(t *testing.T) {
	t.Parallel()
	got, err := receiver.StandardWebhooks.Identify(http.Header{"WEBHOOK-ID": {"1"}, "X-Empty": nil}, []byte(`{"type":"a"}`))
	require.NoError(t, err)
	require.Equal(t, "1", got.ID)
	_, err = receiver.StandardWebhooks.Identify(http.Header{"webhoo\u212a-id": {"1"}}, []byte(`{"type":"a"}`))
	require.ErrorIs(t, err, receiver.ErrMalformed)
}

func TestForScheme(t *testing.T) {
	t.Parallel()
	for _, scheme := range []signature.Scheme{
		signature.SchemePostrider, signature.SchemeStandardWebhooks, signature.SchemeStripe,
		signature.SchemeGitHub, signature.SchemeShopify, signature.SchemeSlack,
	} {
		p, ok := receiver.ForScheme(scheme)
		require.True(t, ok)
		require.Equal(t, string(scheme), p.String())
	}
	for _, scheme := range []signature.Scheme{signature.SchemeHMAC, "", "pigeon"} {
		_, ok := receiver.ForScheme(scheme)
		require.False(t, ok)
	}
}

func TestZeroProvider(t *testing.T) {
	t.Parallel()
	_, err := receiver.Provider{}.Identify(http.Header{}, []byte(`{}`))
	require.ErrorIs(t, err, receiver.ErrInvalidOptions)
	_, ok := receiver.Provider{}.Handshake(http.Header{}, []byte(`{}`))
	require.False(t, ok)
}
