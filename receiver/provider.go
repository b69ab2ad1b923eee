package receiver

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/postrider/postrider/signature"
)

// Provider says how one sender signs its webhooks and where it puts the ID and
// the type of an event. The package's variables are the well-known ones; [HMAC]
// and [Custom] make others. The zero value is no provider.
type Provider struct {
	name      string
	scheme    signature.Scheme // empty for Custom
	hmac      *signature.HMACConfig
	fields    Fields
	parse     func(header http.Header, body []byte) (Event, error)
	handshake func(header http.Header, body []byte) (Reply, bool) // nil without one
}

// The providers. The package comment says what each reads.
var (
	Postrider        = Provider{name: "postrider", scheme: signature.SchemePostrider, parse: parsePostrider}
	StandardWebhooks = Provider{name: "standard-webhooks", scheme: signature.SchemeStandardWebhooks, parse: parseStandard}
	Stripe           = Provider{name: "stripe", scheme: signature.SchemeStripe, parse: parseStripe}
	GitHub           = Provider{name: "github", scheme: signature.SchemeGitHub, parse: parseGitHub, handshake: gitHubPing}
	Shopify          = Provider{name: "shopify", scheme: signature.SchemeShopify, parse: parseShopify}
	Slack            = Provider{name: "slack", scheme: signature.SchemeSlack, parse: parseSlack, handshake: slackChallenge}
)

// ForScheme returns the provider that signs with the scheme. There is none for
// [signature.SchemeHMAC], which [HMAC] is for, nor for an unknown scheme.
func ForScheme(scheme signature.Scheme) (Provider, bool) {
	for _, p := range []Provider{Postrider, StandardWebhooks, Stripe, GitHub, Shopify, Slack} {
		if p.scheme == scheme {
			return p, true
		}
	}
	return Provider{}, false
}

// Custom returns a provider whose requests the application reads itself. It needs
// [Options.Verifier]. The function gets verified requests, must be safe for
// concurrent use and has to set the ID and the Type of the event; its error
// should wrap [ErrMalformed].
func Custom(name string, parse func(header http.Header, body []byte) (Event, error)) Provider {
	return Provider{name: name, parse: parse}
}

// Fields says where in a body the ID and the type of an event are: names of
// fields, with dots between those of nested ones, such as "event.id", "items.0.type"
// or, in a form, "payload.type", and at most 10 names in all.
type Fields struct{ ID, Type string }

// WithFields returns the provider for senders of its scheme that put an event's ID
// or type elsewhere. Where a body does not have the field, what the provider finds
// by itself counts. Fields are part of the body, so that they are signed.
func (p Provider) WithFields(f Fields) Provider {
	p.fields = f
	return p
}

// String returns the provider's name.
func (p Provider) String() string { return p.name }

// Identify returns the ID and the type of the event in a request. It only reads
// and does not verify. Its error wraps [ErrMalformed].
func (p Provider) Identify(header http.Header, body []byte) (Identity, error) {
	event, err := p.Parse(header, body)
	if err != nil {
		return Identity{}, err
	}
	return Identity{ID: event.ID, Type: event.Type}, nil
}

// Parse is [Provider.Identify] with the rest of the event. The Timestamp is zero
// when the provider sends none. Header and Body, and Data where it is the whole
// body, share memory with the arguments.
func (p Provider) Parse(header http.Header, body []byte) (Event, error) {
	if p.parse == nil {
		return Event{}, fmt.Errorf("receiver: parse: %w: no provider", ErrInvalidOptions)
	}
	read := body
	if p.scheme != "" { // Custom gets what was sent
		read = bytes.TrimPrefix(body, byteOrderMark)
	}
	event, err := p.parse(header, read)
	if err == nil {
		event = p.fields.name(event, header, read)
		err = event.check()
	}
	if err != nil {
		return Event{}, fmt.Errorf("receiver: parse %s: %w", p.name, err)
	}
	if event.BodyHash == "" {
		event.BodyHash = bodyHash(read) // as where it stands in for the ID
	}
	event.Header, event.Body = header, body
	return event, nil
}

func (f Fields) name(event Event, header http.Header, body []byte) Event {
	if f == (Fields{}) {
		return event
	}
	c := contentOf(header, body)
	if text := c.text(f.ID); text != "" {
		event.ID = text
	}
	if text := c.text(f.Type); text != "" {
		event.Type = text
	}
	return event
}

// Verifier returns what verifies the provider's requests. The secrets and the
// tolerance are those of [Options], and now is the clock; nil means time.Now. The
// error is that of [signature.NewVerifier], or [ErrInvalidOptions] for a [Custom]
// provider, whose requests the application verifies itself.
func (p Provider) Verifier(secrets []string, tolerance time.Duration, now func() time.Time) (*signature.Verifier, error) {
	if p.scheme == "" {
		return nil, fmt.Errorf("receiver: verifier: %w: the provider needs one of the application's", ErrInvalidOptions)
	}
	return signature.NewVerifier(signature.Config{Scheme: p.scheme, Secrets: secrets, Tolerance: tolerance, HMAC: p.hmac, Now: now})
}

// UnverifiedError is the error of a [Verifier]: the request is not authentic.
type UnverifiedError struct{ Err error }

// Error implements error.
func (e *UnverifiedError) Error() string { return e.Err.Error() }

// Unwrap returns the verifier's error.
func (e *UnverifiedError) Unwrap() error { return e.Err }

// Accept verifies a request and reads the event in it, as [Provider.Parse] does.
// The reply is nil, except for a request with which the provider only tests the
// endpoint, as [Provider.Handshake] finds: that one has no event. The error of a
// request that is not authentic is an [UnverifiedError]; that of one which cannot
// be read wraps [ErrMalformed].
func (p Provider) Accept(verifier Verifier, header http.Header, body []byte) (Event, *Reply, error) {
	if err := verifier.Verify(header, body); err != nil {
		return Event{}, nil, &UnverifiedError{err}
	}
	if reply, ok := p.Handshake(header, body); ok {
		return Event{}, &reply, nil
	}
	event, err := p.Parse(header, body)
	return event, nil, err
}

// Handshake returns what has to be answered to a request with which the provider
// only tests the endpoint, and false for all others: Slack's url_verification,
// whose challenge is sent back, and GitHub's ping. The request must have been
// verified.
func (p Provider) Handshake(header http.Header, body []byte) (Reply, bool) {
	if p.handshake == nil {
		return Reply{}, false
	}
	return p.handshake(header, bytes.TrimPrefix(body, byteOrderMark))
}
