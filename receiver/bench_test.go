package receiver_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

// sieve is a store that lets everything through, so that one signed request can
// be handled over and over.
type sieve struct{}

func (sieve) Claim(_ context.Context, c receiver.Claim) (receiver.State, error) {
	return receiver.State{Status: receiver.StatusClaimed, Until: c.Until}, nil
}
func (sieve) Complete(context.Context, receiver.Claim, time.Time) error { return nil }
func (sieve) Release(context.Context, receiver.Claim) error             { return nil }

// sink is a ResponseWriter that keeps the status only.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

// benchmark serves the request over and over. The function may change it before
// each time.
func benchmark(b *testing.B, h http.Handler, status int, header http.Header, body string, before func(i int, h http.Header)) {
	b.Helper()
	reader := strings.NewReader(body)
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "/", nil)
	require.NoError(b, err)
	r.Header, r.Body, r.ContentLength = header, io.NopCloser(reader), int64(len(body))
	w := &sink{header: http.Header{}}
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for i := 0; b.Loop(); i++ {
		reader.Reset(body)
		if before != nil {
			before(i, header)
		}
		h.ServeHTTP(w, r)
		if w.status != status {
			b.Fatal(w.status)
		}
	}
}

// BenchmarkServeHTTP measures requests of 1 KB.
func BenchmarkServeHTTP(b *testing.B) {
	filler := strings.Repeat("x", 900)
	benches := []struct {
		provider receiver.Provider
		scheme   signature.Scheme
		body     string
		others   []string
	}{
		{receiver.Postrider, signature.SchemePostrider, `{"id":"dlv_1","event":"order.created","data":"` + filler + `"}`, nil},
		{receiver.StandardWebhooks, signature.SchemeStandardWebhooks, `{"type":"order.created","data":"` + filler + `"}`, nil},
		{receiver.Stripe, signature.SchemeStripe, `{"id":"evt_1","type":"order.created","data":"` + filler + `"}`, nil},
		{
			receiver.GitHub, signature.SchemeGitHub, `{"action":"opened","data":"` + filler + `"}`,
			[]string{"X-GitHub-Delivery", "1", "X-GitHub-Event", "issues"},
		},
		{
			receiver.Shopify, signature.SchemeShopify, `{"data":"` + filler + `"}`,
			[]string{"X-Shopify-Webhook-Id", "1", "X-Shopify-Topic", "orders/create"},
		},
		{receiver.Slack, signature.SchemeSlack, `{"event_id":"Ev1","event":{"type":"message","text":"` + filler + `"}}`, nil},
	}
	for _, bench := range benches {
		b.Run(bench.provider.String(), func(b *testing.B) {
			h := newHandler(b, receiver.Options{Provider: bench.provider, Store: sieve{}})
			h.On("*", new(calls).handle)
			header := sign(b, bench.scheme, "msg_1", bench.body, bench.others...)
			benchmark(b, h, http.StatusOK, header, bench.body, nil)
		})
	}
}

// BenchmarkServeHTTPWithMemoryStore measures events that are all new, in a store
// that is full, and copies of one.
func BenchmarkServeHTTPWithMemoryStore(b *testing.B) {
	for _, name := range []string{"new", "duplicate"} {
		b.Run(name, func(b *testing.B) {
			const limit = 10_000
			h := newHandler(b, receiver.Options{Provider: receiver.GitHub, Store: receiver.NewMemoryStore(limit)})
			h.On("push", new(calls).handle)
			header := sign(b, signature.SchemeGitHub, "", "{}", "X-GitHub-Event", "push", "X-GitHub-Delivery", "0")
			if name == "duplicate" {
				benchmark(b, h, http.StatusOK, header, "{}", nil)
				return
			}
			benchmark(b, h, http.StatusOK, header, "{}", func(i int, header http.Header) {
				header["X-Github-Delivery"] = []string{strconv.Itoa(i)}
			})
		})
	}
}

// BenchmarkServeHTTPRefused measures what a stranger can make the process do.
func BenchmarkServeHTTPRefused(b *testing.B) {
	for name, size := range map[string]int{"1KB": 1 << 10, "1MB": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			h := newHandler(b, receiver.Options{})
			body := string(bytes.Repeat([]byte("x"), size))
			header := sign(b, signature.SchemeStripe, "", "another body")
			benchmark(b, h, http.StatusUnauthorized, header, body, nil)
		})
	}
}

// BenchmarkMemoryStore measures a claim and its completion in a store that grows.
func BenchmarkMemoryStore(b *testing.B) {
	store := receiver.NewMemoryStore(1 << 30)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		claim := claimOf("evt_1NG8Du2eZvKYlo2CUI79"+strconv.Itoa(i), "t", sentAt, time.Minute)
		require.Equal(b, receiver.StatusClaimed, claimed(b, store, claim))
		require.NoError(b, store.Complete(b.Context(), claim, sentAt.Add(time.Hour)))
	}
}
