package api

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// edge accepts requests in the forms that clients really send.
type edge struct{ *gin.Engine }

// ServeHTTP serves /api/events/ as /api/events, because neither curl -d nor providers follow a redirect; HEAD as GET,
// whose body net/http leaves out; and times with a + that should have been encoded.
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

// noPage keeps browsers from showing an answer as a page, or within one.
const noPage = "default-src 'none'; frame-ancestors 'none'"

// harden tells browsers and caches how to treat every answer.
func harden(c *gin.Context) {
	header := c.Writer.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Content-Security-Policy", noPage)
	header.Set("Referrer-Policy", "no-referrer")
	c.Next()
}
