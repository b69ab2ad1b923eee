package notify

import (
	"context"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const testRecipient = "owner@example.com"

func newEmail(t testing.TB, cfg EmailConfig) *Email {
	t.Helper()
	if cfg.From == "" {
		cfg.From = "Postrider <postrider@example.org>"
	}
	cfg.Now = func() time.Time { return time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC) }
	email, err := NewEmail(cfg)
	require.NoError(t, err)
	return email
}

// parsed is an email as a mail program sees it.
type parsed struct {
	header     netmail.Header
	text, html string
}

func parse(t testing.TB, raw string) parsed {
	t.Helper()
	message, err := netmail.ReadMessage(strings.NewReader(raw))
	require.NoError(t, err)
	kind, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	p := parsed{header: message.Header}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for _, part := range []struct {
		kind string
		into *string
	}{{"text/plain", &p.text}, {"text/html", &p.html}} {
		next, err := parts.NextRawPart()
		require.NoError(t, err)
		require.Equal(t, part.kind+"; charset=UTF-8", next.Header.Get("Content-Type"))
		require.Equal(t, "quoted-printable", next.Header.Get("Content-Transfer-Encoding"))
		content, err := io.ReadAll(quotedprintable.NewReader(next))
		require.NoError(t, err)
		*part.into = strings.ReplaceAll(string(content), "\r\n", "\n")
	}
	_, err = parts.NextRawPart()
	require.ErrorIs(t, err, io.EOF)
	return p
}

func (p parsed) subject(t testing.TB) string {
	t.Helper()
	subject, err := new(mime.WordDecoder).DecodeHeader(p.header.Get("Subject"))
	require.NoError(t, err)
	return subject
}

// asRead shows the email the way its golden file holds it.
func (p parsed) asRead(t testing.TB) string {
	t.Helper()
	return "From: " + p.header.Get("From") + "\nTo: " + p.header.Get("To") + "\nDate: " + p.header.Get("Date") +
		"\nMessage-ID: " + p.header.Get("Message-Id") + "\nSubject: " + p.subject(t) + "\n\n" + p.text
}

func TestEmail(t *testing.T) {
	t.Parallel()
	for name, notice := range goldenNotices() {
		t.Run("email"+name, func(t *testing.T) {
			t.Parallel()
			server := (&mailbox{}).start(t)
			email := newEmail(t, EmailConfig{URL: "smtp://" + server.address})
			require.NoError(t, email.Send(t.Context(), testRecipient, notice))

			letters := server.received()
			require.Len(t, letters, 1)
			require.Equal(t, "FROM:<postrider@example.org>", letters[0].from)
			require.Equal(t, "TO:<owner@example.com>", letters[0].to)
			require.NotContains(t, letters[0].text, "secret")
			require.NotContains(t, letters[0].text, "user:pass")
			got := parse(t, letters[0].text)
			require.Equal(t, "auto-generated", got.header.Get("Auto-Submitted"))
			requireGolden(t, "email"+name+".txt", got.asRead(t))
			requireGolden(t, "email"+name+".html", got.html)
		})
	}
}

func TestMessageIDFollowsTheKey(t *testing.T) {
	t.Parallel()
	server := (&mailbox{}).start(t)
	email := newEmail(t, EmailConfig{URL: "smtp://" + server.address})
	other := sampleNotice()
	other.Key = "another"
	keyless := sampleNotice()
	keyless.Key = ""
	failing, disabled, again := failingNotice(), disabledNotice(), disabledNotice()
	failing.Key, disabled.Key = other.Key, other.Key // another kind is another message
	again.Key = ""
	earlier := again
	earlier.FailingSince = again.FailingSince.Add(-time.Hour)
	distinct := []Notice{other, failing, disabled, again, earlier, Disabled{About: minimalWebhook}, minimalNotice()}
	for _, notice := range append([]Notice{sampleNotice(), sampleNotice(), keyless, keyless, again}, distinct...) {
		require.NoError(t, email.Send(t.Context(), testRecipient, notice))
	}
	var ids []string
	for _, letter := range server.received() {
		ids = append(ids, parse(t, letter.text).header.Get("Message-Id"))
	}
	require.Len(t, ids, 5+len(distinct))
	require.Equal(t, ids[0], ids[1])
	require.Equal(t, ids[2], ids[3])
	require.Equal(t, ids[4], ids[8])
	slices.Sort(ids)
	require.Len(t, slices.Compact(ids), 2+len(distinct))
	require.Regexp(t, `^<[0-9a-f]{32}@example\.org>$`, ids[0])
}

