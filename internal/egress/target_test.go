package egress

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// targets are paths and queries as they are given, and as they are stored and go out.
func targets() map[string]string {
	unchanged := []string{
		"/", "/?", "/hook", "/a%2Fb", "/a%2fb", "/x%2Fy^z", "/%41%2B", "//", "//double//slash", "/a//b/", "//a%2Fb?x=//y",
		"/a/./b/../c", "/a;v=1,2", "/a|b", "/a[0]", `/back\slash`, "/{id}", "/~user", "/a+b", "/*", "/a'b\"c<d>`e",
		"/?a=b&c=d", "/?a=[1]&b={2}|3^4", "/?x=%zz&50%", "/?q=a?b", "/?url=https://example.com/a%2Fb", "/a:b@c", "/%E2%82%AC",
	}
	given := map[string]string{
		"/a%2Fb/é": "/a%2Fb/%C3%A9", "/%41%2B/é": "/%41%2B/%C3%A9", "/?name=Foo Bar": "/?name=Foo%20Bar", "/a b/c": "/a%20b/c",
		"/a\tb\nc\rd\x00e\x7ff": "/a%09b%0Ac%0Dd%00e%7Ff", "/日本?q=日本": "/%E6%97%A5%E6%9C%AC?q=%E6%97%A5%E6%9C%AC",
		"/a\u200bb": "/a%E2%80%8Bb", "/\xff": "/%FF", "//a^b|c": "//a%5Eb%7Cc", "//é?a^b": "//%C3%A9?a^b",
		"/x HTTP/1.1\r\nHost: inside\r\n\r\nGET /": "/x%20HTTP/1.1%0D%0AHost:%20inside%0D%0A%0D%0AGET%20/",
	}
	for _, path := range unchanged {
		given[path] = path
	}
	return given
}

// rawReceiver keeps the first line and the Host header of each request as they came.
func rawReceiver(t *testing.T) (address string, lines <-chan string) {
	t.Helper()
	seen := make(chan string, 4)
	address, _ = listen(t, func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		reader := bufio.NewReader(conn)
		first, err := reader.ReadString('\n')
		if err != nil {
			return
		}
		host := ""
		for line := first; err == nil && line != "\r\n"; line, err = reader.ReadString('\n') {
			if value, found := strings.CutPrefix(line, "Host: "); found {
				host = value
			}
		}
		seen <- strings.TrimSpace(first) + " " + strings.TrimSpace(host)
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
	})
	return address, seen
}

func TestURLGoesOutAsStored(t *testing.T) {
	t.Parallel()
	address, lines := rawReceiver(t)
	proxy := newProxy(t, false, 0)
	clients := map[string]*Client{"directly": localClient(t, Config{}), "through a proxy": localClient(t, Config{Proxy: proxy.url(t, nil)})}
	for given, sent := range targets() {
		for way, client := range clients {
			stored, host, err := client.CheckURL("http://" + address + given)
			require.NoError(t, err, "%q", given)
			require.Equal(t, "http://"+address+sent, stored)
			require.Equal(t, address, host)
			_, err = client.Send(post(t, stored), 0)
			require.NoError(t, err, "%q", given)
			require.Equal(t, "POST "+sent+" HTTP/1.1 "+address, <-lines, "%q %s", given, way)
		}
	}
	// HTTP has no empty target.
	for given, sent := range map[string]string{"": "/", "?": "/?", "?a=b c": "/?a=b%20c"} {
		stored, _, err := clients["directly"].CheckURL("http://" + address + given)
		require.NoError(t, err)
		require.Equal(t, "http://"+address+strings.TrimPrefix(sent, "/"), stored)
		_, err = clients["directly"].Send(post(t, stored), 0)
		require.NoError(t, err)
		require.Equal(t, "POST "+sent+" HTTP/1.1 "+address, <-lines)
	}
}

