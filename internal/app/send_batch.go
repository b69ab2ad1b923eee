package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/timing"
)

// What the API takes in one request.
const (
	maxBatchEvents = 1000
	maxBatchBytes  = 4 << 20
)

// A request that may be accepted later is made this often; the waits are 1 s, 2 s, 4 s …
const (
	batchTries     = 5
	firstBatchWait = time.Second
)

// sendFile publishes the events of a file, in as many requests as it takes, and prints the result of each in a line of its
// own. Each event has an idempotency key, made of the given one where it has none, so that the file can be sent again.
func (s *Send) sendFile(ctx context.Context, out io.Writer, key string) error {
	content, err := readFile(*s.Batch)
	if err != nil {
		return err
	}
	events, err := eventsOf(content)
	if err != nil {
		return fmt.Errorf("%s: %w; nothing was published", *s.Batch, err)
	}
	for i, event := range events {
		events[i] = s.completed(event, key+"/"+strconv.Itoa(i))
	}
	if s.wait == nil {
		s.wait = timing.Wait
	}
	failed := 0
	for sent := 0; sent < len(events); {
		n := fitting(events[sent:])
		results, err := s.sendTogether(ctx, events[sent:sent+n])
		if err != nil {
			return fmt.Errorf("stopped after %d of %d events; --idempotency-key %s goes on: %w", sent, len(events), key, err)
		}
		for i, result := range results {
			if result.failed() {
				failed++
			}
			if _, err := fmt.Fprintln(out, printable(result.line(i, sent+i))); err != nil {
				return err
			}
		}
		sent += n
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d events were not published: their lines say why", failed, len(events))
	}
	return nil
}

// eventsOf are the values of a JSON array, or those that stand one behind the other.
func eventsOf(content []byte) ([][]byte, error) {
	if trimmed := bytes.TrimSpace(content); len(trimmed) > 0 && trimmed[0] == '[' {
		var array []json.RawMessage
		if json.Unmarshal(trimmed, &array) != nil {
			return nil, errors.New("the array is not JSON")
		}
		events := make([][]byte, len(array))
		for i, event := range array {
			events[i] = event
		}
		return events, nil
	}
	var events [][]byte
	decoder := json.NewDecoder(bytes.NewReader(content))
	for {
		var event json.RawMessage
		switch err := decoder.Decode(&event); {
		case errors.Is(err, io.EOF):
			return events, nil
		case err != nil:
			line := 1 + bytes.Count(content[:decoder.InputOffset()], []byte("\n"))
			return nil, fmt.Errorf("events[%d], at line %d or behind it, is not JSON", len(events), line)
		}
		events = append(events, event)
	}
}

// completed is an event with the command line's owner and an idempotency key, unless it has its own. All else keeps its
// bytes. What is no event stays as it is: the API says what is wrong with it.
func (s *Send) completed(event []byte, key string) []byte {
	var has map[string]json.RawMessage
	if json.Unmarshal(event, &has) != nil || has == nil {
		return event
	}
	add := map[string]any{}
	if has["idempotency_key"] == nil {
		add["idempotency_key"] = key
	}
	if has["owner_id"] == nil && has["broadcast"] == nil {
		if s.OwnerID != nil {
			add["owner_id"] = *s.OwnerID
		}
		if s.Broadcast {
			add["broadcast"] = true
		}
	}
	if len(add) == 0 {
		return event
	}
	begin, _ := json.Marshal(add) // texts and true always can be
	rest := bytes.TrimSpace(event)[1:]
	if len(has) > 0 {
		begin[len(begin)-1] = ','
	} else {
		begin = begin[:len(begin)-1]
	}
	return append(begin, rest...)
}

const batchBegin, batchEnd = `{"events":[`, `]}`

// fitting is how many of the events go into one request: one at least, which the API may refuse.
func fitting(events [][]byte) int {
	size := len(batchBegin) + len(batchEnd)
	for n, event := range events {
		size += len(event) + len(",")
		if n > 0 && (n == maxBatchEvents || size > maxBatchBytes) {
			return n
		}
	}
	return len(events)
}

// batchResult is what the API says of one event.
type batchResult json.RawMessage

// UnmarshalJSON keeps the bytes.
func (r *batchResult) UnmarshalJSON(data []byte) error {
	*r = bytes.Clone(data)
	return nil
}

func (r batchResult) failed() bool {
	var of struct {
		Error json.RawMessage `json:"error"`
	}
	return json.Unmarshal(r, &of) != nil || of.Error != nil
}

// line is the result with the event's place in the file, in place of that in the request.
func (r batchResult) line(asked, place int) string {
	of := func(i int) string { return fmt.Sprintf("body.events[%d]", i) }
	return strings.ReplaceAll(string(r), of(asked), of(place))
}

// sendTogether publishes events in one request, which is made again when it may be accepted later: nothing is published
// twice.
func (s *Send) sendTogether(ctx context.Context, events [][]byte) ([]batchResult, error) {
	body := append(append([]byte(batchBegin), bytes.Join(events, []byte(","))...), batchEnd...)
	if len(body) > maxBatchBytes { // it is one event
		return []batchResult{batchResult(`{"error":{"status":413,"detail":"the event is larger than 4 MiB"}}`)}, nil
	}
	for try, wait := 1, firstBatchWait; ; try, wait = try+1, 2*wait {
		answer, again, err := s.post(ctx, "/api/events/batch", body, "")
		if err == nil {
			var results struct {
				Data []batchResult `json:"data"`
			}
			if json.Unmarshal(answer, &results) != nil || len(results.Data) != len(events) {
				return nil, errors.New("the answer is not Postrider's: is --url right?")
			}
			return results.Data, nil
		}
		if !again || try == batchTries {
			return nil, err
		}
		if err := s.wait(ctx, wait); err != nil {
			return nil, err
		}
	}
}