// Whatever users write into the texts, the message has the same headers and the
// same single recipient.
func TestNothingCanBeInjectedIntoAnEmail(t *testing.T) {
	t.Parallel()
	attacks := []string{
		"x\r\nBcc: evil@example.net",
		"x\nBcc: evil@example.net\n\n<script>alert(1)</script>",
		"x\r\n.\r\nQUIT\r\n",
		"x\r.\r\nMAIL FROM:<evil@example.net>\r\nRCPT TO:<evil@example.net>\r\nDATA\r\n",
		"=?utf-8?q?x=0D=0ABcc:_evil@example.net?=",
		"x\u2028Bcc: evil@example.net\u0085Cc: evil@example.net",
		"--boundary--\r\n\r\n" + strings.Repeat("long", 1000),
		"\u202etxt.exe\x00\x1b[31m\xff",
		`"><img src=x onerror=alert(1)>`,
	}
	server := (&mailbox{}).start(t)
	email := newEmail(t, EmailConfig{URL: "smtp://" + server.address})
	require.NoError(t, email.Send(t.Context(), testRecipient, sampleNotice()))
	baseline := headerNames(parse(t, server.received()[0].text).header)

	sent := 1
	for _, attack := range attacks {
		for _, notice := range hostileNotices(attack) {
			require.NoError(t, email.Send(t.Context(), testRecipient, notice))
			sent++
			letters := server.received()
			require.Len(t, letters, sent, "one message, not two")
			require.Equal(t, "FROM:<postrider@example.org>", letters[sent-1].from)
			require.Equal(t, "TO:<owner@example.com>", letters[sent-1].to)
			got := parse(t, letters[sent-1].text)
			require.Equal(t, baseline, headerNames(got.header))
			require.NotContains(t, got.subject(t), "\n")
			for line := range strings.Lines(got.text) {
				require.False(t, strings.HasPrefix(line, "Bcc") || strings.HasPrefix(line, "."), line)
			}
			require.NotContains(t, got.html, "<script")
			require.NotContains(t, got.html, "<img")
			require.NotContains(t, got.html, "javascript:")
		}
	}
}

func headerNames(header netmail.Header) []string {
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestRecipientThatIsNoAddress(t *testing.T) {
	t.Parallel()
	server := (&mailbox{}).start(t)
	email := newEmail(t, EmailConfig{URL: "smtp://" + server.address})
	for _, to := range []string{
		"", "owner", "owner@", "a@example.com, b@example.com", "a@example.com\r\nRCPT TO:<evil@example.net>",
		"<a@example.com>\r\nBcc: evil@example.net", strings.Repeat("x", 250) + "@example.com",
	} {
		err := email.Send(t.Context(), to, sampleNotice())
		require.ErrorIs(t, err, ErrPermanent, to)
		require.NotContains(t, err.Error(), "evil")
	}
	require.Zero(t, server.sessionCount())
}

func TestEmailFailures(t *testing.T) {
	t.Parallel()
	const (
		retryable = "retryable"
		permanent = "permanent"
		maybeSent = "maybe sent"
	)
	tests := map[string]struct {
		replies map[string]string
		kind    string
		says    string
	}{
		"no greeting":                 {map[string]string{"GREETING": hangUp}, retryable, "connect: EOF"},
		"refuses everybody":           {map[string]string{"GREETING": "554 no"}, retryable, `554 "no`},
		"busy":                        {map[string]string{"GREETING": "421 busy"}, retryable, `421 "busy`},
		"refuses the sender":          {map[string]string{"MAIL": "550 5.1.8 bad sender"}, retryable, `550 "5.1.8 bad sender`},
		"defers the sender":           {map[string]string{"MAIL": "451 4.3.0 later"}, retryable, `451 "4.3.0 later`},
		"unknown recipient":           {map[string]string{"RCPT": "550 5.1.1 <owner@example.com> unknown"}, permanent, `550 "5.1.1 <recipient> unknown`},
		"unknown recipient, no code":  {map[string]string{"RCPT": "550 who?"}, permanent, `550 "who?`},
		"moved recipient":             {map[string]string{"RCPT": "551 5.1.6 moved"}, permanent, "551"},
		"bad mailbox name":            {map[string]string{"RCPT": "553 5.1.3 bad name"}, permanent, "553"},
		"domain takes no mail":        {map[string]string{"RCPT": "556 5.1.10 null MX"}, permanent, "556"},
		"recipient refused by policy": {map[string]string{"RCPT": "550 5.7.1 relaying denied"}, retryable, `550 "5.7.1`},
		"recipient deferred":          {map[string]string{"RCPT": "451 4.7.1 greylisted"}, retryable, `451 "4.7.1 greylisted`},
		"mailbox full":                {map[string]string{"RCPT": "452 4.2.2 full"}, retryable, "452"},
		"line lost at RCPT":           {map[string]string{"RCPT": hangUp}, retryable, "RCPT TO"},
		"refuses DATA":                {map[string]string{"DATA": "554 no"}, retryable, `554 "no`},
		"line lost at DATA":           {map[string]string{"DATA": hangUp}, retryable, "DATA"},
		"defers the message":          {map[string]string{"TEXT": "451 4.3.0 try again"}, retryable, `451 "4.3.0 try again`},
		"refuses the message":         {map[string]string{"TEXT": "554 5.7.1 spam"}, retryable, `554 "5.7.1 spam`},
		"closes while answering":      {map[string]string{"TEXT": "421 4.3.2 shutting down"}, retryable, "421"},
		"unknown recipient, late":     {map[string]string{"TEXT": "550 5.1.1 unknown"}, permanent, `550 "5.1.1`},
		"line lost after the message": {map[string]string{"TEXT": hangUp}, maybeSent, "EOF"},
		"nonsense after the message":  {map[string]string{"TEXT": "?"}, maybeSent, "short response"},
		"odd answer to the message":   {map[string]string{"TEXT": "251 will forward"}, maybeSent, `251 "will forward`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := (&mailbox{replies: test.replies, extensions: []string{"ENHANCEDSTATUSCODES"}}).start(t)
			email := newEmail(t, EmailConfig{URL: "smtp://" + server.address})
			err := email.Send(t.Context(), testRecipient, sampleNotice())
			require.ErrorContains(t, err, test.says)
			require.NotContains(t, err.Error(), testRecipient)
			require.Equal(t, test.kind, kindOf(err), err.Error())
			require.Empty(t, server.received())
		})
	}
}