func TestURLGoesOutAsStoredInHTTP2(t *testing.T) {
	t.Parallel()
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	certified.Close()
	paths := make(chan string, 1)
	address, _ := listen(t, func(conn net.Conn) {
		secure := tls.Server(conn, &tls.Config{Certificates: certified.TLS.Certificates, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12})
		defer func() { _ = secure.Close() }()
		framer := http2.NewFramer(secure, bufio.NewReader(secure))
		framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		if _, err := secure.Read(make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		_ = framer.WriteSettings()
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				return
			}
			if headers, ok := frame.(*http2.MetaHeadersFrame); ok {
				paths <- headers.PseudoValue("path") + " " + headers.PseudoValue("authority")
				var block strings.Builder
				_ = hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
				_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: headers.StreamID, BlockFragment: []byte(block.String()), EndStream: true, EndHeaders: true})
			}
		}
	})
	client := localClient(t, Config{RootCAs: rootsOf(certified)})
	for given, sent := range targets() {
		stored, _, err := client.CheckURL("https://" + address + given)
		require.NoError(t, err)
		_, err = client.Send(post(t, stored), 0)
		require.NoError(t, err, "%q", given)
		require.Equal(t, sent+" "+address, <-paths, "%q", given)
	}
	client.Close()
}

func TestCheckURLKeepsWhatItAccepts(t *testing.T) {
	t.Parallel()
	client := localClient(t, Config{})
	for given, want := range map[string][2]string{
		"https://example.com":              {"https://example.com", "example.com"},
		"HTTPS://Example.COM/Hook":         {"HTTPS://Example.COM/Hook", "Example.COM"},
		"https://example.com:443/":         {"https://example.com:443/", "example.com:443"},
		"https://example.com./x":           {"https://example.com./x", "example.com."},
		"https://a_b.example/x":            {"https://a_b.example/x", "a_b.example"},
		"https://bücher.example/x?ü":       {"https://xn--bcher-kva.example/x?%C3%BC", "xn--bcher-kva.example"},
		"https://BÜCHER.example:8443/":     {"https://xn--bcher-kva.example:8443/", "xn--bcher-kva.example:8443"},
		"http://[::1]:9000/x":              {"http://[::1]:9000/x", "[::1]:9000"},
		"https://[2606:4700::1111]/":       {"https://[2606:4700::1111]/", "[2606:4700::1111]"},
		"http://internal-db:9000":          {"http://internal-db:9000", "internal-db:9000"},
		"https://1.2.3.4.example/x":        {"https://1.2.3.4.example/x", "1.2.3.4.example"},
		"https://example.com/x%23fragment": {"https://example.com/x%23fragment", "example.com"},
	} {
		stored, host, err := client.CheckURL(given)
		require.NoError(t, err, given)
		require.Equal(t, want, [2]string{stored, host})
	}
}

