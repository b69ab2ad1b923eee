package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Send publishes an event, or those of a file, through the API.
type Send struct {
	Event string `arg:"" optional:"" help:"The event's type, such as order.created."`
	Data  string `arg:"" optional:"" help:"The event's data as JSON; - reads it from the standard input."`
	APIAccess
	Batch          *string `placeholder:"FILE" help:"Publish the events of a file: a JSON array, or one after the other; - is the standard input."`
	OwnerID        *string `name:"owner-id" xor:"to" help:"Publish to the webhooks of this owner, by ID or external_id. Default: the key's owner, or for an administrator default."`
	Broadcast      bool    `xor:"to" help:"Publish to the webhooks of all owners; for an administrator's key."`
	IdempotencyKey *string `help:"Publishing again with the same key changes nothing. Default: a new one."`

	wait func(ctx context.Context, d time.Duration) error // timing.Wait unless a test has its own
}

// Run publishes and prints the API's answer.
func (s *Send) Run(ctx context.Context, out io.Writer) error {
	if err := s.check(); err != nil {
		return err
	}
	key := uuid.NewString()
	if s.IdempotencyKey != nil {
		key = *s.IdempotencyKey
	}
	if s.Batch != nil {
		return s.sendFile(ctx, out, key)
	}
	data := []byte(s.Data)
	if s.Data == "-" {
		var err error
		if data, err = io.ReadAll(os.Stdin); err != nil {
			return fmt.Errorf("read data: %w", err)
		}
	}
	if !json.Valid(data) {
		return errors.New(`the data is not JSON; quote it for the shell: '{"id":1}'`)
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // data keeps its bytes
	err := encoder.Encode(struct {
		Event   string          `json:"event"`
		Data    json.RawMessage `json:"data"`
		OwnerID *string         `json:"owner_id,omitempty"`
		All     bool            `json:"broadcast,omitempty"`
	}{s.Event, data, s.OwnerID, s.Broadcast})
	if err != nil {
		return err
	}
	answer, _, err := s.post(ctx, "/api/events", body.Bytes(), key)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, printable(strings.TrimSpace(string(answer))))
	return err
}

// sendTimeout bounds a request.
const sendTimeout = 30 * time.Second

// post makes a request and returns the answer to one that was accepted. After an error, again says that the same request
// may be accepted later.
func (s *Send) post(ctx context.Context, path string, body []byte, key string) (answer []byte, again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(s.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	request.Header.Set("Authorization", "Bearer "+s.Key)
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	client := &http.Client{}
	response, err := client.Do(request)
	if err != nil {
		return nil, true, fmt.Errorf("is Postrider running? %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(response.Body)
	if err != nil {
		return nil, true, fmt.Errorf("read answer: %w", err)
	}
	if response.StatusCode != http.StatusAccepted {
		again = response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= http.StatusInternalServerError
		return nil, again, fmt.Errorf("%s: %s", printable(response.Status), printable(detailOf(answer)))
	}
	return answer, false, nil
}

// check names what is empty: it may be a variable that is not set.
func (s *Send) check() error {
	if err := s.APIAccess.check(); err != nil {
		return err
	}
	switch {
	case s.Batch != nil && s.Event != "":
		return errors.New("--batch FILE takes the place of an event and its data")
	case s.Batch != nil && *s.Batch == "":
		return errors.New("--batch is empty; it takes a file, or - for the standard input")
	case s.Batch == nil && (s.Event == "" || s.Data == ""):
		return errors.New(`expected an event and its data, such as order.created '{"id":1}', or --batch FILE`)
	case s.OwnerID != nil && *s.OwnerID == "":
		return errors.New("--owner-id is empty; leave it out for none")
	case s.IdempotencyKey != nil && *s.IdempotencyKey == "":
		return errors.New("--idempotency-key is empty; leave it out for a new one")
	}
	return nil
}

// detailOf is what a problem says, or the whole answer when it is none.
func detailOf(answer []byte) string {
	var problem struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(answer, &problem) == nil && problem.Detail != "" {
		return problem.Detail
	}
	return strings.TrimSpace(string(answer))
}
