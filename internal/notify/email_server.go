package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

const (
	submissionPort = 587 // RFC 6409
	smtpsPort      = 465 // RFC 8314
)

// mailServer is what the SMTP URL says.
type mailServer struct {
	host     string
	port     int
	tls      bool // from the start
	user     string
	password string
	roots    *x509.CertPool
}

func parseMailServer(raw string) (mailServer, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return mailServer{}, errors.New("the SMTP URL cannot be read") // the parser's error would repeat it
	}
	server := mailServer{host: u.Hostname(), port: submissionPort, tls: u.Scheme == "smtps", user: u.User.Username()}
	server.password, _ = u.User.Password()
	if server.tls {
		server.port = smtpsPort
	}
	switch {
	case u.Scheme != "smtp" && u.Scheme != "smtps":
		return mailServer{}, errors.New("the SMTP URL must begin with smtp:// or smtps://")
	case server.host == "":
		return mailServer{}, errors.New("the SMTP URL has no host")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return mailServer{}, errors.New("the SMTP URL must end after the host and port")
	}
	if u.Port() != "" {
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || port == 0 {
			return mailServer{}, errors.New("the SMTP URL's port is not between 1 and 65535")
		}
		server.port = int(port)
	}
	return server, nil
}

// client prepares the library for one conversation.
func (s mailServer) client(dial mail.DialContextFunc, timeout time.Duration) (*mail.Client, error) {
	policy := mail.TLSOpportunistic
	if s.tls {
		policy = mail.NoTLS // no STARTTLS: the dialer has done it already
	}
	options := []mail.Option{
		mail.WithPort(s.port),
		mail.WithTimeout(timeout),
		mail.WithDialContextFunc(dial),
		mail.WithTLSConfig(s.tlsConfig()),
		mail.WithTLSPolicy(policy),
		mail.WithoutNoop(), // the connection is new
		mail.WithoutRset(), // and ends after this message
	}
	if s.user != "" {
		options = append(options,
			mail.WithUsername(s.user),
			mail.WithPassword(s.password),
			mail.WithOpportunisticSMTPAuth(
				mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5,
			),
		)
	}
	return mail.NewClient(s.host, options...)
}

func (s mailServer) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: s.host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
}

func (s mailServer) connect(ctx context.Context, network, address string) (net.Conn, error) {
	if s.tls {
		dialer := &tls.Dialer{Config: s.tlsConfig()}
		return dialer.DialContext(ctx, network, address)
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, address)
}

// mailConnection is the one connection of a conversation. Only the goroutine
// that sends uses it.
type mailConnection struct {
	server mailServer
	conn   net.Conn
	detach func() bool
}

// dialer returns the function that the library connects with. The connection
// closes when ctx ends, at whatever point of the conversation that is.
func (c *mailConnection) dialer(ctx context.Context) mail.DialContextFunc {
	return func(dialCtx context.Context, network, address string) (net.Conn, error) {
		conn, err := c.server.connect(dialCtx, network, address)
		if err != nil {
			return nil, err
		}
		c.conn = conn
		c.detach = context.AfterFunc(ctx, func() { _ = conn.Close() })
		return conn, nil
	}
}

func (c *mailConnection) close() {
	if c.conn != nil {
		c.detach()
		_ = c.conn.Close() // after a QUIT it is closed already
	}
}
