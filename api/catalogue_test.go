package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func shown(cfg *config) { cfg.ShowEventTypes = true }

// The pages are for everyone, and for no script.
func TestCataloguePages(t *testing.T) {
	t.Parallel()
	s := newService(t, shown)
	s.admin(http.StatusCreated, "PUT", "/api/event-types/order.created",
		`{"description":"<script>alert(1)</script>","group":"A & B","deprecated":true,"schema":{"type":"object","required":["id"],`+
			`"properties":{"id":{"type":["integer","null"],"description":"</td><img src=x onerror=alert(1)>"},"x\"y":{"$ref":"#/$defs/z"}},"$defs":{"z":{"format":"</pre><script>"}}},"example":{"id":null}}`)
	s.admin(http.StatusCreated, "PUT", "/api/event-types/a", `{"description":"first"}`)
	list := s.call("", "GET", "/event-types", "").is(http.StatusOK)
	require.Equal(t, "text/html; charset=utf-8", list.header.Get("Content-Type"))
	require.Contains(t, list.body, `<a href="/event-types/order.created"><code>order.created</code></a> <span class="badge">deprecated</span>`)
	require.Contains(t, list.body, `<h2>A &amp; B</h2>`)
	require.Contains(t, list.body, `&lt;script&gt;alert(1)&lt;/script&gt;`)
	one := s.call("", "GET", "/event-types/order.created", "").is(http.StatusOK)
	require.Contains(t, one.body, `<td><code>id</code> <span class="required">required</span></td><td>integer or null</td><td>&lt;/td&gt;&lt;img`)
	require.Contains(t, one.body, `&#34;id&#34;: null`)
	missing := s.call("", "GET", "/event-types/none", "").is(http.StatusNotFound)
	require.Contains(t, missing.body, "No such event type")
	s.call("", "GET", "/event-types/..%2fx%22%3E", "").is(http.StatusNotFound)

	for _, page := range []reply{list, one, missing} {
		style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page.body)
		require.Len(t, style, 2)
		hash := sha256.Sum256([]byte(style[1]))
		require.Equal(t, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(hash[:])+
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", page.header.Get("Content-Security-Policy"))
		require.Equal(t, "nosniff", page.header.Get("X-Content-Type-Options"))
		require.NotContains(t, page.body, "<script")
		require.NotContains(t, page.body, "<img")
		require.NotContains(t, page.body, "style=")
	}
}

// Unless the installation asks for them there are no pages.
func TestCataloguePagesAreOff(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.call("", "GET", "/event-types", "").problem(http.StatusNotFound, "not_found")
	s.call("", "GET", "/event-types/a", "").problem(http.StatusNotFound, "not_found")
}
