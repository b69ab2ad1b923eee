package console

import (
	"compress/gzip"
	"net/http"
	"net/url"
	"strings"
)

// policyOf allows pages the console's own scripts and styles, pictures of one more source, if any, and nothing else: no inline
// code, no other host, and no frame but on pages of the ancestors, of which there may be none.
func policyOf(pictures string, ancestors ...string) string {
	if pictures != "" {
		pictures = " " + pictures
	}
	if len(ancestors) == 0 {
		ancestors = []string{"'none'"}
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:" + pictures + "; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors " + strings.Join(ancestors, " ")
}

// harden tells browsers and caches how to treat every answer.
func (c *console) harden(next http.Handler) http.Handler {
	policy, portalPolicy := policyOf(""), policyOf(strings.TrimPrefix(c.Brand.logoSource(), "data:"), c.FrameAncestors...)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		if strings.HasPrefix(r.URL.Path, PortalBase+"/") {
			header.Set("Content-Security-Policy", portalPolicy)
			if len(c.FrameAncestors) > 0 {
				header.Del("X-Frame-Options") // it knows no origins
			}
		}
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		if c.secure {
			header.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses what another site has a browser send: Sec-Fetch-Site tells, or Origin where a browser is older.
func sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "this request comes from another site: open the console and try again", http.StatusForbidden)
	}))
	return protection.Handler(next)
}

// compressed answers in gzip whoever takes it, but for streams, which must not wait in a buffer.
func compressed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding")
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") || r.Header.Get("Accept") == "text/event-stream" {
			next.ServeHTTP(w, r)
			return
		}
		zipped := &gzipWriter{ResponseWriter: w}
		defer zipped.close()
		next.ServeHTTP(zipped, r)
	})
}

// gzipWriter compresses what is written, if anything is.
type gzipWriter struct {
	http.ResponseWriter
	zip    *gzip.Writer
	begun  bool
	asItIs bool
}

func (w *gzipWriter) WriteHeader(status int) {
	if w.begun {
		return
	}
	w.begun = true
	w.asItIs = status == http.StatusNoContent || status == http.StatusNotModified || status >= 300 && status < 400 || w.Header().Get("Content-Encoding") != ""
	if !w.asItIs {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Del("Content-Length")
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *gzipWriter) Write(part []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.asItIs {
		return w.ResponseWriter.Write(part)
	}
	if w.zip == nil {
		w.zip = gzip.NewWriter(w.ResponseWriter)
	}
	return w.zip.Write(part)
}

func (w *gzipWriter) close() {
	if w.zip != nil {
		_ = w.zip.Close() // it fails only when the connection is gone
	}
}

func isHTTPS(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && parsed.Scheme == "https"
}
