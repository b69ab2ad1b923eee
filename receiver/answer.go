package receiver

import (
	"net/http"
	"strconv"
	"time"
)

const bodyReceived = `{"received": true}`

// answer is what a request is answered.
type answer struct {
	status      int
	contentType string
	body        []byte
	retryAfter  time.Duration // 0: none
}

func received() answer {
	return answer{status: http.StatusOK, contentType: typeJSON, body: []byte(bodyReceived)}
}

// refuse takes a reason of our own, never the text of an error.
func refuse(status int, reason string) answer {
	return answer{status: status, contentType: typeJSON, body: []byte(`{"received": false, "error": "` + reason + `"}`)}
}

// later asks the sender to come again after a while.
func later(wait time.Duration, reason string) answer {
	a := refuse(http.StatusServiceUnavailable, reason)
	a.retryAfter = max(wait, time.Second)
	return a
}

func (a answer) write(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	// A challenge is text that came with the request: no browser may guess at it.
	header.Set("X-Content-Type-Options", "nosniff")
	if a.retryAfter > 0 {
		seconds := int64((a.retryAfter + time.Second - 1) / time.Second)
		header.Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	w.WriteHeader(a.status)
	// A sender that is gone cannot be told.
	_, _ = w.Write(a.body)
}
