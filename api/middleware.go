package api

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

// recover turns a panic into a 500, so that one request cannot end the process.
func (s *server) recover(c *gin.Context) {
	defer func() {
		if cause := recover(); cause != nil {
			s.Logger.ErrorContext(c.Request.Context(), "panic in a handler",
				"route", c.FullPath(), "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			writeProblem(c, newProblem(http.StatusInternalServerError, codeInternal, "something went wrong inside Postrider; its log has the details"))
		}
	}()
	c.Next()
}

// logRequest writes a line for each request: the route without its query, and neither body nor headers.
func (s *server) logRequest(c *gin.Context) {
	start := time.Now()
	c.Next()
	s.Logger.DebugContext(c.Request.Context(), "request", "method", c.Request.Method, "route", c.FullPath(),
		"status", c.Writer.Status(), "duration_ms", time.Since(start).Milliseconds())
}

// answerTimeout bounds the work on an API request: a database that hangs, or whose connections are all taken,
// is a 503 in the end. A test of a webhook waits for its attempt, and bounds itself.
const answerTimeout = 15 * time.Second

// limitTime gives a request the context that its work has. Reads, and tests of webhooks, end when the caller hangs up.
// What changes something goes on: net/http takes a sender that closes its half of the connection after the body for one
// that is gone, and half a change that nobody is told of is worse than a whole one.
func limitTime(c *gin.Context) {
	if strings.HasSuffix(c.FullPath(), "/test") {
		return
	}
	ctx := c.Request.Context()
	if c.Request.Method != http.MethodGet && c.Request.Method != http.MethodHead {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
}

// assumeJSON lets the bodies of API calls be JSON whatever their Content-Type says: the API knows nothing else, and curl -d
// calls everything a form.
func assumeJSON(c *gin.Context) {
	if c.Request.ContentLength != 0 && strings.HasPrefix(c.Request.URL.Path, "/api/") {
		c.Request.Header.Set("Content-Type", "application/json")
	}
}

// limitBody refuses a body that is said to be too large before it comes: reading is what makes net/http answer 100 to
// Expect.
func limitBody(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		of := ctx.Operation()
		length, err := strconv.ParseInt(ctx.Header("Content-Length"), 10, 64)
		if err == nil && of.RequestBody != nil && length >= of.MaxBodyBytes {
			// It can only fail for a connection that is gone.
			_ = huma.WriteErr(api, ctx, http.StatusRequestEntityTooLarge, "the body is too large")
			return
		}
		next(ctx)
	}
}
