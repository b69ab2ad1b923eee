package signature_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/signature"
)

// snippet takes the one block of code in a language from a document that holds a text.
func snippet(t testing.TB, document, language, holding string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", document))
	require.NoError(t, err)
	var found []string
	for _, rest := range strings.Split(string(text), "```"+language+"\n")[1:] {
		if code, _, _ := strings.Cut(rest, "```"); strings.Contains(code, holding) {
			found = append(found, code)
		}
	}
	require.Len(t, found, 1, "blocks of %s in %s with %q", language, document, holding)
	return found[0]
}

// sentRequest is a request for a receiver that knows a secret.
type sentRequest struct {
	Name    string            `json:"name"`
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"` // in base64
	genuine bool
}

// sentRequests signs requests as deliveries do, and tampers with some.
func sentRequests(t testing.TB) []sentRequest {
	t.Helper()
	secret, previous := newSecret(t), newSecret(t)
	signer, err := signature.NewSigner(secret, previous)
	require.NoError(t, err)
	const body = `{"id":"dlv_1","event":"order.created","data":{"name":"Jürgen 🚚","price":1.50}}`
	sign := func(at time.Time) map[string]string {
		headers := map[string]string{}
		for name, values := range standardHeaders("dlv_1", at, signer.Standard("dlv_1", at, []byte(body))) {
			headers[strings.ToLower(name)] = values[0]
		}
		return headers
	}
	now := time.Now()
	with := func(name, value string) map[string]string {
		headers := sign(now)
		headers[name] = value
		return headers
	}
	signed := sign(now)["webhook-signature"]
	private, _, err := signature.NewKeyPair()
	require.NoError(t, err)
	keyPair, err := signature.NewEd25519Signer(private)
	require.NoError(t, err)
	alone := keyPair.Standard("dlv_1", now, []byte(body))
	encoded := base64.StdEncoding.EncodeToString([]byte(body))
	return []sentRequest{
		{Name: "genuine", Secret: secret, Headers: sign(now), Body: encoded, genuine: true},
		{Name: "genuine, by the previous secret", Secret: previous, Headers: sign(now), Body: encoded, genuine: true},
		{Name: "genuine, two minutes old", Secret: secret, Headers: sign(now.Add(-2 * time.Minute)), Body: encoded, genuine: true},
		{Name: "genuine, beside an Ed25519 signature", Secret: secret, Headers: with("webhook-signature", alone+" "+signed), Body: encoded, genuine: true},
		{Name: "of an Ed25519 key alone", Secret: secret, Headers: with("webhook-signature", alone), Body: encoded},
		{Name: "another body", Secret: secret, Headers: sign(now), Body: base64.StdEncoding.EncodeToString([]byte(body + " "))},
		{Name: "no body", Secret: secret, Headers: sign(now)},
		{Name: "another secret", Secret: newSecret(t), Headers: sign(now), Body: encoded},
		{Name: "too old", Secret: secret, Headers: sign(now.Add(-20 * time.Minute)), Body: encoded},
		{Name: "of the future", Secret: secret, Headers: sign(now.Add(20 * time.Minute)), Body: encoded},
		{Name: "another time", Secret: secret, Headers: with("webhook-timestamp", fmt.Sprint(now.Unix()+1)), Body: encoded},
		{Name: "no time", Secret: secret, Headers: with("webhook-timestamp", "now"), Body: encoded},
		{Name: "another delivery", Secret: secret, Headers: with("webhook-id", "dlv_2"), Body: encoded},
		{Name: "no signature", Secret: secret, Headers: with("webhook-signature", ""), Body: encoded},
		{Name: "half a signature", Secret: secret, Headers: with("webhook-signature", signed[:20]), Body: encoded},
		{Name: "of another version", Secret: secret, Headers: with("webhook-signature", strings.ReplaceAll(signed, "v1,", "v2,")), Body: encoded},
		{Name: "no ASCII", Secret: secret, Headers: with("webhook-signature", "v1,ü"), Body: encoded},
	}
}

// The code that the documents give for receivers in other languages accepts what Postrider sends and refuses
// what was tampered with.
func TestDocumentedVerifiers(t *testing.T) {
	t.Parallel()
	// Each program ends with a loop over the requests, which prints for each whether it was accepted.
	const python = `
import json, sys
for r in json.load(sys.stdin):
    try:
        accepted = verify(r["secret"], r["headers"], base64.b64decode(r["body"] or ""))
    except Exception:
        accepted = False
    print(r["name"], "accepted" if accepted is True else "refused", sep=": ")
`
	const javascript = `
import { readFileSync } from "node:fs";
for (const r of JSON.parse(readFileSync(0))) {
  let accepted = false;
  try { accepted = verify(r.secret, r.headers, Buffer.from(r.body, "base64")); } catch {}
  console.log(r.name + ": " + (accepted === true ? "accepted" : "refused"));
}
`
	const ruby = `
require "json"
JSON.parse($stdin.read).each do |r|
  accepted = begin
    verify(r["secret"], r["headers"], r["body"].unpack1("m"))
  rescue StandardError
    false
  end
  puts "#{r["name"]}: #{accepted == true ? "accepted" : "refused"}"
end
`
	for name, test := range map[string]struct{ program, file, code string }{
		"Node":   {"node", "verify.mjs", snippet(t, "docs/receiving.md", "js", "function verify") + javascript},
		"Python": {"python3", "verify.py", snippet(t, "docs/receiving.md", "python", "def verify") + python},
		"Python of the README": {"python3", "verify.py",
			"import base64, hashlib, hmac, time\n" + snippet(t, "README.md", "python", "def verify") + python},
		"Ruby": {"ruby", "verify.rb", snippet(t, "docs/receiving.md", "ruby", "def verify") + ruby},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, err := exec.LookPath(test.program)
			if err != nil {
				t.Skipf("%s is not installed", test.program)
			}
			file := filepath.Join(t.TempDir(), test.file)
			require.NoError(t, os.WriteFile(file, []byte(test.code), 0o600))
			requests := sentRequests(t)
			input, err := json.Marshal(requests)
			require.NoError(t, err)
			var want, got, stderr bytes.Buffer
			for _, request := range requests {
				verdict := map[bool]string{true: "accepted", false: "refused"}[request.genuine]
				fmt.Fprintf(&want, "%s: %s\n", request.Name, verdict)
			}
			command := exec.CommandContext(t.Context(), program, file)
			command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), &got, &stderr
			require.NoError(t, command.Run(), "%s", &stderr)
			require.Equal(t, want.String(), got.String())
		})
	}
}

