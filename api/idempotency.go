package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

const (
	idempotencyKey = "Idempotency-Key"
	// replayed is the header of an answer that was given before.
	replayed = "Idempotency-Replayed"
)

// answersOnce is the mark of an operation that can be repeated with an Idempotency-Key, and says whether it commits once.
const answersOnce = "answers-once"

// idempotent says whether an operation is made once for an Idempotency-Key. Publishing has its own way: the key is the
// event's.
func (of operation) idempotent() bool {
	_, changes := auditExtension(of.ID, of.Method)[auditAction]
	return of.Method == http.MethodPost && changes
}

// idempotencyParameter is the header as the OpenAPI document describes it.
func idempotencyParameter() *huma.Param {
	return &huma.Param{
		Name: idempotencyKey, In: "header", Schema: &huma.Schema{Type: huma.TypeString},
		Description: "Repeating the call with the same key within 24 hours changes nothing and has the same answer.",
	}
}

// once makes a call with an Idempotency-Key once. Nothing is read or written for a call without one.
func (s *server) once(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		inOneCommit, ok := c.Operation().Metadata[answersOnce].(bool)
		key, request := c.Header(idempotencyKey), humagin.Unwrap(c).Request
		if !ok || key == "" {
			next(c)
			return
		}
		body, err := readAhead(request)
		if err != nil {
			next(c) // the same error is its answer
			return
		}
		what := append([]byte(request.Method+" "+request.URL.RequestURI()+"\n"), body...)
		of := service.OnceCall{Operation: c.Operation().OperationID, Key: key, Request: what, InOneCommit: inOneCommit}
		var header http.Header
		answer, before, err := s.Service.Once(c.Context(), whoAsks(c.Context()), of, func(ctx context.Context) (answer models.Answer) {
			answer, header = recorded(huma.WithContext(c, ctx), next)
			return answer
		})
		if err != nil {
			s.refuse(api, c, s.fail(c.Context(), located(err, "header.")))
			return
		}
		if before {
			header = http.Header{"Content-Type": {answer.ContentType}, replayed: {"true"}}
		}
		send(humagin.Unwrap(c).Writer, answer, header)
	}
}

// readAhead reads a body that is not too large, and puts it back.
func readAhead(request *http.Request) ([]byte, error) {
	if request.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(request.Body, maxBody+1))
	rest := request.Body
	if err == nil && len(body) > maxBody {
		err = errors.New("the body is too large")
	} else if err != nil {
		rest = io.NopCloser(failingReader{err})
	}
	request.Body = teeBody{io.MultiReader(bytes.NewReader(body), rest), request.Body}
	return body, err
}

// failingReader fails as the body did.
type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// recorded makes a call and returns its answer and its header, of which nothing is sent yet.
func recorded(c huma.Context, next func(huma.Context)) (models.Answer, http.Header) {
	at := humagin.Unwrap(c)
	sent := at.Writer
	recorder := &answerRecorder{ResponseWriter: sent, header: sent.Header().Clone(), status: http.StatusOK}
	at.Writer = recorder
	defer func() { at.Writer = sent }()
	next(c)
	return models.Answer{
		Status: recorder.status, ContentType: recorder.header.Get("Content-Type"), Body: recorder.body.Bytes(),
	}, recorder.header
}

// send writes an answer.
func send(to gin.ResponseWriter, answer models.Answer, header http.Header) {
	for name, values := range header {
		to.Header()[name] = values
	}
	to.WriteHeader(answer.Status)
	if len(answer.Body) > 0 {
		_, _ = to.Write(answer.Body) // it fails only when the connection is gone
	} else {
		to.WriteHeaderNow()
	}
}

// answerRecorder keeps an answer instead of sending it.
type answerRecorder struct {
	gin.ResponseWriter
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *answerRecorder) Header() http.Header               { return r.header }
func (r *answerRecorder) WriteHeader(status int)            { r.status = status }
func (r *answerRecorder) WriteHeaderNow()                   {}
func (r *answerRecorder) Flush()                            {}
func (r *answerRecorder) Write(part []byte) (int, error)    { return r.body.Write(part) }
func (r *answerRecorder) WriteString(s string) (int, error) { return r.body.WriteString(s) }
func (r *answerRecorder) Status() int                       { return r.status }
func (r *answerRecorder) Size() int                         { return r.body.Len() }
func (r *answerRecorder) Written() bool                     { return r.body.Len() > 0 }
