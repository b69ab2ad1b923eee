package notify

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	htmltemplate "html/template"
	netmail "net/mail"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/wneessen/go-mail"
)

//go:embed templates
var templates embed.FS

// composer writes the emails.
type composer struct {
	from *netmail.Address
	text *texttemplate.Template
	html *htmltemplate.Template
}

func newComposer(from *netmail.Address) (*composer, error) {
	text, err := texttemplate.ParseFS(templates, "templates/email.txt.tmpl")
	if err != nil {
		return nil, fmt.Errorf("read text template: %w", err)
	}
	html, err := htmltemplate.ParseFS(templates, "templates/email.html.tmpl")
	if err != nil {
		return nil, fmt.Errorf("read HTML template: %w", err)
	}
	return &composer{from: from, text: text, html: html}, nil
}

// compose writes the message for one recipient. The recipient appears with the
// bare address: the owner's name is not trusted near headers.
func (c *composer) compose(to *netmail.Address, now time.Time, n Notice) (*mail.Msg, error) {
	v := newView(n)
	var text, html bytes.Buffer
	if err := c.text.Execute(&text, v); err != nil {
		return nil, fmt.Errorf("write text: %w", err)
	}
	if err := c.html.Execute(&html, v); err != nil {
		return nil, fmt.Errorf("write HTML: %w", err)
	}

	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(c.from)
	msg.ToMailAddress(&netmail.Address{Address: to.Address})
	// What looks like an encoded word (RFC 2047) would be decoded by the reader's
	// mail program, past the cleaning.
	msg.Subject(strings.ReplaceAll(v.Title(), "=?", "= ?"))
	msg.SetDateWithValue(now)
	msg.SetMessageIDWithValue(c.messageID(n))
	// Keeps vacation replies away (RFC 3834).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(mail.TypeTextPlain, text.String())
	msg.AddAlternativeString(mail.TypeTextHTML, html.String())
	return msg, nil
}

// messageID gives the same ID for the same occasion. It is hashed, because an ID may not hold every character.
func (c *composer) messageID(n Notice) string {
	sum := sha256.Sum256([]byte(n.occasion()))
	domain := c.from.Address[strings.LastIndex(c.from.Address, "@")+1:]
	return hex.EncodeToString(sum[:16]) + "@" + domain
}
