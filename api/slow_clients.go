package api

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// How long a client may take to send a body and to read an answer. It has some seconds to begin, then must keep a pace,
// and has a minute at most.
const (
	firstWait = 5 * time.Second
	pace      = 64 << 10 // bytes a second, when a body comes
	longest   = time.Minute
	// An answer is sent in pieces, each of which must be read in time.
	piece     = 64 << 10
	pieceWait = 10 * time.Second
)

const slowBody = "the body comes too slowly: it has 5 seconds, and another one for each 64 KiB"

// limitTransfer bounds how long a request's body and its answer may take on the network. The work between the two has
// bounds of its own.
func limitTransfer(c *gin.Context) {
	control := http.NewResponseController(c.Writer)
	if c.Request.Body == nil || c.Request.Body == http.NoBody {
		_ = control.SetReadDeadline(time.Time{}) // or the server's would cancel a long request's context
	} else {
		c.Request.Body = &timedBody{ReadCloser: c.Request.Body, control: control}
	}
	c.Writer = &timedWriter{ResponseWriter: c.Writer, control: control}
	c.Next()
}

// timedBody is a body that must come in time.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
	begin   time.Time
	read    int64
}

// Read reads in time, or returns a timeout.
func (b *timedBody) Read(into []byte) (int, error) {
	if b.begin.IsZero() {
		b.begin = time.Now()
	}
	allowed := min(longest, firstWait+time.Duration(b.read)*time.Second/pace)
	_ = b.control.SetReadDeadline(b.begin.Add(allowed))
	n, err := b.ReadCloser.Read(into)
	b.read += int64(n)
	if errors.Is(err, io.EOF) {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// timedWriter sends an answer that must be read in time.
type timedWriter struct {
	gin.ResponseWriter
	control *http.ResponseController
	begin   time.Time
	failed  bool
}

// Unwrap is for http.ResponseController.
func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Write sends piece by piece. A client that is gone is no error: there is nobody to tell, and net/http closes the
// connection.
func (w *timedWriter) Write(data []byte) (int, error) {
	if w.begin.IsZero() {
		w.begin = time.Now()
	}
	for sent := 0; sent < len(data) && !w.failed; {
		end := min(sent+piece, len(data))
		deadline := time.Now().Add(pieceWait)
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
func (w *timedWriter) WriteString(text string) (int, error) { return w.Write([]byte(text)) }
