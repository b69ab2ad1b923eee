package notify

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Special replies of the server.
const (
	hangUp = "<hang up>"   // closes the connection
	silent = "<no answer>" // answers nothing until the client goes
)

// mailbox is a small SMTP server (RFC 5321) that takes one connection at a time.
type mailbox struct {
	// replies overrides what is answered to a verb; "GREETING" and "TEXT" stand for
	// the connection itself and for the end of the message's text.
	replies map[string]string
	// extensions are announced after EHLO.
	extensions []string
	// tls is used after STARTTLS, or from the start with implicitTLS.
	tls         *tls.Config
	implicitTLS bool
	host        string // to listen on; 127.0.0.1 when empty

	address string
	reached chan string // each verb, as it is answered

	mu       sync.Mutex
	letters  []letter
	sessions int
}

// letter is one message as it was handed over.
type letter struct {
	from, to string
	login    string
	tls      bool
	text     string
}

func (m *mailbox) start(t testing.TB) *mailbox {
	t.Helper()
	host := m.host
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	require.NoError(t, err)
	m.address = listener.Addr().String()
	m.reached = make(chan string, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.sessions++
			m.mu.Unlock()
			m.serve(conn)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return m
}

// received returns the letters that were accepted.
func (m *mailbox) received() []letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]letter(nil), m.letters...)
}

func (m *mailbox) sessionCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sessions
}

// session is one connection's state.
type session struct {
	*mailbox
	conn   net.Conn
	reader *textproto.Reader
	letter letter
}

func (m *mailbox) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	s := &session{mailbox: m}
	s.use(conn)
	if m.implicitTLS {
		s.use(tls.Server(conn, m.tls))
		s.letter.tls = true
	}
	if !s.answer("GREETING", "220 mail.example ESMTP") {
		return
	}
	for {
		line, err := s.reader.ReadLine()
		if err != nil || !s.command(line) {
			return
		}
	}
}

func (s *session) use(conn net.Conn) {
	s.conn, s.reader = conn, textproto.NewReader(bufio.NewReader(conn))
}

// answer sends the reply to what, and reports whether the session goes on.
func (s *session) answer(what, reply string) bool {
	if other, ok := s.replies[what]; ok {
		reply = other
	}
	select {
	case s.reached <- what:
	default:
	}
	switch reply {
	case hangUp:
		return false
	case silent:
		_, _ = io.Copy(io.Discard, s.conn)
		return false
	}
	_, err := io.WriteString(s.conn, strings.ReplaceAll(reply, "\n", "\r\n")+"\r\n")
	return err == nil
}

func (s *session) command(line string) bool {
	verb, argument, _ := strings.Cut(line, " ")
	switch verb = strings.ToUpper(verb); verb {
	case "EHLO":
		lines := append([]string{"mail.example"}, s.extensions...)
		for i, text := range lines {
			separator := "-"
			if i == len(lines)-1 {
				separator = " "
			}
			lines[i] = "250" + separator + text
		}
		return s.answer(verb, strings.Join(lines, "\n"))
	case "STARTTLS":
		if !s.answer(verb, "220 go ahead") {
			return false
		}
		s.use(tls.Server(s.conn, s.tls))
		s.letter.tls = true
		return true
	case "AUTH":
		token, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(argument, "PLAIN "))
		if err != nil {
			return s.answer(verb, "501 not understood")
		}
		s.letter.login = string(token)
		return s.answer(verb, "235 welcome")
	case "MAIL":
		s.letter.from = argument
		return s.answer(verb, "250 ok")
	case "RCPT":
		s.letter.to += argument
		return s.answer(verb, "250 ok")
	case "DATA":
		return s.answer(verb, "354 go ahead") && s.text()
	case "RSET":
		return s.answer(verb, "250 ok")
	case "QUIT":
		s.answer(verb, "221 bye")
		return false
	}
	return s.answer(verb, "502 not implemented")
}

// text reads the message and keeps it if it is then accepted.
func (s *session) text() bool {
	text, err := s.reader.ReadDotBytes()
	if err != nil {
		return false
	}
	s.letter.text = string(text)
	if s.replies["TEXT"] == "" {
		s.mu.Lock()
		s.letters = append(s.letters, s.letter)
		s.mu.Unlock()
	}
	return s.answer("TEXT", "250 queued")
}
