package api_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// The documentation works on a machine without internet: all that its page asks for comes from this process.
func TestDocumentationNeedsNoOtherHost(t *testing.T) {
	t.Parallel()
	s := newService(t)
	page := s.call("", "GET", "/docs", "").is(http.StatusOK)
	require.Contains(t, page.header.Get("Content-Type"), "text/html")
	require.Contains(t, page.body, "Postrider API")
	require.Contains(t, page.body, "/openapi.json")
	require.NotRegexp(t, regexp.MustCompile(`https?://[^"'\s]*\.(js|css|json|png|woff2?)`), page.body)

	base, err := url.Parse(s.URL + "/docs")
	require.NoError(t, err)
	assets := 0
	for _, reference := range references(t, page.body) {
		target, err := base.Parse(reference)
		require.NoError(t, err, reference)
		if target.Scheme == "data" {
			continue
		}
		require.Equal(t, base.Host, target.Host, reference)
		asset := s.call("", "GET", target.RequestURI(), "").is(http.StatusOK)
		require.NotEmpty(t, asset.body, reference)
		if strings.HasSuffix(target.Path, ".css") {
			require.NotRegexp(t, `url\(["']?https?://`, asset.body, reference)
			require.NotContains(t, asset.body, "@import", reference)
		}
		assets++
	}
	require.GreaterOrEqual(t, assets, 3, "a style sheet and scripts")
	s.call("", "GET", "/docs/", "").is(http.StatusOK)
	s.call("", "GET", "/openapi.json", "").is(http.StatusOK)
}

// references are the values of every src and href of a page.
func references(t *testing.T, page string) (references []string) {
	t.Helper()
	tokens := html.NewTokenizer(strings.NewReader(page))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			require.ErrorIs(t, tokens.Err(), io.EOF)
			return references
		case html.StartTagToken, html.SelfClosingTagToken:
			for _, attribute := range tokens.Token().Attr {
				if attribute.Key == "src" || attribute.Key == "href" {
					references = append(references, attribute.Val)
				}
			}
		}
	}
}
