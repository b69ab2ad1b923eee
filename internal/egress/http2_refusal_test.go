package egress

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// refusing is an HTTP/2 receiver that refuses the first stream of a connection, which says that it has not
// looked at it (RFC 9113, section 8.7), and answers the others. It returns the number of streams that it saw.
func refusing(conn net.Conn) (streams int) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return 0
	}
	framer := http2.NewFramer(conn, conn)
	_ = framer.WriteSettings()
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return streams
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = framer.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			streams++
			if streams == 1 {
				_ = framer.WriteRSTStream(frame.StreamID, http2.ErrCodeRefusedStream)
				continue
			}
			var block bytes.Buffer
			_ = hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
			_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: frame.StreamID, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
		}
	}
}

// A custom header Idempotency-Key changes nothing of how refusals of HTTP/2 are handled: the stream that was
// not looked at is opened once more.
func TestHTTP2RefusalWithIdempotencyKey(t *testing.T) {
	t.Parallel()
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	certified.Close()
	for _, name := range []string{"X-Custom", "Idempotency-Key", "X-Idempotency-Key"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			streams := make(chan int, 1)
			address, _ := listen(t, func(conn net.Conn) {
				secure := tls.Server(conn, &tls.Config{Certificates: certified.TLS.Certificates, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12})
				defer func() { _ = secure.Close() }()
				streams <- refusing(secure)
			})
			client := localClient(t, Config{RootCAs: rootsOf(certified)})
			request := post(t, "https://"+address+"/")
			request.Header.Set(name, "key")
			result, err := client.Send(request, 10)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, result.StatusCode)
			client.Close()
			require.Equal(t, 2, <-streams)
		})
	}
}