func TestCheckURLSaysWhatToChange(t *testing.T) {
	t.Parallel()
	client := localClient(t, Config{AllowTargets: []Network{}})
	for given, want := range map[string]string{
		"":                                                 "expected a URL such as",
		" https://example.com/":                            "begins with a space: remove it",
		"\ufeffhttps://example.com/":                       "begins with a byte order mark (U+FEFF): remove it",
		"https://example.com/hook\n":                       "ends with a newline (U+000A), its character 25: remove it",
		"https://example.com/hook\u200b":                   "ends with a zero-width space (U+200B), its character 25: remove it",
		"https://example.com/hook\u00a0":                   "ends with a no-break space (U+00A0)",
		"https://exam ple.com/":                            "host has a space at its character 5",
		"https://example.com\t/":                           "host has a tab (U+0009) at its character 12",
		"https://exam\u200bple.com/":                       "host",
		"example.com/hook":                                 "that begins with https:// or http://",
		"https:/example.com":                               "that begins with https:// or http://",
		"ftp://example.com":                                "that begins with https:// or http://",
		"javascript:alert(1)":                              "that begins with https:// or http://",
		"https:///hook":                                    "a URL with a host",
		"https://?x":                                       "a URL with a host",
		"https://:443/":                                    "a URL with a host",
		"https://example.com:/":                            "a port from 1 to 65535",
		"https://example.com:0/":                           "a port from 1 to 65535",
		"https://example.com:99999/":                       "a port from 1 to 65535",
		"https://example.com:+80/":                         "a port from 1 to 65535",
		"https://example.com:80:80/":                       "several colons",
		"https://::1/":                                     "several colons",
		"https://[::1/":                                    "not an IPv6 address",
		"https://[1.2.3.4]/":                               "not an IPv6 address",
		"https://[v1.x]/":                                  "not an IPv6 address",
		"https://[fe80::1%25eth0]/":                        "has a zone",
		"https://u@example.com/":                           "without user name and password",
		"https://u:p@example.com/":                         "without user name and password",
		"https://@example.com/":                            "without user name and password",
		`https://good.example\@10.0.0.1/`:                  "without user name and password",
		`https://good.example\.evil/`:                      `'\\' at its character 13`,
		"https://ex%61mple.com/":                           "host has '%' at its character 3",
		"https://a..b/":                                    "is not a name",
		"https://" + strings.Repeat("a", 64) + ".example/": "is not a name",
		"https://example.com/#":                            "fragment",
		"https://example.com#part":                         "fragment",
		"https://example.com/100%":                         "without two hexadecimal digits behind it, at its character 5",
		"https://example.com/%z1/%41":                      "at its character 2",
		"https://example.com/é%4":                          "%25 for a percent sign",
		"https://2130706433/":                              "is a number",
		"https://0x7f.1/":                                  "is a number",
		"https://127.1/":                                   "is a number",
		"https://0177.0.0.1/":                              "is a number",
		"https://0x7F000001/":                              "is a number",
		"https://127.0.0.1./":                              "is a number",
		"https://256.1.1.1/":                               "is a number",
		"https://10.0.0.1/":                                refusal,
		"https://169.254.169.254/":                         refusal,
		"https://[::ffff:10.0.0.1]/":                       refusal,
		"https://[64:ff9b::a00:1]/":                        refusal,
		"https://①②⑦.⓪.⓪.①/":                               refusal,
		"https://127。0。0。1/":                               refusal,
		"https://example.com:22/":                          refusal,
		"https://93.184.215.14:8443/":                      refusal,
	} {
		_, _, err := client.CheckURL(given)
		require.Contains(t, requireClass(t, err, ClassBlocked), want, "%q", given)
	}
}

// What an earlier release stored goes out, also when it would not be accepted today.
func TestRequestForWhatWasStoredEarlier(t *testing.T) {
	t.Parallel()
	for stored, sent := range map[string]string{
		"http://example.com/hook ": "/hook%20", "http://example.com/é#": "/%C3%A9", "http://example.com/?a=b c": "/?a=b%20c",
	} {
		request, err := NewRequest(t.Context(), http.MethodPost, stored, nil)
		require.NoError(t, err)
		require.Equal(t, sent, request.URL.RequestURI())
	}
}

// Whatever is accepted is stored in a form that is accepted again and stays, and goes out as it is stored.
func FuzzCheckURL(f *testing.F) {
	for given := range targets() {
		f.Add("https://example.com" + given)
	}
	for _, given := range []string{"http://bücher.example?x", "https://[::1]:80", "HTTP://1.2.3.4//a^b", "https://a.b/%%", " https://x", "http://0x7f.1"} {
		f.Add(given)
	}
	client, err := New(Config{AllowTargets: mustParseNetworks("0.0.0.0/0", "::/0")})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, given string) {
		stored, host, err := client.CheckURL(given)
		if err != nil {
			requireClass(t, err, ClassBlocked)
			return
		}
		again, sameHost, err := client.CheckURL(stored)
		require.NoError(t, err)
		require.Equal(t, stored, again)
		require.Equal(t, host, sameHost)
		request, err := NewRequest(t.Context(), http.MethodPost, stored, nil)
		require.NoError(t, err)
		_, rest, _ := strings.Cut(stored, "://")
		require.Equal(t, host, request.URL.Host)
		require.Equal(t, host, request.Host)
		sent := strings.TrimPrefix(rest, host)
		if !strings.HasPrefix(sent, "/") {
			sent = "/" + sent
		}
		require.Equal(t, sent, request.URL.RequestURI())
		require.NotContains(t, sent, " ")
		require.True(t, isASCII(stored))
	})
}
