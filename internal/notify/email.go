package notify

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	netmail "net/mail"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

const (
	defaultEmailTimeout = 30 * time.Second
	// quitTimeout bounds the polite end of a session whose message was accepted.
	quitTimeout = 2 * time.Second
)

// EmailConfig says which mail server sends and in whose name.
type EmailConfig struct {
	// URL of the operator's mail server: smtp://user:password@host:587, which uses
	// STARTTLS when the server offers it, or smtps://… for TLS from the start. The
	// default ports are 587 and 465. Without TLS a password is only sent to
	// localhost, or by a mechanism that does not reveal it.
	URL string
	// From is the sender, as an address or as "Name <address>".
	From string
	// Timeout bounds one message; 30 s when zero.
	Timeout time.Duration
	// RootCAs replaces the certificate authorities of the system.
	RootCAs *x509.CertPool
	// Now gives the time for the Date header; time.Now when nil.
	Now func() time.Time
}

// Email sends notices by SMTP. It is safe for concurrent use; every message has
// a connection of its own. The connection goes to the operator's own mail
// server, so the egress guard does not apply.
type Email struct {
	composer *composer
	server   mailServer
	timeout  time.Duration
	now      func() time.Time
}

// NewEmail makes the email channel. Its errors name what is wrong with the
// settings, never the URL, which may hold a password.
func NewEmail(cfg EmailConfig) (*Email, error) {
	var faults []error
	server, err := parseMailServer(cfg.URL)
	if err != nil {
		faults = append(faults, err)
	}
	from, err := netmail.ParseAddress(cfg.From)
	if err != nil {
		faults = append(faults, errors.New("the sender is not an email address"))
	}
	if cfg.Timeout < 0 {
		faults = append(faults, errors.New("the timeout is negative"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("notify: email: %w", err)
	}
	composer, err := newComposer(from)
	if err != nil {
		return nil, fmt.Errorf("notify: email: %w", err)
	}
	server.roots = cfg.RootCAs
	email := &Email{composer: composer, server: server, timeout: cfg.Timeout, now: cfg.Now}
	if email.timeout == 0 {
		email.timeout = defaultEmailTimeout
	}
	if email.now == nil {
		email.now = time.Now
	}
	return email, nil
}

// Send sends the notice to one address. It returns nil once the mail server has
// taken the message; for the kinds of errors see the package comment.
func (e *Email) Send(ctx context.Context, to string, notice Notice) error {
	recipient, err := netmail.ParseAddress(to)
	if err != nil || len(recipient.Address) > maxAddress {
		return fmt.Errorf("notify: send email: %w: the recipient is not an email address", ErrPermanent)
	}
	msg, err := e.composer.compose(recipient, e.now(), notice)
	if err != nil {
		return fmt.Errorf("notify: send email: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	if err := e.deliver(ctx, msg); err != nil {
		return fmt.Errorf("notify: send email: %w", mailError(ctx, err, recipient.Address))
	}
	return nil
}

// deliver holds one SMTP conversation. The connection is dialed and closed here
// and not left to the library, for two reasons: the context must end it at any
// point, and after a failure it must be cut, not ended with QUIT. A QUIT in the
// middle of the message's text would first complete that text, and the server
// would take half a message for a whole one.
func (e *Email) deliver(ctx context.Context, msg *mail.Msg) error {
	line := mailConnection{server: e.server}
	defer line.close()
	client, err := e.server.client(line.dialer(ctx), e.timeout)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if err := client.SendWithSMTPClient(session, msg); err != nil && !msg.IsDelivered() {
		return err
	}
	quit(session)
	return nil
}

// quit ends a session whose work is done; how that goes does not matter.
func quit(session *smtp.Client) {
	if session.UpdateDeadline(quitTimeout) == nil {
		_ = session.Quit()
	}
}
