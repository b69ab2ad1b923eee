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

// answerTimeout bounds the work on an API request. A database that hangs, or that has no free connection, becomes a 503.
// A test of a webhook waits for its attempt, which has a timeout of its own.
const answerTimeout = 15 * time.Second

// limitTime bounds the work on a request. Reads, and tests of webhooks, end when the client hangs up. Changes continue: to
// net/http a client that closes its half of the connection after the body looks like one that is gone, and half a change
// that nobody hears of is worse than a complete one.
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

// assumeJSON reads the bodies of API calls as JSON, whatever their Content-Type says: the API accepts nothing else, and
// curl -d calls everything a form.
func assumeJSON(c *gin.Context) {
	if c.Request.ContentLength != 0 && strings.HasPrefix(c.Request.URL.Path, "/api/") {
		c.Request.Header.Set("Content-Type", "application/json")
	}
}

// limitBody refuses a body whose Content-Length is too large before it is read: reading makes net/http answer Expect with
// 100.
func limitBody(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		of := ctx.Operation()
		length, err := strconv.ParseInt(ctx.Header("Content-Length"), 10, 64)
		if err == nil && of.RequestBody != nil && length >= of.MaxBodyBytes {
			// It fails only when the connection is gone.
			_ = huma.WriteErr(api, ctx, http.StatusRequestEntityTooLarge, tooLarge(of.MaxBodyBytes))
			return
		}
		next(ctx)
	}
}
