package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	stripe "github.com/stripe/stripe-go/v82/webhook"
	svix "github.com/svix/svix-webhooks/go"
)

// movedEndpoint is an endpoint of an export, whose receiver goes on verifying as it did.
type movedEndpoint struct {
	path, owner, event, secret string
	verify                     func(t *testing.T, secret string, r request)
	// paused is the ID of a webhook that came over paused, channel what it asks for in the metadata of events.
	paused, channel string
}

// movedExports are exports of the form that other systems give, and what their receivers do.
var movedExports = []struct {
	system, file string
	arguments    []string
	refused      int
	endpoints    []movedEndpoint
}{
	{"svix", "svix.jsonl", nil, 0, []movedEndpoint{
		{"/svix/orders", "acme", "order.created", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", verifiedBySvix, "", ""},
		{"/svix/all", "acme", "order.created", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", verifiedBySvix, "acme-all", ""},
		{"/svix/channel", "app_2bXkzB7mE1UhN4wYc8KsFqRgLdT", "order.created", "whsec_plJ3nmyCDGBKInavdOK15jsl6Fmzxjq0", verifiedBySvix, "ep_2bXl1D9pG5WkQ7zBe2NvJtUiOxS", "project_123"},
	}},
	{"convoy", "convoy.json", nil, 0, []movedEndpoint{
		{"/convoy/simple", "acme", "order.created", "9KTV0cGzFZMoMvYPTHGDXpC2b", verifiedAsConvoySimple, "", ""},
		{"/convoy/advanced", "01HP7ZN1ADVANCED", "order.created", "T4vcnsaRrQpmGHtAKZCtLGvrM", verifiedAsConvoyAdvanced, "01HP7ZQ3ALL", ""},
	}},
	{"outpost", "outpost.jsonl", nil, 1, []movedEndpoint{
		{"/outpost/orders", "acme", "order.created", "whsec_dGhlIHNlY3JldCBvZiBhY21lIHBsYWlu", verifiedAsOutpost, "", ""},
		{"/outpost/orders", "acme", "order.created", "whsec_dGhlIHNlY3JldCBvZiBhY21lIHBsYWlu", verifiedByStandardWebhooks, "", ""},
	}},
	{"hook0", "hook0.json", []string{"--hook0-label", "tenant_id"}, 1, []movedEndpoint{
		{"/hook0/invoices", "acme", "billing.invoice.paid", "b8f9a1d0-1c2b-4e3f-8a5d-6c7e8f9a0b1c", verifiedAsHook0, "", ""},
	}},
	{"csv", "table.csv", []string{"--signature", `{"header":"Acme-Signature","prefix":"t={timestamp},v1=","signed":"{timestamp}.{body}"}`}, 4, []movedEndpoint{
		{"/table/orders", "acme", "order.created", "a-secret-of-the-old-system", verifiedByStripe, "", ""},
	}},
	{"json", "postrider.json", nil, 1, []movedEndpoint{
		{"/own/orders", "acme", "order.created", "a-secret-of-the-old-system", nil, "", ""},
	}},
}

// TestMovingIn imports an export of every system twice, of which the second time changes nothing, and publishes: every
// receiver verifies with the secret that it has, in the way that it verified before.
func TestMovingIn(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		for _, export := range movedExports {
			target := newReceiver(t, always(http.StatusOK))
			file := exportFor(t, export.file, export.system, target.url)
			arguments := append([]string{"import", file, "--from", export.system}, export.arguments...)
			first := p.command(t, min(export.refused, 1), arguments...)
			require.NotContains(t, first, ": unchanged ", export.system)
			require.Equal(t, export.refused, strings.Count(first, ": refused"), first)
			made := p.webhooksNow(t)

			second := p.command(t, min(export.refused, 1), arguments...)
			require.NotContains(t, second, ": created ", export.system)
			require.NotContains(t, second, ": changed ", export.system)
			require.Equal(t, strings.ReplaceAll(withoutNotes(first), ": created ", ": unchanged "), withoutNotes(second))
			require.Equal(t, made, p.webhooksNow(t))
			for _, endpoint := range export.endpoints {
				p.movedDelivery(t, target, export.system, endpoint)
			}
		}
	})
}

// exportFor writes an export of the tests of package moving, of which the receivers are here, and the owners are this
// system's own.
func exportFor(t *testing.T, name, system, receiver string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "internal", "moving", "testdata", name))
	require.NoError(t, err)
	text := strings.ReplaceAll(string(content), "https://receiver.example", receiver)
	text = regexp.MustCompile(`(?m)(^|")(acme|globex)([",])`).ReplaceAllString(text, "${1}${2}-of-"+system+"${3}")
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// command runs a command of the production binary against the installation and returns what it prints.
func (p *installation) command(t *testing.T, code int, arguments ...string) string {
	t.Helper()
	command := launch(t, []string{"POSTRIDER_URL=" + p.url, "POSTRIDER_KEY=" + p.adminKey}, "postrider", arguments...)
	require.Equal(t, code, command.exitCode(t), "%s\n%s", command.Stdout.Tail(), command.Stderr.Tail())
	said := command.Stdout.String()
	require.False(t, secretForm.MatchString(said), said)
	for _, export := range movedExports {
		for _, endpoint := range export.endpoints {
			require.NotContains(t, said, endpoint.secret)
		}
	}
	return said
}

