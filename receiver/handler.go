package receiver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// storeTimeout bounds one call of the Store.
const storeTimeout = 10 * time.Second

var (
	errTaken   = errors.New("the pattern has a function already")
	errPattern = errors.New("use an event type such as order.created, a prefix such as order.*, or *")
	errPanic   = errors.New("function panicked")
)

// Handler receives the webhooks of one sender. It is safe for concurrent use.
// The zero value is not usable: use [New].
type Handler struct {
	options Options // with defaults, without secrets
	log     *slog.Logger
	routes  *routes
}

// Format implements [fmt.Formatter]. It keeps the verify token out of logs.
func (h Handler) Format(f fmt.State, _ rune) {
	// A formatter has no way to report an error, and fmt's own writer has none.
	_, _ = fmt.Fprintf(f, "receiver.Handler{%s}", h.options.Endpoint)
}

// ServeHTTP implements [http.Handler]. The package comment lists its answers.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPost:
		h.receive(r.Context(), w, r).write(w)
	case r.Method == http.MethodGet && h.options.VerifyToken != "":
		h.subscribe(r).write(w)
	default:
		allow := http.MethodPost
		if h.options.VerifyToken != "" {
			allow = http.MethodGet + ", " + http.MethodPost
		}
		w.Header().Set("Allow", allow)
		refuse(http.StatusMethodNotAllowed, "method not allowed").write(w)
	}
}

// subscribe answers a hub.
func (h *Handler) subscribe(r *http.Request) answer {
	challenge, ok := HubChallenge(r.URL.Query(), h.options.VerifyToken)
	if !ok {
		h.log.WarnContext(r.Context(), "webhook subscription refused")
		return refuse(http.StatusForbidden, "verify token or mode is wrong")
	}
	return answer{status: http.StatusOK, contentType: typeText, body: []byte(challenge)}
}

// receive handles one webhook. The writer is for http.MaxBytesReader, which
// closes the connection of a sender that goes on sending.
func (h *Handler) receive(ctx context.Context, w http.ResponseWriter, r *http.Request) answer {
	body, err := ReadBody(w, r, h.options.MaxBody)
	switch {
	case errors.Is(err, ErrBodyTooLarge):
		h.log.WarnContext(ctx, "webhook refused", "error", err)
		return refuse(http.StatusRequestEntityTooLarge, "body too large")
	case err != nil:
		h.log.InfoContext(ctx, "webhook not read to its end", "error", err)
		return refuse(http.StatusBadRequest, "body unreadable")
	}
	event, reply, err := h.options.Provider.Accept(h.options.Verifier, r.Header, body)
	var unverified *UnverifiedError
	switch {
	case errors.As(err, &unverified):
		h.log.WarnContext(ctx, "webhook refused", "error", err)
		return refuse(http.StatusUnauthorized, "invalid signature")
	case err != nil:
		h.log.WarnContext(ctx, "webhook refused", "error", err)
		return refuse(http.StatusBadRequest, "malformed webhook")
	case reply != nil:
		return answer{status: http.StatusOK, contentType: reply.ContentType, body: reply.Body}
	}
	if event.Timestamp.IsZero() {
		event.Timestamp = h.options.Now()
	}

	f := h.routes.find(event.Type)
	if f == nil {
		if h.routes.firstUnhandled(event.Type) {
			h.log.InfoContext(ctx, "webhooks of this type are not handled", "type", event.Type)
		}
		return received()
	}
	// A sender that hangs up will come again: what has begun is better finished.
	return h.once(context.WithoutCancel(ctx), event, f)
}

// once calls the function if no copy of the event was or is being handled.
func (h *Handler) once(ctx context.Context, event Event, f Func) answer {
	log := h.log.With("event_id", event.ID, "type", event.Type)
	now := h.options.Now()
	claim := Claim{
		Endpoint: h.options.Endpoint, EventID: event.ID, BodyHash: event.BodyHash, Token: rand.Text(),
		Now: now, Until: now.Add(h.options.Timeout + leaseMargin),
	}
	state, err := h.claim(ctx, claim)
	if err != nil {
		log.ErrorContext(ctx, "webhook cannot be claimed", "error", err)
		return later(time.Second, "try again later")
	}
	switch state.Status {
	case StatusDone:
		log.DebugContext(ctx, "webhook is a duplicate")
		return received()
	case StatusInProgress:
		log.InfoContext(ctx, "a copy of the webhook is being handled")
		return later(state.Until.Sub(now), "a copy of this event is being handled")
	}

	if state.Conflict {
		log.WarnContext(ctx, "webhook has the ID of another one, which had another body")
		event.Conflict = true
	}
	if err := h.call(ctx, log, event, f); err != nil {
		log.ErrorContext(ctx, "webhook not handled", "error", err)
		if err := h.release(ctx, claim); err != nil {
			log.ErrorContext(ctx, "claim not released: retries wait until it runs out", "error", err)
		}
		return refuse(http.StatusInternalServerError, "not handled")
	}
	if err := h.complete(ctx, claim); err != nil {
		// It was handled: asking the sender for another copy would do harm.
		log.ErrorContext(ctx, "handled webhook not recorded: a copy would be handled again", "error", err)
	}
	return received()
}

// call runs the function and turns a panic into an error.
func (h *Handler) call(ctx context.Context, log *slog.Logger, event Event, f Func) (err error) {
	ctx, cancel := context.WithTimeout(ctx, h.options.Timeout)
	defer cancel()
	defer func() {
		if value := recover(); value != nil {
			log.ErrorContext(ctx, "function of webhook panicked", "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", errPanic, value)
		}
	}()
	return f(ctx, event)
}

func (h *Handler) claim(ctx context.Context, claim Claim) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return h.options.Store.Claim(ctx, claim)
}

func (h *Handler) complete(ctx context.Context, claim Claim) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return h.options.Store.Complete(ctx, claim, h.options.Now().Add(h.options.Remember))
}

func (h *Handler) release(ctx context.Context, claim Claim) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return h.options.Store.Release(ctx, claim)
}
