package egress

import (
	"bytes"
	"io"
	"net/http"
)

// readBody reads the response body up to MaxResponseBody and returns the first
// keep bytes of it, also when the rest fails. A body that ends within the limit
// leaves the connection ready for the next request; closing the body after a
// longer one closes the connection.
func (c *Client) readBody(resp *http.Response, keep int) ([]byte, error) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// The body would be the bare connection, which no deadline guards.
		return nil, nil
	}
	limited := &io.LimitedReader{R: resp.Body, N: MaxResponseBody}
	kept, err := c.readKept(limited, min(keep, MaxResponseBody), resp.ContentLength)
	if err != nil {
		return kept, err
	}
	_, err = io.Copy(io.Discard, limited)
	return kept, err
}

// readKept reads the first keep bytes. length is the announced length of the
// body, negative when unknown.
func (c *Client) readKept(body io.Reader, keep int, length int64) ([]byte, error) {
	if keep <= 0 || length == 0 {
		return nil, nil
	}
	if length > 0 && length <= int64(keep) {
		kept := make([]byte, length)
		n, err := readFull(body, kept)
		return kept[:n], err
	}
	// The body may be much shorter than what the caller is ready to keep, so the
	// space for it is borrowed and only what came is copied.
	buffer, _ := c.buffers.Get().(*[]byte)
	if buffer == nil || len(*buffer) < keep {
		space := make([]byte, keep)
		buffer = &space
	}
	defer c.buffers.Put(buffer)
	n, err := readFull(body, (*buffer)[:keep])
	return bytes.Clone((*buffer)[:n]), err
}

// readFull fills p. A body that ends early on its own terms is no error; one
// that breaks off (io.ErrUnexpectedEOF from the HTTP layer) is.
func readFull(r io.Reader, p []byte) (int, error) {
	n := 0
	for n < len(p) {
		m, err := r.Read(p[n:])
		n += m
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