// withoutNotes cuts off what was not carried over, and the sum.
func withoutNotes(said string) string {
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(said), "\n") {
		if strings.HasPrefix(line, "line ") {
			line, _, _ = strings.Cut(line, " (")
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// webhooksNow are all webhooks as the API shows them, without their health.
func (p *installation) webhooksNow(t *testing.T) map[string]object {
	t.Helper()
	var page struct {
		Data []object `json:"data"`
	}
	p.call(t, http.MethodGet, "/api/webhooks?limit=250&include=headers", nil, http.StatusOK, &page)
	all := map[string]object{}
	for _, webhook := range page.Data {
		delete(webhook, "health")
		all[webhook["id"].(string)] = webhook
	}
	return all
}

// movedDelivery publishes to a moved endpoint and lets its receiver verify.
func (p *installation) movedDelivery(t *testing.T, target *receiver, system string, endpoint movedEndpoint) {
	t.Helper()
	owner := strings.Replace(endpoint.owner, "acme", "acme-of-"+system, 1)
	if endpoint.paused != "" {
		for id, webhook := range p.webhooksNow(t) {
			if webhook["external_id"] == endpoint.paused {
				require.Equal(t, false, webhook["active"])
				p.call(t, http.MethodPatch, "/api/webhooks/"+id, object{"active": true}, http.StatusOK, nil)
			}
		}
	}
	publish := func(metadata object) (published event) {
		p.call(t, http.MethodPost, "/api/events", object{
			"event": endpoint.event, "owner_id": owner, "data": object{"amount": 1000, "to": endpoint.path}, "metadata": metadata,
		}, http.StatusAccepted, &published)
		return published
	}
	metadata := object{}
	if endpoint.channel != "" {
		require.Zero(t, publish(object{}).Deliveries, "the filter lets the channel's events pass only")
		metadata["channel"] = endpoint.channel
	}
	published := publish(metadata)
	require.Positive(t, published.Deliveries)
	for _, delivery := range p.deliveriesOf(t, published.ID) {
		p.await(t, delivery.ID, "delivered")
	}
	var got []request
	for _, r := range target.all() {
		if r.path == endpoint.path && strings.Contains(string(r.body), `"to":"`+endpoint.path+`"`) {
			got = append(got, r)
		}
	}
	require.NotEmpty(t, got, endpoint.path)
	last := got[len(got)-1]
	if endpoint.verify == nil {
		require.Contains(t, string(last.body), `"event":"`+endpoint.event+`"`, "in Postrider's envelope")
		return
	}
	require.JSONEq(t, `{"amount":1000,"to":"`+endpoint.path+`"}`, string(last.body), "the data alone")
	endpoint.verify(t, endpoint.secret, last)
}

func verifiedBySvix(t *testing.T, secret string, r request) {
	t.Helper()
	verifier, err := svix.NewWebhook(secret)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify(r.body, r.header))
	require.Error(t, verifier.Verify(append(r.body, ' '), r.header))
}

func verifiedByStandardWebhooks(t *testing.T, secret string, r request) {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify(r.body, r.header))
}

func verifiedByStripe(t *testing.T, secret string, r request) {
	t.Helper()
	require.NoError(t, stripe.ValidatePayload(r.body, r.header.Get("Acme-Signature"), secret))
	require.Equal(t, "key-of-acme", r.header.Get("X-Api-Key"))
}

// The forms of systems without a library for Go, as their documents describe them. Each is held against an example that
// the system publishes with its own code.

func verifiedAsConvoySimple(t *testing.T, secret string, r request) {
	t.Helper()
	const example = `{"event":"charge.success","amount":1000,"currency":"NGN"}`
	require.Equal(t, "244449b7f48cbc2709060c9dcdc2b3aa47a78f540430579015c579fb12defbb4", hexHMAC("convoy-webhook-secret", example))
	require.Equal(t, hexHMAC(secret, string(r.body)), r.header.Get("X-Convoy-Signature"))
}

func verifiedAsConvoyAdvanced(t *testing.T, secret string, r request) {
	t.Helper()
	const example = `1700000000,{"event":"charge.success","amount":1000,"currency":"NGN"}`
	require.Equal(t, "77b8b9269f25a199846a55a2bd25b3fba151c70fdae60bb1dcd87fbbc943c55c", hexHMAC("convoy-webhook-secret", example))
	parts := signatureParts(r.header.Get("X-Convoy-Signature"))
	require.Equal(t, hexHMAC(secret, parts["t"]+","+string(r.body)), parts["v1"])
}

func verifiedAsOutpost(t *testing.T, secret string, r request) {
	t.Helper()
	require.Equal(t, hexHMAC(secret, string(r.body)), signatureParts(r.header.Get("X-Outpost-Signature"))["v0"])
	require.Equal(t, "eu", r.header.Get("X-Outpost-Region"))
	require.Equal(t, "key-of-acme", r.header.Get("X-Api-Key"))
}

// verifiedAsHook0 does what Hook0's libraries do: the receiver takes the headers that the signature names.
func verifiedAsHook0(t *testing.T, secret string, r request) {
	t.Helper()
	require.Equal(t, "1b3d69df55f1e52f05224ba94a5162abeb17ef52cd7f4948c390f810d6a87e98", hexHMAC("secret", "1636936200.hello !"))
	parts := signatureParts(r.header.Get("X-Hook0-Signature"))
	var values []string
	for _, name := range strings.Split(parts["h"], " ") {
		require.NotEmpty(t, r.header.Get(name))
		values = append(values, r.header.Get(name))
	}
	signed := strings.Join([]string{parts["t"], parts["h"], strings.Join(values, "."), string(r.body)}, ".")
	require.Equal(t, hexHMAC(secret, signed), parts["v1"])
}

func hexHMAC(secret, signed string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return hex.EncodeToString(mac.Sum(nil))
}

// signatureParts reads a header of names and values, such as t=1,v1=2.
func signatureParts(header string) map[string]string {
	parts := map[string]string{}
	for _, part := range strings.Split(header, ",") {
		name, value, _ := strings.Cut(part, "=")
		parts[name] = value
	}
	return parts
}
