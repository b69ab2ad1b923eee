package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/receiver"
)

// received is the answer to a webhook that is stored, whether it is new or not.
var received = gin.H{"received": true}

// storeTimeout bounds the storing of what came, whether its sender is still there or not.
const storeTimeout = 15 * time.Second

// rejectionTimeout bounds the writing of a rejection; the answer does not wait longer for it.
const rejectionTimeout = 2 * time.Second

// registerReceive adds where providers send their webhooks to. These routes are plain gin: signatures are of
// the bytes as they came.
func (s *server) registerReceive(router *gin.Engine) {
	router.POST("/webhooks/:source_id", s.receive)
	router.GET("/webhooks/:source_id", s.confirm)
}

// receive verifies a webhook, stores it once and answers at once; a workflow processes it. What has come as a whole is
// stored though its sender hangs up: it may have closed its side only, and will not send again what it has sent.
func (s *server) receive(c *gin.Context) {
	source, err := s.sourceOf(c)
	if err != nil {
		s.answer(c, err)
		return
	}
	body, problem := s.readBody(c)
	if problem != nil {
		s.reject(c, source, problem)
		return
	}
	secrets, err := s.Store.SourceSecrets(source)
	if err != nil {
		s.answer(c, err)
		return
	}
	verifier, err := service.VerifierOf(source, secrets, s.Now)
	if err != nil { // it was set up when there were other rules
		s.reject(c, source, newProblem(http.StatusServiceUnavailable, codeUnavailable, "the source cannot verify anything as it is set up: "+err.Error()))
		return
	}
	if err := verifier.Verify(c.Request.Header, body); err != nil {
		s.reject(c, source, newProblem(http.StatusUnauthorized, codeBadSignature, err.Error()))
		return
	}
	if reply, ok := handshake(source, c.Request.Header, body); ok {
		c.Data(http.StatusOK, reply.ContentType, reply.Body)
		return
	}
	event, problem := identify(source, c.Request.Header, body)
	if problem != nil {
		s.reject(c, source, problem)
		return
	}
	ctx, cancel := begun(c, storeTimeout)
	defer cancel()
	_, err = s.Dispatcher.Receive(ctx, models.InboundEvent{
		SourceID: source.ID, OwnerID: source.OwnerID, ProviderID: event.ID, BodyHash: event.BodyHash, Type: event.Type,
		Headers: publicHeaders(source, c.Request.Header), Body: body,
	})
	if err != nil {
		s.answer(c, err)
		return
	}
	c.JSON(http.StatusOK, received)
}

// readBody reads what a provider sends. A body that is said to be too large is refused before it comes: reading is what
// makes net/http answer 100 to Expect.
func (s *server) readBody(c *gin.Context) ([]byte, *Problem) {
	most := s.maxInboundBody()
	large := newProblem(http.StatusRequestEntityTooLarge, codeBodyTooLarge, fmt.Sprintf("the body is larger than %d bytes", most))
	if c.Request.ContentLength > most {
		return nil, large
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, most))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, large
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, newProblem(http.StatusRequestTimeout, codeBadRequest, slowBody)
	case err != nil:
		return nil, newProblem(http.StatusBadRequest, codeBadRequest, "the body cannot be read")
	}
	return body, nil
}

// confirm answers the GET request with which Meta and others ask whether an endpoint is the one that was
// configured.
func (s *server) confirm(c *gin.Context) {
	source, err := s.sourceOf(c)
	if err != nil {
		s.answer(c, err)
		return
	}
	token, err := s.Store.SourceVerifyToken(source)
	if err != nil {
		s.answer(c, err)
		return
	}
	if token == "" {
		c.Header("Allow", http.MethodPost)
		s.answer(c, newProblem(http.StatusMethodNotAllowed, codeMethodNotAllowed,
			"this source takes POST only; one with a verify_token answers a GET with hub.challenge"))
		return
	}
	challenge, ok := receiver.HubChallenge(c.Request.URL.Query(), token)
	if !ok {
		s.reject(c, source, newProblem(http.StatusForbidden, codeForbidden, "the verify token is not this source's"))
		return
	}
	c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(challenge))
}

// begun is for what is finished though the sender hangs up: one that has closed its side only still reads the answer.
func begun(c *gin.Context, within time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(c.Request.Context()), within)
}

// sourceOf loads the source of a request's path.
func (s *server) sourceOf(c *gin.Context) (models.Source, error) {
	id := c.Param("source_id")
	if typeid.Check(typeid.KindSource, id) != nil {
		return models.Source{}, &service.NotFoundError{Kind: typeid.KindSource, ID: id, Malformed: true}
	}
	ctx, cancel := begun(c, storeTimeout)
	defer cancel()
	source, err := s.Store.Source(ctx, models.Scope{}, id)
	if errors.Is(err, models.ErrNotFound) || err == nil && (!source.Active || source.Suspended) { // providers try again later all the same
		return source, &service.NotFoundError{Kind: typeid.KindSource, ID: id}
	}
	return source, err
}

// answer writes an error.
func (s *server) answer(c *gin.Context, err error) {
	var problem *Problem
	if errors.As(s.fail(c.Request.Context(), err), &problem) {
		writeProblem(c, problem)
	}
}

// reject answers and keeps the reason: it is what people look for when an integration does not work.
func (s *server) reject(c *gin.Context, source models.Source, problem *Problem) {
	remote := clientOf(c.Request, s.TrustedProxies).String()
	ctx, cancel := begun(c, rejectionTimeout)
	defer cancel()
	if err := s.Store.RecordRejection(ctx, source.ID, problem.Detail, remote); err != nil {
		s.Logger.WarnContext(ctx, "rejection not recorded", "source_id", source.ID, "error", err)
	}
	writeProblem(c, problem)
}

// publicHeaders are a request's headers without what must stay secret.
func publicHeaders(source models.Source, header http.Header) models.Headers {
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
