package notify

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestShownURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][2]string{
		"https://h.example":                      {"https://h.example", "h.example"},
		"https://u:p@h.example:8443/a/b?k=v#f":   {"https://h.example:8443/a/b", "h.example:8443"},
		"https://h.example/a%2Fb?":               {"https://h.example/a%2Fb", "h.example"},
		"https://[::1]:9/":                       {"https://[::1]:9/", "[::1]:9"},
		"not a url":                              {"(unreadable URL)", "(unreadable URL)"},
		"":                                       {"(unreadable URL)", "(unreadable URL)"},
		"https://h.example/\x7f?token=secret":    {"(unreadable URL)", "(unreadable URL)"},
		"mailto:secret@h.example?subject=secret": {"(unreadable URL)", "(unreadable URL)"},
	} {
		shown, host := shownURL(raw)
		require.Equal(t, want, [2]string{shown, host}, raw)
	}
}

func TestLastError(t *testing.T) {
	t.Parallel()
	code := func(n int) *int { return &n }
	for want, about := range map[string]About{
		"":                             {},
		"dns":                          {LastErrorClass: "dns"},
		"no answer within 30s":         {LastError: "no answer within 30s"},
		"no such host: a":              {LastError: "no such host: a", LastErrorClass: "dns"},
		"HTTP 503 Service Unavailable": {LastStatusCode: code(503), LastErrorClass: "http_status"},
		"the receiver answered 503":    {LastStatusCode: code(503), LastError: "the receiver answered 503", LastErrorClass: "http_status"},
		"HTTP 200 OK: response body not finished within 30s": {LastStatusCode: code(200), LastError: "response body not finished within 30s", LastErrorClass: "timeout"},
		"HTTP 599": {LastStatusCode: code(599)},
		"a b":      {LastError: "a\r\nb"},
	} {
		require.Equal(t, want, about.lastError())
	}
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	require.Empty(t, attempts(0, first, first))
	require.Equal(t, "2", attempts(2, time.Time{}, first))
	require.Equal(t, "1, at 2026-01-02 03:04:05 UTC", attempts(1, first, first))
	require.Equal(t, "2, from 2026-01-02 03:04:05 UTC to 2026-01-02 03:05:05 UTC", attempts(2, first, first.Add(time.Minute)))
}

func TestClean(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a b c", clean("  a\r\n\tb\u2029c\x00 ", 10))
	require.Equal(t, "größ…", clean("größer", 5))
	require.Equal(t, "größer", clean("größer", 6))
	require.Equal(t, "a b", clean("a\u202eb", 10))
	require.Empty(t, clean("\xff\xfe", 10))
}
