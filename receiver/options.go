package receiver

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Defaults of [Options].
const (
	DefaultMaxBody  = 1 << 20
	DefaultRemember = 7 * 24 * time.Hour
	DefaultTimeout  = 30 * time.Second
)

// leaseMargin is how much longer a claim lasts than the context of the function,
// so that one that stops with its context has stopped when the claim runs out.
const leaseMargin = 10 * time.Second

// ErrInvalidOptions is what [New] returns, wrapped with every fault that it
// found. Faults of the signature's settings are those of package signature.
var ErrInvalidOptions = errors.New("invalid options")

// Verifier checks that a request is authentic. [signature.Verifier] is one. Its
// errors are logged.
type Verifier interface {
	Verify(header http.Header, body []byte) error
}

// Options says whose webhooks a [Handler] receives. Only Provider, and Secrets or
// Verifier, are needed.
type Options struct {
	// Provider is the sender, such as [Stripe].
	Provider Provider
	// Secrets are the sender's secrets, any of which may have signed, in the form
	// that [signature.Config] describes.
	Secrets []string
	// Tolerance is how far a signed time may be off; zero means
	// [signature.DefaultTolerance].
	Tolerance time.Duration
	// Verifier replaces Secrets and Tolerance.
	Verifier Verifier

	// Store remembers events; nil means a new [MemoryStore].
	Store Store
	// Endpoint keeps apart the Handlers that share a Store; empty means the
	// provider's name. Two endpoints that get the same events, such as those of
	// two Stripe accounts, need different names. The copies of one endpoint in
	// several processes need the same.
	Endpoint string
	// Remember is how long copies of a handled event are known as such; zero
	// means [DefaultRemember]. It should be longer than the sender retries.
	Remember time.Duration
	// Timeout is how long a function may take with one event; zero means
	// [DefaultTimeout]. Its context ends then.
	Timeout time.Duration

	// MaxBody is the largest body in bytes; zero means [DefaultMaxBody].
	MaxBody int64
	// VerifyToken, if set, answers the GET requests that [HubChallenge] is for.
	VerifyToken string
	// Logger is nil for [slog.Default]. Nothing from a payload is logged, except
	// for what a function puts in its error.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Format implements [fmt.Formatter]. It keeps the secrets out of logs.
func (o Options) Format(f fmt.State, _ rune) {
	// A formatter has no way to report an error, and fmt's own writer has none.
	_, _ = fmt.Fprintf(f, "receiver.Options{%s, %d secrets}", o.Provider.name, len(o.Secrets))
}

// New returns a Handler. Its error wraps [ErrInvalidOptions] or the errors of
// [signature.NewVerifier], and names every fault; it holds no secret.
func New(o Options) (*Handler, error) {
	var faults []error
	fault := func(is bool, text string) {
		if is {
			faults = append(faults, fmt.Errorf("%w: %s", ErrInvalidOptions, text))
		}
	}
	fault(o.Provider.parse == nil, "Provider is missing")
	fault(o.Remember < 0, "Remember is negative")
	fault(o.Timeout < 0, "Timeout is negative")
	fault(o.MaxBody < 0, "MaxBody is negative")
	fault(o.Verifier != nil && (len(o.Secrets) > 0 || o.Tolerance != 0), "Verifier replaces Secrets and Tolerance")
	fault(o.Verifier == nil && o.Provider.parse != nil && o.Provider.scheme == "", "the provider needs a Verifier")

	o = o.withDefaults()
	if o.Verifier == nil && o.Provider.scheme != "" {
		verifier, err := o.Provider.Verifier(o.Secrets, o.Tolerance, o.Now)
		if err != nil {
			faults = append(faults, err)
		}
		o.Verifier = verifier
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("receiver: new: %w", err)
	}
	o.Secrets = nil // the verifier has them
	return &Handler{
		options: o,
		log:     o.Logger.With("endpoint", o.Endpoint),
		routes:  newRoutes(),
	}, nil
}

func (o Options) withDefaults() Options {
	if o.Store == nil {
		o.Store = NewMemoryStore(0)
	}
	if o.Endpoint == "" {
		o.Endpoint = o.Provider.name
	}
	if o.Remember == 0 {
		o.Remember = DefaultRemember
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
