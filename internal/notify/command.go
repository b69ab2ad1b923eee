package notify

import (
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

func resendCommand(apiURL, deliveryID string) string {
	return command(apiURL, http.MethodPost, "/api/deliveries/"+url.PathEscape(deliveryID)+"/resend", "")
}

func failedDeliveriesCommand(apiURL, webhookID string) string {
	path := "/api/deliveries?webhook_id=" + url.QueryEscape(webhookID) + "&status=permanently_failed"
	return command(apiURL, http.MethodGet, path, "")
}

func enableCommand(apiURL, webhookID string) string {
	return command(apiURL, http.MethodPatch, webhookPath(webhookID), `{"active": true}`)
}

// recoverCommand sends again what did not reach the receiver since a time, and
// with missed also what was published while the webhook was inactive. The time is
// cut to seconds, so that it never leaves out the first failure.
func recoverCommand(apiURL, webhookID string, since time.Time, missed bool) string {
	body := `{"since": "` + since.UTC().Format(time.RFC3339) + `"`
	if missed {
		body += `, "include": "missed"`
	}
	body += "}"
	return command(apiURL, http.MethodPost, webhookPath(webhookID)+"/recover", body)
}

func webhookPath(webhookID string) string { return "/api/webhooks/" + url.PathEscape(webhookID) }

// command is a command line for a POSIX shell, or what to ask the API for when
// its address is not known. The body may be empty.
func command(apiURL, method, path, body string) string {
	base := strings.TrimRight(link(apiURL), "/")
	if base == "" {
		return strings.TrimSpace(method + " " + path + " " + body)
	}
	line := "curl "
	if method != http.MethodGet {
		line += "-X " + method + " "
	}
	line += shellWord(base+path) + ` -H "Authorization: Bearer $POSTRIDER_KEY"`
	if body != "" {
		line += " -d " + shellWord(body)
	}
	return line
}

// shellWord quotes a word unless it has only characters that mean nothing to a
// shell.
func shellWord(word string) string {
	special := strings.ContainsFunc(word, func(r rune) bool {
		letter := r <= unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r))
		return !letter && !strings.ContainsRune("/:._-%", r)
	})
	if !special {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// link returns an absolute http or https URL, or nothing.
func link(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	if text := u.String(); len(text) <= maxLink {
		return text
	}
	return ""
}