func kindOf(err error) string {
	switch maybe, permanent := isKind(err); {
	case maybe && permanent:
		return "contradiction"
	case maybe:
		return "maybe sent"
	case permanent:
		return "permanent"
	}
	return "retryable"
}

func TestMailServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	email := newEmail(t, EmailConfig{URL: "smtp://user:hush@" + listener.Addr().String()})
	err = email.Send(t.Context(), testRecipient, sampleNotice())
	require.ErrorContains(t, err, "connection refused")
	require.Equal(t, "retryable", kindOf(err))
	require.NotContains(t, err.Error(), "hush")
}

// Once the server has accepted the message, nothing that follows is a failure.
func TestAcceptedIsAccepted(t *testing.T) {
	t.Parallel()
	for _, reply := range []string{hangUp, "500 what?"} {
		server := (&mailbox{replies: map[string]string{"QUIT": reply}}).start(t)
		email := newEmail(t, EmailConfig{URL: "smtp://" + server.address})
		require.NoError(t, email.Send(t.Context(), testRecipient, sampleNotice()))
		require.Len(t, server.received(), 1)
	}
}

func TestMailServerThatFallsSilent(t *testing.T) {
	t.Parallel()
	for at, kind := range map[string]string{
		"GREETING": "retryable", "EHLO": "retryable", "MAIL": "retryable", "RCPT": "retryable", "DATA": "retryable", "TEXT": "maybe sent",
	} {
		t.Run(at+", time runs out", func(t *testing.T) {
			t.Parallel()
			server := (&mailbox{replies: map[string]string{at: silent}}).start(t)
			email := newEmail(t, EmailConfig{URL: "smtp://" + server.address, Timeout: 300 * time.Millisecond})
			err := email.Send(t.Context(), testRecipient, sampleNotice())
			require.Equal(t, kind, kindOf(err), err.Error())
		})
		t.Run(at+", caller gives up", func(t *testing.T) {
			t.Parallel()
			server := (&mailbox{replies: map[string]string{at: silent}}).start(t)
			email := newEmail(t, EmailConfig{URL: "smtp://" + server.address})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				for verb := range server.reached {
					if verb == at {
						cancel()
						return
					}
				}
			}()
			err := email.Send(ctx, testRecipient, sampleNotice())
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, kind, kindOf(err), err.Error())
		})
	}
}

func TestEmailSettings(t *testing.T) {
	t.Parallel()
	faults := map[string]string{
		"":                            "must begin with smtp:// or smtps://",
		"http://user:hush@host":       "must begin with smtp:// or smtps://",
		"smtp://":                     "has no host",
		"smtp://:25":                  "has no host",
		"smtp://host:0":               "port is not between 1 and 65535",
		"smtp://host:99999":           "port is not between 1 and 65535",
		"smtp://user:hush@host/path":  "must end after the host and port",
		"smtp://user:hush@host?tls=1": "must end after the host and port",
		"smtp://user:hu%zzsh@host":    "cannot be read",
		"smtp://user:hush@ho st":      "cannot be read",
	}
	for raw, says := range faults {
		_, err := NewEmail(EmailConfig{URL: raw, From: "nobody", Timeout: -1})
		require.ErrorContains(t, err, says, raw)
		require.ErrorContains(t, err, "the sender is not an email address")
		require.ErrorContains(t, err, "the timeout is negative")
		require.NotContains(t, err.Error(), "hush")
	}
	for raw, want := range map[string]mailServer{
		"smtp://mail.example":            {host: "mail.example", port: 587},
		"smtps://mail.example/":          {host: "mail.example", port: 465, tls: true},
		"smtp://u:p@[::1]:1025":          {host: "::1", port: 1025, user: "u", password: "p"},
		"smtps://apikey@mail.example:25": {host: "mail.example", port: 25, tls: true, user: "apikey"},
	} {
		server, err := parseMailServer(raw)
		require.NoError(t, err)
		require.Equal(t, want, server, raw)
	}
}
