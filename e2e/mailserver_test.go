package e2e

import (
	"bufio"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// mailServer takes mail as RFC 5321 describes it and keeps it.
type mailServer struct {
	address  string
	mu       sync.Mutex
	messages []message
}

// message is an accepted mail.
type message struct {
	to   string
	text string // as it came
}

func newMailServer(t testing.TB) *mailServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &mailServer{address: listener.Addr().String()}
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return // closed
			}
			sessions.Go(func() {
				defer connection.Close()
				s.talk(connection)
			})
		}
	})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		sessions.Wait()
	})
	return s
}

// talk holds one session. It ends when the client says so or hangs up.
func (s *mailServer) talk(connection io.ReadWriter) {
	lines := bufio.NewScanner(connection)
	say := func(line string) { _, _ = fmt.Fprintf(connection, "%s\r\n", line) }
	say("220 mail.test ready")
	var current message
	for lines.Scan() {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			say("250 mail.test")
		case "RCPT":
			current.to = rest[strings.Index(rest, "<")+1 : strings.Index(rest, ">")]
			say("250 ok")
		case "DATA":
			say("354 go on")
			current.text = dotted(lines)
			s.keep(current)
			say("250 ok")
		case "QUIT":
			say("221 bye")
			return
		default: // MAIL, RSET, NOOP
			say("250 ok")
		}
	}
}

// dotted reads up to the line with a single dot.
func dotted(lines *bufio.Scanner) string {
	var text strings.Builder
	for lines.Scan() && lines.Text() != "." {
		text.WriteString(strings.TrimPrefix(lines.Text(), "."))
		text.WriteString("\r\n")
	}
	return text.String()
}

func (s *mailServer) keep(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
}

// to returns the messages to one address.
func (s *mailServer) to(address string) []message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []message
	for _, m := range s.messages {
		if m.to == address {
			all = append(all, m)
		}
	}
	return all
}

// plain returns the subject and the text/plain part.
func (m message) plain(t testing.TB) (subject, text string) {
	t.Helper()
	parsed, err := mail.ReadMessage(strings.NewReader(m.text))
	require.NoError(t, err)
	subject, err = new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
	require.NoError(t, err)
	kind, parameters, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	parts := multipart.NewReader(parsed.Body, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		require.NoError(t, err, "no text/plain part")
		if !strings.HasPrefix(part.Header.Get("Content-Type"), "text/plain") {
			continue
		}
		require.Equal(t, "quoted-printable", part.Header.Get("Content-Transfer-Encoding"))
		content, err := io.ReadAll(quotedprintable.NewReader(part))
		require.NoError(t, err)
		return subject, string(content)
	}
}
