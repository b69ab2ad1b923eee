package service

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

type receiveStore interface {
	SourceVerifyToken(source models.Source) (string, error)
	RecordRejection(ctx context.Context, sourceID, reason, remoteAddr string) error
}

type receiveDispatcher interface {
	Receive(ctx context.Context, inbound models.InboundEvent) (isNew bool, err error)
}

// What a sender has begun is finished though it hangs up: it may have closed its side only, and still reads the answer.
// receiveTimeout bounds loading the source, and storing what came; rejectionTimeout bounds recording a rejection.
const (
	receiveTimeout   = 15 * time.Second
	rejectionTimeout = 2 * time.Second
)

var (
	// ErrSourceUnusable says that a source cannot verify anything as it is set up: there were other rules at the time.
	ErrSourceUnusable = errors.New("the source cannot verify anything as it is set up")
	// ErrNoVerifyToken says that a source has no verify token, and answers no hub.challenge.
	ErrNoVerifyToken = errors.New("the source has no verify token")
	// ErrWrongVerifyToken says that a request names another verify token than the source has.
	ErrWrongVerifyToken = errors.New("the verify token is not this source's")
	errNotStorable      = errors.New("the event's ID and type must be UTF-8 without NUL")
)

// RejectedError says that a source refused a request, and why. That is kept with the source. The reason is
// ErrSourceUnusable, ErrWrongVerifyToken, a *receiver.UnverifiedError, or what is wrong with a request that is authentic.
type RejectedError struct{ Reason error }

// Error says why.
func (e *RejectedError) Error() string { return e.Reason.Error() }

// Unwrap returns the reason.
func (e *RejectedError) Unwrap() error { return e.Reason }

// RejectionCause says why a request was refused, for who explains it.
type RejectionCause string

// The causes of rejections; one that is none of these has a text of its own.
const (
	CauseNoSignature     RejectionCause = "no-signature"
	CauseMismatch        RejectionCause = "mismatch"
	CauseTimestamp       RejectionCause = "timestamp"
	CauseMalformedHeader RejectionCause = "malformed-header"
	CauseMalformed       RejectionCause = "malformed"
	CauseVerifyToken     RejectionCause = "verify-token"
	CauseUnusable        RejectionCause = "unusable"
	CauseType            RejectionCause = "type"
	CauseOther           RejectionCause = ""
)

// CauseOf reads the cause from the reason of a rejection, which is all that is kept of it.
func CauseOf(reason string) RejectionCause {
	for _, of := range []struct {
		sentinel error
		cause    RejectionCause
	}{
		{ErrSourceUnusable, CauseUnusable}, {ErrWrongVerifyToken, CauseVerifyToken}, {signature.ErrNoSignature, CauseNoSignature},
		{signature.ErrSignatureMismatch, CauseMismatch}, {signature.ErrTimestampOutsideTolerance, CauseTimestamp},
		{signature.ErrMalformedHeader, CauseMalformedHeader}, {receiver.ErrMalformed, CauseMalformed}, {models.ErrUnusableType, CauseType},
	} {
		if strings.Contains(reason, of.sentinel.Error()) {
			return of.cause
		}
	}
	return CauseOther
}

// ReceivingSource returns the source with an ID, as long as it receives: a paused one is not found either, and providers
// try again later.
func (s *Service) ReceivingSource(ctx context.Context, id string) (models.Source, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), receiveTimeout)
	defer cancel()
	source, err := load(ctx, Caller{}, typeid.KindSource, id, s.store.Source)
	if err == nil && (!source.Active || source.Suspended) {
		err = &NotFoundError{Kind: typeid.KindSource, ID: id}
	}
	return source, err
}

// Receive verifies a request to a source and stores its event once; a workflow processes it. A request with which the
// provider only tests the endpoint is not stored, and has a reply. One that is refused is a *RejectedError. address is
// where the request comes from.
func (s *Service) Receive(ctx context.Context, source models.Source, address string, header map[string][]string, body []byte) (*receiver.Reply, error) {
	secrets, err := s.store.SourceSecrets(source)
	if err != nil {
		return nil, err
	}
	event, reply, err := s.accept(source, secrets, header, body)
	if err != nil {
		s.RecordRejection(ctx, source, address, err.Error())
		return nil, &RejectedError{err}
	}
	if reply != nil {
		return reply, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), receiveTimeout)
	defer cancel()
	_, err = s.dispatcher.Receive(ctx, models.InboundEvent{
		SourceID: source.ID, OwnerID: source.OwnerID, ProviderID: event.ID, BodyHash: event.BodyHash, Type: event.Type,
		Headers: publicHeaders(source, header), Body: body,
	})
	return nil, err
}

// accept verifies and reads a request. What will be wrong with its event when it is published is wrong with it now: it
// must not be acknowledged.
func (s *Service) accept(source models.Source, secrets []string, header map[string][]string, body []byte) (receiver.Event, *receiver.Reply, error) {
	provider := providerOf(source)
	verifier, err := provider.Verifier(secrets, ToleranceOf(source), s.now)
	if err != nil {
		return receiver.Event{}, nil, fmt.Errorf("%w: %w", ErrSourceUnusable, err)
	}
	event, reply, err := provider.Accept(verifier, header, body)
	if err != nil || reply != nil {
		return receiver.Event{}, reply, err
	}
	if _, err := source.EventType(event.Type); err != nil {
		return receiver.Event{}, nil, err
	}
	if !storable(event.ID) || !storable(event.Type) {
		return receiver.Event{}, nil, errNotStorable
	}
	return event, nil, nil
}

// RecordRejection keeps why a request was refused: it is what people look for when an integration does not work.
func (s *Service) RecordRejection(ctx context.Context, source models.Source, address, reason string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rejectionTimeout)
	defer cancel()
	if err := s.store.RecordRejection(ctx, source.ID, reason, address); err != nil {
		s.logger.WarnContext(ctx, "rejection not recorded", "source_id", source.ID, "error", err)
	}
}

// ConfirmSource returns hub.challenge to a request that knows the source's verify token, with which Meta and others ask
// whether an endpoint is the one that was configured. It is ErrNoVerifyToken where the source has none, and a
// *RejectedError when the token is another one.
func (s *Service) ConfirmSource(ctx context.Context, source models.Source, address string, query url.Values) (challenge string, err error) {
	token, err := s.store.SourceVerifyToken(source)
	if err != nil {
		return "", err
	}
	if token == "" {
		return "", ErrNoVerifyToken
	}
	challenge, ok := receiver.HubChallenge(query, token)
	if !ok {
		s.RecordRejection(ctx, source, address, ErrWrongVerifyToken.Error())
		return "", &RejectedError{ErrWrongVerifyToken}
	}
	return challenge, nil
}

// publicHeaders are a request's headers without what must stay secret.
func publicHeaders(source models.Source, header map[string][]string) models.Headers {
	public := make(models.Headers, len(header))
	for name, values := range header {
		lower := strings.ToLower(name)
		secret := strings.EqualFold(name, source.Options.Header)
		for _, word := range []string{"signature", "hmac", "authorization", "cookie", "token", "secret", "api-key", "apikey", "password"} {
			secret = secret || strings.Contains(lower, word)
		}
		if !secret {
			public[name] = strings.Join(values, ", ")
		}
	}
	return public
}
