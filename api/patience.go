package api

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// How long a client may take, however it goes about it. Both ways it has some seconds to begin with, and then must keep
// a pace; a minute is the end in any case.
const (
	patience = 5 * time.Second
	pace     = 64 << 10 // bytes a second, when a body comes
	longest  = time.Minute
	// An answer is sent in pieces, each of which must be taken in time.
	piece        = 64 << 10
	piecePatient = 10 * time.Second
)

const slowBody = "the body comes too slowly: it has 5 seconds, and another one for each 64 KiB"

// bePatient bounds how long a request's body and its answer may take on the network. What is done between the two is
// bounded elsewhere, and is not cut off by either.
func bePatient(c *gin.Context) {
	control := http.NewResponseController(c.Writer)
	if c.Request.Body == nil || c.Request.Body == http.NoBody {
		_ = control.SetReadDeadline(time.Time{}) // or the server's would cancel a long request's context
	} else {
		c.Request.Body = &patientBody{ReadCloser: c.Request.Body, control: control}
	}
	c.Writer = &patientWriter{ResponseWriter: c.Writer, control: control}
	c.Next()
}

// patientBody gives up a body that comes too slowly.
type patientBody struct {
	io.ReadCloser
	control *http.ResponseController
	begin   time.Time
	read    int64
}

// Read reads in time, or returns a timeout.
func (b *patientBody) Read(into []byte) (int, error) {
	if b.begin.IsZero() {
		b.begin = time.Now()
	}
	allowed := min(longest, patience+time.Duration(b.read)*time.Second/pace)
	_ = b.control.SetReadDeadline(b.begin.Add(allowed))
	n, err := b.ReadCloser.Read(into)
	b.read += int64(n)
	if errors.Is(err, io.EOF) {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// patientWriter gives up a client that does not read.
type patientWriter struct {
	gin.ResponseWriter
	control *http.ResponseController
	begin   time.Time
	failed  bool
}

// Unwrap is for http.ResponseController.
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Write sends piece by piece. A client that is gone is no error: nobody is left to be told, and net/http closes the
// connection.
func (w *patientWriter) Write(data []byte) (int, error) {
	if w.begin.IsZero() {
		w.begin = time.Now()
	}
	for sent := 0; sent < len(data) && !w.failed; {
		end := min(sent+piece, len(data))
		deadline := time.Now().Add(piecePatient)
		if last := w.begin.Add(longest); last.Before(deadline) {
			deadline = last
		}
		_ = w.control.SetWriteDeadline(deadline)
		n, err := w.ResponseWriter.Write(data[sent:end])
		w.failed = err != nil
		sent += n
	}
	return len(data), nil
}

// WriteString is Write.
func (w *patientWriter) WriteString(text string) (int, error) { return w.Write([]byte(text)) }
