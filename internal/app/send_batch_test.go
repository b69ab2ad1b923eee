package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEventsOfAFile(t *testing.T) {
	t.Parallel()
	for content, want := range map[string][]string{
		"":                          nil,
		"[]":                        {},
		` [{"a":1.0}, {"b":2}] `:    {`{"a":1.0}`, `{"b":2}`},
		"{\"a\":1}\n{\"b\": 2}\n\n": {`{"a":1}`, `{"b": 2}`},
		`{"a":1} 7 "x"`:             {`{"a":1}`, `7`, `"x"`},
	} {
		events, err := eventsOf([]byte(content))
		require.NoError(t, err, content)
		require.Len(t, events, len(want), content)
		for i, event := range events {
			require.Equal(t, want[i], string(event))
		}
	}
	for content, says := range map[string]string{
		`[{"a":1}`: "the array is not JSON", `[1] 2`: "the array is not JSON",
		"{\"a\":1}\n{\"b\":2}\n{oops}\n{\"c\":3}": "events[2], at line 2 or behind it, is not JSON",
	} {
		_, err := eventsOf([]byte(content))
		require.EqualError(t, err, says)
	}
}

// What an event leaves out is added, and its other bytes stay.
func TestCompletedEvents(t *testing.T) {
	t.Parallel()
	owner := "acme"
	for _, test := range []struct {
		send         Send
		event, wants string
	}{
		{Send{}, `{}`, `{"idempotency_key":"k"}`},
		{Send{}, ` {"event":"a", "data": 1.0 } `, `{"idempotency_key":"k","event":"a", "data": 1.0 }`},
		{Send{}, `{"idempotency_key":"own"}`, `{"idempotency_key":"own"}`},
		{Send{OwnerID: &owner}, `{"data":1}`, `{"idempotency_key":"k","owner_id":"acme","data":1}`},
		{Send{OwnerID: &owner}, `{"owner_id":"other"}`, `{"idempotency_key":"k","owner_id":"other"}`},
		{Send{Broadcast: true}, `{"data":1}`, `{"broadcast":true,"idempotency_key":"k","data":1}`},
		{Send{Broadcast: true}, `{"owner_id":"other"}`, `{"idempotency_key":"k","owner_id":"other"}`},
		{Send{}, `7`, `7`}, {Send{}, `null`, `null`},
	} {
		require.Equal(t, test.wants, string(test.send.completed([]byte(test.event), "k")))
	}
}

// batchAPI takes batches as the API does, in which events with the data "bad" are wrong.
func batchAPI(t *testing.T, refuse func(request int) int) (url string, sizes *[]int) {
	t.Helper()
	sizes = new([]int)
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		body, err := io.ReadAll(r.Body)
		if status := refuse(requests); status != http.StatusAccepted || err != nil || len(body) > maxBatchBytes {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"detail":"not now"}`)
			return
		}
		var asked struct {
			Events []struct {
				Data json.RawMessage `json:"data"`
				Key  string          `json:"idempotency_key"`
			} `json:"events"`
		}
		if json.Unmarshal(body, &asked) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		*sizes = append(*sizes, len(asked.Events))
		var results []string
		for i, event := range asked.Events {
			if string(event.Data) == `"bad"` {
				results = append(results, fmt.Sprintf(`{"error":{"detail":"body.events[%d].event: \u001b[2J"}}`, i))
				continue
			}
			results = append(results, fmt.Sprintf(`{"id":%q}`, event.Key))
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"data":[`+strings.Join(results, ",")+`]}`)
	}))
	t.Cleanup(server.Close)
	return server.URL, sizes
}

func eventFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "events.json")
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	return file
}

