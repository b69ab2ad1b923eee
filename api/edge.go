package api

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// edge takes requests in the forms that clients write them in.
type edge struct{ *gin.Engine }

// ServeHTTP serves /api/events/ as /api/events, because neither curl -d nor providers follow a redirect; HEAD as GET,
// of which net/http sends the head alone; and times with a + that should have been encoded.
func (e edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tidy := *r
	address := *r.URL
	if strings.HasPrefix(address.Path, "/api/") || strings.HasPrefix(address.Path, "/webhooks/") {
		address.Path, address.RawPath = strings.TrimSuffix(address.Path, "/"), strings.TrimSuffix(address.RawPath, "/")
		address.RawQuery = encodePlus(address.RawQuery)
	}
	if tidy.Method == http.MethodHead {
		tidy.Method = http.MethodGet
	}
	tidy.URL = &address
	e.Engine.ServeHTTP(w, &tidy)
}

// noPage lets browsers make nothing of an answer: it is not a page, not to be shown in one, and not to be kept.
const noPage = "default-src 'none'; frame-ancestors 'none'"

// harden sets what browsers and caches between are to know about every answer.
func harden(c *gin.Context) {
	header := c.Writer.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Content-Security-Policy", noPage)
	header.Set("Referrer-Policy", "no-referrer")
	c.Next()
}
