package receiver

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
)

// ErrBodyTooLarge says that a request's body is larger than it may be.
var ErrBodyTooLarge = errors.New("body is too large")

// maxTrustedLength bounds the memory that is set aside because of a request's
// Content-Length alone, before any of the body has arrived.
const maxTrustedLength = 64 << 10

// ReadBody reads a request's body of at most so many bytes; a larger one is
// [ErrBodyTooLarge]. One that says so by its Content-Length is refused before it
// comes: net/http answers 100 to Expect only when reading begins. The writer is for
// [http.MaxBytesReader], which closes the connection of a sender that goes on
// sending.
func ReadBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	if r.ContentLength > most {
		return nil, ErrBodyTooLarge
	}
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), maxTrustedLength)) + bytes.MinRead)
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, most))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, ErrBodyTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	return body.Bytes(), nil
}
