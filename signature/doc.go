// Package signature signs and verifies webhooks.
//
// A sender makes a [Signer] from the secrets of one webhook and writes both of
// Postrider's signature headers with it:
//
//	signer, err := signature.NewSigner(currentSecret, previousSecret)
//	...
//	header.Set(signature.HeaderPostrider, signer.Postrider(now, body))
//	header.Set(signature.HeaderSignature, signer.Standard(id, now, body))
//
// A receiver makes a [Verifier] once and calls [Verifier.Verify] with the
// headers and the unparsed body of every request. These schemes are known:
//
//	scheme             signature header       what is signed           key                       text
//	postrider          X-Webhook-Signature    <t>.<body>               whole whsec_ string       t=<t>,v1=<hex>[,v1=<hex>]
//	standard-webhooks  webhook-signature      <id>.<timestamp>.<body>  base64, whsec_ or bare    v1,<base64>[ v1,<base64>]
//	standard-webhooks  webhook-signature      <id>.<timestamp>.<body>  Ed25519, whsk_ and whpk_  v1a,<base64>[ v1a,<base64>]
//	stripe             Stripe-Signature       <t>.<body>               whole secret              t=<t>,v1=<hex>[,v1=<hex>]
//	github             X-Hub-Signature-256    <body>                   whole secret              sha256=<hex>
//	shopify            X-Shopify-Hmac-Sha256  <body>                   whole secret              <base64>
//	slack              X-Slack-Signature      v0:<timestamp>:<body>    whole secret              v0=<hex>
//	hmac               as configured          <body>                   whole secret              as configured[,as configured]
//
// All are HMAC-SHA256 but for Ed25519 and for the hmac scheme, which can use
// SHA-512. Standard Webhooks is read from Svix's svix- headers too, when
// webhook-signature is absent, and Shopify's from shopify-hmac-sha256 too. Sources of the formats: https://www.standardwebhooks.com,
// https://docs.stripe.com/webhooks/signature,
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries,
// https://shopify.dev/docs/apps/build/webhooks and
// https://docs.slack.dev/authentication/verifying-requests-from-slack.
//
// # What verification promises
//
//   - Signatures are decoded and compared whole and in constant time.
//   - Only the versions in the table count. Others are skipped, so that a sender
//     can add one, and never accepted: Stripe's v0 and GitHub's SHA-1 header are
//     no signatures here. A public key is never used as an HMAC secret.
//   - Any of several secrets may match, so that a secret can be rotated: five
//     at most, of eight bytes or more.
//   - The work for a request is bounded whatever it holds: one HMAC of the body
//     for each secret, and twelve Ed25519 checks. A header with more than ten
//     signatures, or with more of them than can be checked, is refused with
//     [ErrMalformedHeader].
//   - A timestamp may be off by the tolerance in either direction, that exact
//     distance included. It is judged after the signature, so that
//     [ErrTimestampOutsideTolerance] means an authentic request that is old or
//     comes from a wrong clock.
//   - Header names match in any case. A header that appears more than once is
//     refused with [ErrMalformedHeader], even if both values are equal: two
//     programs on the way could otherwise read different ones.
//   - Errors never hold a secret, a signature or any other header value.
//
// Replays within the tolerance verify: a receiver has to drop the ids that it
// has seen. GitHub, Shopify and the hmac scheme sign no timestamp at all.
package signature
