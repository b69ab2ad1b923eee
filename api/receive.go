package api

import (
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/gin-gonic/gin"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/receiver"
)

// received is the answer to a webhook that is stored, whether it is new or not.
var received = gin.H{"received": true}

// registerReceive adds where providers send their webhooks to. These routes are plain gin: signatures are of
// the bytes as they came.
func (s *server) registerReceive(router *gin.Engine) {
	router.POST("/webhooks/:source_id", s.answering(s.receive))
	router.GET("/webhooks/:source_id", s.answering(s.confirm))
}

// receive stores a webhook once and answers at once; a workflow processes it.
func (s *server) receive(c *gin.Context) error {
	source, err := s.Service.ReceivingSource(c.Request.Context(), c.Param("source_id"))
	if err != nil {
		return err
	}
	body, err := s.readReceived(c, source)
	if err != nil {
		return err
	}
	reply, err := s.Service.Receive(c.Request.Context(), source, s.senderOf(c), c.Request.Header, body)
	if err != nil {
		return err
	}
	if reply != nil {
		c.Data(http.StatusOK, reply.ContentType, reply.Body)
		return nil
	}
	c.JSON(http.StatusOK, received)
	return nil
}

// readReceived reads what a provider sends. What cannot be read is a rejection of the source.
func (s *server) readReceived(c *gin.Context, source models.Source) ([]byte, error) {
	most := s.maxInboundBody()
	body, err := receiver.ReadBody(c.Writer, c.Request, most)
	var problem *Problem
	switch {
	case err == nil:
		return body, nil
	case errors.Is(err, receiver.ErrBodyTooLarge):
		problem = newProblem(http.StatusRequestEntityTooLarge, codeBodyTooLarge, fmt.Sprintf("the body is larger than %d bytes", most))
	case errors.Is(err, os.ErrDeadlineExceeded):
		problem = newProblem(http.StatusRequestTimeout, codeBadRequest, slowBody)
	default:
		problem = newProblem(http.StatusBadRequest, codeBadRequest, "the body cannot be read")
	}
	s.Service.RecordRejection(c.Request.Context(), source, s.senderOf(c), problem.Detail)
	return nil, problem
}

// confirm answers the GET request with which Meta and others ask whether an endpoint is the one that was configured.
func (s *server) confirm(c *gin.Context) error {
	source, err := s.Service.ReceivingSource(c.Request.Context(), c.Param("source_id"))
	if err != nil {
		return err
	}
	challenge, err := s.Service.ConfirmSource(c.Request.Context(), source, s.senderOf(c), c.Request.URL.Query())
	if errors.Is(err, service.ErrNoVerifyToken) {
		c.Header("Allow", http.MethodPost)
	}
	if err != nil {
		return err
	}
	c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(challenge))
	return nil
}

// senderOf is the address that a request comes from.
func (s *server) senderOf(c *gin.Context) string {
	return clientOf(c.Request, s.TrustedProxies).String()
}

// answering is a plain gin handler that returns errors: they are answered and logged here alone.
func (s *server) answering(handle func(c *gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := handle(c); err != nil {
			writeProblem(c, s.fail(c.Request.Context(), err))
		}
	}
}

// rejected is the problem of a request that a source refused.
func rejected(err *service.RejectedError) *Problem {
	var unverified *receiver.UnverifiedError
	switch {
	case errors.Is(err, service.ErrSourceUnusable):
		return newProblem(http.StatusServiceUnavailable, codeUnavailable, err.Error())
	case errors.Is(err, service.ErrWrongVerifyToken):
		return newProblem(http.StatusForbidden, codeForbidden, err.Error())
	case errors.As(err, &unverified):
		return newProblem(http.StatusUnauthorized, codeBadSignature, err.Error())
	}
	return newProblem(http.StatusBadRequest, codeBadRequest, err.Error())
}
