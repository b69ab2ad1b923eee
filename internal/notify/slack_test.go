package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/egress/egresstest"
)

func isKind(err error) (maybeSent, permanent bool) {
	return errors.Is(err, ErrMaybeSent), errors.Is(err, ErrPermanent)
}

func newSlack(t testing.TB, cfg egress.Config) *Slack {
	t.Helper()
	if cfg.AllowTargets == nil {
		cfg.AllowTargets = egresstest.Networks(t, "127.0.0.0/8")
	}
	client, err := egress.New(cfg)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return NewSlack(client)
}

// post sends the notice to a real server and returns what it read.
func post(t testing.TB, notice Notice) (*http.Request, []byte) {
	t.Helper()
	var (
		request *http.Request
		body    []byte
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request = r
		body, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, "ok")
	}))
	defer server.Close() // waits for the handler
	require.NoError(t, newSlack(t, egress.Config{}).Send(t.Context(), server.URL+"/services/T0/B0/secret", notice))
	return request, body
}

func TestSlack(t *testing.T) {
	t.Parallel()
	for name, notice := range goldenNotices() {
		t.Run("slack"+name, func(t *testing.T) {
			t.Parallel()
			request, body := post(t, notice)
			require.Equal(t, http.MethodPost, request.Method)
			require.Equal(t, "/services/T0/B0/secret", request.URL.Path)
			require.Equal(t, "application/json", request.Header.Get("Content-Type"))
			require.Equal(t, "Postrider", request.Header.Get("User-Agent"))
			require.NotContains(t, string(body), "secret")
			require.NotContains(t, string(body), "user:pass")
			var readable bytes.Buffer
			require.NoError(t, json.Indent(&readable, body, "", "  "))
			requireGolden(t, "slack"+name+".json", readable.String()+"\n")
		})
	}
}

// texts collects every text of a message.
func texts(t testing.TB, body []byte) []string {
	t.Helper()
	var message slackBody
	require.NoError(t, json.Unmarshal(body, &message))
	all := []string{message.Text}
	for _, block := range message.Blocks {
		if block.Text != nil {
			all = append(all, block.Text.Text)
		}
		require.LessOrEqual(t, len(block.Fields), 10)
		for _, field := range block.Fields {
			require.LessOrEqual(t, utf8.RuneCountInString(field.Text), 2000)
			all = append(all, field.Text)
		}
	}
	return all
}

func TestNothingCanBeInjectedIntoASlackMessage(t *testing.T) {
	t.Parallel()
	for _, attack := range []string{
		"<!channel>", "<https://evil.example|click here>", "@channel @here @all", "```\n<!everyone>", `","blocks":[]`,
		strings.Repeat("&", 5000), strings.Repeat("&", 450), strings.Repeat("<@U1>", 1000), "\u202e\x00\xff",
	} {
		for _, notice := range hostileNotices(attack) {
			_, body := post(t, notice)
			for _, text := range texts(t, body) {
				require.NotContains(t, text, "<")
				require.NotContains(t, text, "@channel")
				require.LessOrEqual(t, utf8.RuneCountInString(text), 3000)
				require.Contains(t, []int{0, 2}, strings.Count(text, "```"))
			}
		}
	}
}

func TestSlackAnswers(t *testing.T) {
	t.Parallel()
	kinds := map[int]string{
		200: "", 204: "",
		301: "retryable", 400: "retryable", 429: "retryable", 500: "retryable", 503: "retryable",
		403: "permanent", 404: "permanent", 410: "permanent",
	}
	for code, kind := range kinds {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(code)
				_, _ = io.WriteString(w, "private words")
			}))
			t.Cleanup(server.Close)
			err := newSlack(t, egress.Config{}).Send(t.Context(), server.URL+"/secret", sampleNotice())
			if kind == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "HTTP "+strconv.Itoa(code))
			require.Equal(t, kind, kindOf(err))
			require.NotContains(t, err.Error(), "private words")
			require.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestSlackFailures(t *testing.T) {
	t.Parallel()
	silence := func(t *testing.T, beforeSilence string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if beforeSilence != "" {
				_, _ = io.WriteString(w, beforeSilence)
				_ = http.NewResponseController(w).Flush()
			}
			<-r.Context().Done()
		}))
		t.Cleanup(server.Close)
		return server.URL
	}

	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		err = newSlack(t, egress.Config{}).Send(t.Context(), "http://"+listener.Addr().String()+"/secret", sampleNotice())
		require.ErrorContains(t, err, "connection refused")
		require.Equal(t, "retryable", kindOf(err))
		require.NotContains(t, err.Error(), "secret")
	})
	t.Run("blocked", func(t *testing.T) {
		t.Parallel()
		for _, to := range []string{"http://10.0.0.5/secret", "ftp://host/secret", "secret", "http://a b/secret"} {
			err := newSlack(t, egress.Config{}).Send(t.Context(), to, sampleNotice())
			require.Equal(t, "permanent", kindOf(err))
			require.NotContains(t, err.Error(), "secret")
		}
	})
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		err := newSlack(t, egress.Config{Timeout: 300 * time.Millisecond}).Send(t.Context(), silence(t, ""), sampleNotice())
		require.ErrorContains(t, err, "no answer within 300ms")
		require.Equal(t, "maybe sent", kindOf(err))
	})
	t.Run("accepted, but the answer never ends", func(t *testing.T) {
		t.Parallel()
		err := newSlack(t, egress.Config{Timeout: 300 * time.Millisecond}).Send(t.Context(), silence(t, "ok"), sampleNotice())
		require.NoError(t, err)
	})
	t.Run("line lost", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			panic(http.ErrAbortHandler)
		}))
		t.Cleanup(server.Close)
		err := newSlack(t, egress.Config{}).Send(t.Context(), server.URL, sampleNotice())
		require.Equal(t, "maybe sent", kindOf(err))
	})
	t.Run("caller gives up", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			cancel()
			<-r.Context().Done()
		}))
		t.Cleanup(server.Close)
		err := newSlack(t, egress.Config{}).Send(ctx, server.URL, sampleNotice())
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, "maybe sent", kindOf(err))
	})
	t.Run("caller gave up before", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := newSlack(t, egress.Config{}).Send(ctx, silence(t, ""), sampleNotice())
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, "retryable", kindOf(err))
	})
}