// A file goes out in requests that the API takes, and each event has its line.
func TestSendFile(t *testing.T) {
	t.Parallel()
	url, sizes := batchAPI(t, func(int) int { return http.StatusAccepted })
	var lines bytes.Buffer
	for i := range 1500 {
		data := map[bool]string{true: "bad", false: "good"}[i == 1200]
		fmt.Fprintf(&lines, `{"event":"a","data":%q}`+"\n", data)
	}
	code, stdout, stderr := postriderLine(t, "send", "--batch", eventFile(t, lines.String()), "--key=k", "--url="+url, "--idempotency-key=once")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "1 of 1500 events were not published: their lines say why")
	require.Equal(t, []int{1000, 500}, *sizes)
	told := strings.Split(strings.TrimSpace(stdout), "\n")
	require.Len(t, told, 1500)
	require.Equal(t, `{"id":"once/0"}`, told[0])
	require.Equal(t, `{"id":"once/1499"}`, told[1499])
	require.Equal(t, `{"error":{"detail":"body.events[1200].event: \u001b[2J"}}`, told[1200])

	// Three of 1.5 MiB do not go together, and one of 5 MiB goes nowhere.
	*sizes = nil
	large := `{"event":"a","data":"` + strings.Repeat("x", 3<<19) + `"}`
	huge := `{"event":"a","data":"` + strings.Repeat("x", 5<<20) + `"}`
	file := eventFile(t, "["+strings.Join([]string{large, large, large, huge, large}, ",")+"]")
	code, stdout, stderr = postriderLine(t, "send", "--batch", file, "--key=k", "--url="+url)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "1 of 5 events")
	require.Equal(t, []int{2, 1, 1}, *sizes)
	require.Contains(t, strings.Split(stdout, "\n")[3], "the event is larger than 4 MiB")

	code, stdout, stderr = postriderLine(t, "send", "--batch", eventFile(t, `[]`), "--key=k", "--url="+url)
	require.Zero(t, code, stderr)
	require.Empty(t, stdout)
}

// What may be accepted later is asked for again; what is not ends the run with the key that goes on.
func TestSendFileAgain(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	file, key := eventFile(t, `{"event":"a","data":1}`), "once"
	send := func(statuses ...int) (waits []time.Duration, err error) {
		out.Reset()
		url, _ := batchAPI(t, func(request int) int { return statuses[request-1] })
		err = (&Send{
			Batch: &file, IdempotencyKey: &key, APIAccess: APIAccess{URL: url, Key: "k"},
			wait: func(_ context.Context, d time.Duration) error {
				waits = append(waits, d)
				return nil
			},
		}).Run(t.Context(), &out)
		return waits, err
	}
	waits, err := send(429, 503, 202)
	require.NoError(t, err)
	require.Equal(t, []time.Duration{time.Second, 2 * time.Second}, waits)
	require.Equal(t, `{"id":"once/0"}`+"\n", out.String())

	waits, err = send(503, 503, 503, 503, 503)
	require.EqualError(t, err, "stopped after 0 of 1 events; --idempotency-key once goes on: 503 Service Unavailable: not now")
	require.Len(t, waits, 4)
	waits, err = send(403)
	require.ErrorContains(t, err, "403 Forbidden")
	require.Empty(t, waits)
	require.Empty(t, out.String())
}

func TestSendFileNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for says, args := range map[string][]string{
		"takes the place of an event":          {"a", "1", "--batch=x"},
		"--batch is empty":                     {"--batch="},
		"expected an event and its data":       {"a"},
		"no such file":                         {"--batch=" + filepath.Join(t.TempDir(), "none")},
		"is not JSON; nothing was published":   {"--batch=" + eventFile(t, "{")},
		"can't be used together":               {"--batch=x", "--owner-id=a", "--broadcast"},
		"--idempotency-key is empty; leave it": {"--batch=x", "--idempotency-key="},
	} {
		code, stdout, stderr := postriderLine(t, append([]string{"send", "--key=k", "--url=http://127.0.0.1:1"}, args...)...)
		require.Equal(t, 1, code, args)
		require.Contains(t, stderr, says)
		require.Empty(t, stdout)
	}
}