// The code that the documents give for public keys, with requests that an Ed25519 key signed.
func TestDocumentedEd25519Verifier(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	current, public, err := signature.NewKeyPair()
	require.NoError(t, err)
	previous, previousPublic, err := signature.NewKeyPair()
	require.NoError(t, err)
	_, strange, err := signature.NewKeyPair()
	require.NoError(t, err)
	signer, err := signature.NewEd25519Signer(current, previous)
	require.NoError(t, err)
	hmac, err := signature.NewSigner(newSecret(t))
	require.NoError(t, err)
	now, body := time.Now(), []byte(`{"name":"Jürgen 🚚"}`)
	sign := func(at time.Time) map[string]string {
		return map[string]string{
			"webhook-id": "dlv_1", "webhook-timestamp": fmt.Sprint(at.Unix()),
			"webhook-signature": signer.Standard("dlv_1", at, body) + " " + hmac.Standard("dlv_1", at, body),
		}
	}
	onlyHMAC := sign(now)
	onlyHMAC["webhook-signature"] = hmac.Standard("dlv_1", now, body)
	encoded := base64.StdEncoding.EncodeToString(body)
	requests := []sentRequest{
		{Name: "genuine", Secret: public, Headers: sign(now), Body: encoded, genuine: true},
		{Name: "of the previous key", Secret: previousPublic, Headers: sign(now), Body: encoded, genuine: true},
		{Name: "another key", Secret: strange, Headers: sign(now), Body: encoded},
		{Name: "another body", Secret: public, Headers: sign(now), Body: base64.StdEncoding.EncodeToString([]byte("{}"))},
		{Name: "too old", Secret: public, Headers: sign(now.Add(-time.Hour)), Body: encoded},
		{Name: "HMAC alone", Secret: public, Headers: onlyHMAC, Body: encoded},
	}
	const loop = `
import { readFileSync } from "node:fs";
for (const r of JSON.parse(readFileSync(0))) console.log(r.name + ": " + verify(r.secret, r.headers, Buffer.from(r.body, "base64")));
`
	file := filepath.Join(t.TempDir(), "verify.mjs")
	require.NoError(t, os.WriteFile(file, []byte(snippet(t, "docs/sending.md", "js", "createPublicKey")+loop), 0o600))
	input, err := json.Marshal(requests)
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), program, file)
	command.Stdin = bytes.NewReader(input)
	got, err := command.CombinedOutput()
	require.NoError(t, err, "%s", got)
	var want bytes.Buffer
	for _, request := range requests {
		fmt.Fprintf(&want, "%s: %t\n", request.Name, request.genuine)
	}
	require.Equal(t, want.String(), string(got))
}

// nodeModulesVariable names a folder in which npm has installed the package standardwebhooks. No test asks the
// network for it.
const nodeModulesVariable = "POSTRIDER_TEST_NODE_MODULES"

// The line that the documents give for Node's Standard Webhooks package. Neither it (1.1.1) nor Svix's, which is built on it
// (2.5.0), verifies Ed25519.
func TestDocumentedNodePackage(t *testing.T) {
	t.Parallel()
	modules := os.Getenv(nodeModulesVariable)
	if modules == "" {
		t.Skipf("$%s does not name a node_modules with standardwebhooks", nodeModulesVariable)
	}
	program, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	const before = `
const headers = JSON.parse(process.env.HEADERS);
const body = Buffer.from(process.env.BODY, "base64").toString();
`
	for _, document := range []string{"docs/receiving.md", "README.md"} {
		code := before + snippet(t, document, "js", `from "standardwebhooks"`) + "\nconsole.log(event.event);\n"
		folder := t.TempDir()
		require.NoError(t, os.Symlink(modules, filepath.Join(folder, "node_modules")))
		file := filepath.Join(folder, "verify.mjs")
		require.NoError(t, os.WriteFile(file, []byte(code), 0o600))
		for _, request := range sentRequests(t) {
			t.Run(document+", "+request.Name, func(t *testing.T) {
				t.Parallel()
				headers, err := json.Marshal(request.Headers)
				require.NoError(t, err)
				command := exec.CommandContext(t.Context(), program, file)
				command.Env = append(os.Environ(), "POSTRIDER_SECRET="+request.Secret, "HEADERS="+string(headers), "BODY="+request.Body)
				said, err := command.CombinedOutput()
				if request.genuine {
					require.NoError(t, err, "%s", said)
					require.Equal(t, "order.created\n", string(said))
					return
				}
				require.Error(t, err)
				require.Contains(t, string(said), "WebhookVerificationError")
			})
		}
	}
}
