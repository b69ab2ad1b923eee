package receiver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

func Example() {
	hooks, err := receiver.New(receiver.Options{
		Provider: receiver.Stripe,
		Secrets:  []string{"whsec_test_secret"}, // os.Getenv("STRIPE_WEBHOOK_SECRET")
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	hooks.On("payment_intent.succeeded", func(_ context.Context, e receiver.Event) error {
		var data struct {
			Object struct {
				Amount   int    `json:"amount"`
				Currency string `json:"currency"`
			} `json:"object"`
		}
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return err
		}
		fmt.Println(e.ID, "paid", data.Object.Amount, data.Object.Currency)
		return nil
	})
	mux := http.NewServeMux()
	mux.Handle("/webhooks/stripe", hooks)

	body := `{"id":"evt_1","type":"payment_intent.succeeded","data":{"object":{"amount":1200,"currency":"eur"}}}`
	header := exampleHeaders(signature.SchemeStripe, "whsec_test_secret", body)
	fmt.Println(send(mux, "/webhooks/stripe", header, body))
	fmt.Println(send(mux, "/webhooks/stripe", header, body)) // a copy
	header.Set(signature.HeaderStripe, "t=1,v1=00")
	fmt.Println(send(mux, "/webhooks/stripe", header, body))
	// Output:
	// evt_1 paid 1200 eur
	// 200 {"received": true}
	// 200 {"received": true}
	// 401 {"received": false, "error": "invalid signature"}
}

// Postrider's secrets are shown when a webhook is made or its secret rotated.
// During the grace of a rotation, either secret verifies.
func Example_postrider() {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	hooks, err := receiver.New(receiver.Options{Provider: receiver.Postrider, Secrets: []string{secret}})
	if err != nil {
		fmt.Println(err)
		return
	}
	hooks.On("order.created", func(_ context.Context, e receiver.Event) error {
		fmt.Printf("%s at %s: %s\n", e.Type, e.Timestamp.Format(time.DateOnly), e.Data)
		return nil
	})
	hooks.On("order.*", func(_ context.Context, e receiver.Event) error {
		return fmt.Errorf("out of stock") // the sender gets 500 and tries again
	})

	for i, event := range []string{"order.created", "order.cancelled", "invoice.paid"} {
		body := `{"id":"dlv_` + strconv.Itoa(i) + `","event":"` + event + `","timestamp":"2026-01-01T00:00:00Z","data":{"total":12}}`
		header := exampleHeaders(signature.SchemePostrider, secret, body)
		header.Set("X-Webhook-Event", event)
		fmt.Println(send(hooks, "/", header, body))
	}
	// Output:
	// order.created at 2026-01-01: {"total":12}
	// 200 {"received": true}
	// 500 {"received": false, "error": "not handled"}
	// 200 {"received": true}
}

// GitHub's type is the name of its event, with the action if there is one.
func Example_gitHub() {
	hooks, err := receiver.New(receiver.Options{Provider: receiver.GitHub, Secrets: []string{"It's a Secret to Everybody"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	hooks.On("pull_request.opened", func(_ context.Context, e receiver.Event) error {
		fmt.Println("review", string(e.Data))
		return nil
	})
	hooks.On("pull_request.*", func(_ context.Context, e receiver.Event) error {
		fmt.Println("note", e.Type)
		return nil
	})

	for i, action := range []string{"opened", "closed"} {
		body := `{"action":"` + action + `","number":1347}`
		header := exampleHeaders(signature.SchemeGitHub, "It's a Secret to Everybody", body)
		header.Set("X-GitHub-Event", "pull_request")
		header.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc095"+strconv.Itoa(i))
		fmt.Println(send(hooks, "/", header, body))
	}
	// Output:
	// review {"action":"opened","number":1347}
	// 200 {"received": true}
	// note pull_request.closed
	// 200 {"received": true}
}

// A Handler is an http.Handler, which gin and every other router can mount. Any
// instead of POST lets Slack's and Meta's handshakes and the answer 405 through.
func Example_gin() {
	hooks, err := receiver.New(receiver.Options{Provider: receiver.Slack, Secrets: []string{"8f742231b10e8888abcd99yyyzzz85a5"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	hooks.On("app_mention", func(_ context.Context, e receiver.Event) error {
		fmt.Println(string(e.Data))
		return nil
	})
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Any("/webhooks/slack", gin.WrapH(hooks))

	for _, body := range []string{
		`{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}`,
		`{"type":"event_callback","event_id":"Ev08MFMKH6","event":{"type":"app_mention","text":"hello"}}`,
	} {
		header := exampleHeaders(signature.SchemeSlack, "8f742231b10e8888abcd99yyyzzz85a5", body)
		fmt.Println(send(router, "/webhooks/slack", header, body))
	}
	// Output:
	// 200 {"challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}
	// {"type":"app_mention","text":"hello"}
	// 200 {"received": true}
}

// Senders that sign the bare body are described by their headers and fields. Meta
// names no event, so that its ID is a hash of the body, and asks with a GET
// request before it sends the first.
func ExampleHMAC() {
	hooks, err := receiver.New(receiver.Options{
		Provider: receiver.HMAC(receiver.HMACOptions{
			Name:      "meta",
			Signature: signature.HMACConfig{Header: "X-Hub-Signature-256", Prefix: "sha256="},
			TypeField: "object",
		}),
		Secrets:     []string{"app secret"},
		VerifyToken: "a word that Meta was told",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	hooks.On("whatsapp_business_account", func(_ context.Context, e receiver.Event) error {
		fmt.Println(e.ID[:15], string(e.Data))
		return nil
	})

	w := httptest.NewRecorder()
	hooks.ServeHTTP(w, httptest.NewRequest(http.MethodGet,
		"/?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=a+word+that+Meta+was+told", nil))
	fmt.Println(w.Code, w.Body)
	body := `{"object":"whatsapp_business_account","entry":[]}`
	fmt.Println(send(hooks, "/", exampleHeaders(signature.SchemeGitHub, "app secret", body), body))
	// Output:
	// 200 1158201444
	// sha256:9857fe35 {"object":"whatsapp_business_account","entry":[]}
	// 200 {"received": true}
}

// A server that stores webhooks instead of handling them verifies and identifies
// them itself.
func ExampleProvider_Identify() {
	provider, ok := receiver.ForScheme(signature.SchemeShopify)
	if !ok {
		fmt.Println("unknown scheme")
		return
	}
	header := http.Header{}
	header.Set("X-Shopify-Webhook-Id", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043")
	header.Set("X-Shopify-Topic", "orders/create")
	fmt.Println(provider.Identify(header, []byte(`{"id":820982911946154508}`)))
	// Output: {b54557e4-bdd9-4b37-8a5f-bf7d70bcd043 orders/create} <nil>
}

// exampleHeaders signs as the sender does.
func exampleHeaders(scheme signature.Scheme, secret, body string) http.Header {
	header, err := signature.Sign(signature.Config{Scheme: scheme, Secrets: []string{secret}}, "", time.Now(), []byte(body))
	if err != nil {
		fmt.Println(err)
	}
	return header
}

// send sends a request and returns the answer.
func send(h http.Handler, path string, header http.Header, body string) string {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header = header
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return strconv.Itoa(w.Code) + " " + w.Body.String()
}
