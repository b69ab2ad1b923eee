package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
)

// registerDocs serves a page that documents the API and can call it. Everything it needs is in the program.
func registerDocs(router *gin.Engine) {
	page := v5emb.NewHandlerWithConfig(swgui.Config{
		Title:       "Postrider API",
		SwaggerJSON: "/openapi.json",
		BasePath:    "/docs",
		SettingsUI:  map[string]string{"persistAuthorization": "false", "tryItOutEnabled": "true"},
	})
	policy := docsPolicy(page)
	guarded := func(c *gin.Context) {
		c.Header("Content-Security-Policy", policy)
		page.ServeHTTP(c.Writer, c.Request)
	}
	router.GET("/docs", guarded)
	router.GET("/docs/*file", guarded)
}

// inlineScript is a script that stands in a page.
var inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// docsPolicy allows the page to run its own scripts, which are named by their hashes, and to call this host alone, and
// forbids frames: users type their keys into it.
func docsPolicy(page http.Handler) string {
	var shown pageText
	page.ServeHTTP(&shown, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/docs"}})
	scripts := []string{"'self'"}
	for _, script := range inlineScript.FindAllSubmatch(shown.Bytes(), -1) {
		hash := sha256.Sum256(script[1])
		scripts = append(scripts, "'sha256-"+base64.StdEncoding.EncodeToString(hash[:])+"'")
	}
	return "default-src 'none'; script-src " + strings.Join(scripts, " ") + "; style-src 'self' 'unsafe-inline'; " +
		"img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// pageText keeps what a handler writes.
type pageText struct {
	bytes.Buffer
	header http.Header
}

// Header is not kept.
func (p *pageText) Header() http.Header {
	if p.header == nil {
		p.header = http.Header{}
	}
	return p.header
}

// WriteHeader does nothing.
func (p *pageText) WriteHeader(int) {}
