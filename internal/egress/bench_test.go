package egress

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func BenchmarkSend(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"received":true}`)
	}))
	defer server.Close()
	client := localClient(b, Config{})
	body := bytes.Repeat([]byte("x"), 1<<10)

	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL, bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := client.Send(req, 16<<10); err != nil {
			b.Fatal(err)
		}
	}
}
