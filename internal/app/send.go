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

// Send publishes an event through the API.
type Send struct {
	Event string `arg:"" help:"The event's type, such as order.created."`
	Data  string `arg:"" help:"The event's data as JSON; - reads it from the standard input."`
	APIAccess
	OwnerID        *string `name:"owner-id" xor:"to" help:"Publish to the webhooks of this owner, by ID or external_id. Default: the key's owner, or for an administrator default."`
	Broadcast      bool    `xor:"to" help:"Publish to the webhooks of all owners; for an administrator's key."`
	IdempotencyKey *string `help:"Publishing again with the same key changes nothing. Default: a new one."`
}

// Run publishes and prints the API's answer.
func (s *Send) Run(ctx context.Context, out io.Writer) error {
	if err := s.check(); err != nil {
		return err
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
	key := uuid.NewString()
	if s.IdempotencyKey != nil {
		key = *s.IdempotencyKey
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(s.URL, "/")+"/api/events", &body)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.Key)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	client := &http.Client{}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("is Postrider running? %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("%s: %s", printable(response.Status), printable(detailOf(answer)))
	}
	_, err = fmt.Fprintln(out, printable(strings.TrimSpace(string(answer))))
	return err
}

// check names what is empty: it may be a variable that is not set.
func (s *Send) check() error {
	if err := s.APIAccess.check(); err != nil {
		return err
	}
	switch {
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
