// Package receiver handles webhooks in a Go application: it verifies them,
// drops duplicates and calls the application's functions.
//
// A [Handler] is an [net/http.Handler] for the webhooks of one sender:
//
//	hooks, err := receiver.New(receiver.Options{
//		Provider: receiver.Stripe,
//		Secrets:  []string{os.Getenv("STRIPE_WEBHOOK_SECRET")},
//	})
//	...
//	hooks.On("payment_intent.succeeded", func(ctx context.Context, e receiver.Event) error { ... })
//	http.Handle("/webhooks/stripe", hooks)
//
// It must see the body as it was sent: no middleware may read it before.
//
// # Providers
//
//	provider          event ID                         event type                    Data        Timestamp
//	Postrider         body.id                          body.event                    body.data   body.timestamp
//	StandardWebhooks  webhook-id or svix-id            body.type, as below           body.data   body.timestamp, else the header's
//	Stripe            body.id                          body.type                     body.data   body.created
//	GitHub            X-GitHub-Delivery                X-GitHub-Event[.body.action]  body        -
//	Shopify           X-Shopify-Webhook-Id             X-Shopify-Topic               body        X-Shopify-Triggered-At
//	Slack             body.event_id                    body.event.type               body.event  body.event_time
//	Slack, form       trigger_id, else a body hash     command or payload.type       the form    -
//	HMAC              as configured, else a body hash  as configured, else "event"   body        -
//
// Shopify's headers are read without X- too, as its events have them; their action
// follows the topic: Product/update. With Standard Webhooks the type is optional: it
// may be called event_type, eventType or event too, and is "event" without any of
// them, as for bodies that are no object. [Provider.WithFields] looks elsewhere.
//
// # Bodies
//
// A signature is of the bytes as they came, and so is [Event].Body. What is read is
// JSON, whatever the Content-Type says, or a form where it says so in any spelling;
// [BodyJSON] has the rules. A UTF-8 byte order mark is skipped. Anything else, an
// empty body among it, has no Data, and is malformed where the provider sends JSON.
//
// What a signature does not cover can be forged by whoever gets hold of one
// signed request. GitHub's and Shopify's IDs and types are in headers that are
// not signed, and they sign no time: with them, TLS is what keeps a request from
// being played back under another ID.
//
// # Answers
//
//	200  {"received": true}: handled now or before, or no function wants its type
//	400  malformed: no event ID or type, or neither JSON nor a form where the provider sends these
//	401  the signature is missing or wrong, or the signed time is too far off
//	403  a GET of a subscription with the wrong [Options.VerifyToken]
//	405  neither POST nor, with Options.VerifyToken, GET
//	413  the body is larger than [Options.MaxBody]
//	500  the function returned an error or panicked: the event counts as not handled
//	503  with Retry-After: a copy of the event is being handled, or the [Store] failed
//
// # Once
//
// Senders deliver at least once, and two copies may arrive at the same moment at
// two processes. A Handler therefore claims an event in its [Store] before it
// calls the function: claimed becomes done when the function returns nil, and is
// taken back when it fails, so that the sender's retry is handled. A copy that
// arrives meanwhile is answered 503 rather than kept waiting: the sender's next
// try finds out how it went, and no connection is held. A copy that arrives
// later, for [Options.Remember], is answered 200 without calling the function.
//
// A copy has the ID and the body of an event. One that has only the ID is another
// event: senders use IDs twice, such as those of tests, and where the ID is not
// signed, whoever has one request can send it under any. It is handled, with
// [Event].Conflict set.
//
// A claim is a lease of [Options.Timeout] and ten seconds. If the process dies,
// the lease runs out and the sender's retry is handled. The same happens when a
// function goes on although its context has ended. So an event can be handled
// twice after a crash between the function's last effect and the record of it.
// Where that must not be, the function keeps [Event].ID with its own data, in the
// same transaction.
//
// The function runs in the request, and the sender waits for it: 3 seconds at
// Slack, 30 at Postrider. Its context does not end when the sender hangs up, so
// that slow work gets done and the retry is answered at once. Work that takes
// longer than [Options.Timeout] belongs in a queue.
package receiver
