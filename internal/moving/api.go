package moving

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// API is the REST API of a running installation.
type API struct {
	// URL is where it is, Key an API key.
	URL, Key string
	Client   *http.Client
	// Wait waits until a time has passed, or the context has ended.
	Wait func(ctx context.Context, d time.Duration) error
}

// object is a JSON object of the API.
type object = map[string]any

// refusedError says that the API will not do what it is asked, as often as it is asked.
type refusedError struct {
	status int
	text   string
}

func (r *refusedError) Error() string { return r.text }

// refusedWith says whether an error is a refusal with the status.
func refusedWith(err error, status int) bool {
	var refused *refusedError
	return errors.As(err, &refused) && refused.status == status
}

// Bounds of trying again. The waits are 1 s, 2 s, 4 s … unless the API asks for more.
const (
	maxTries    = 6
	firstWait   = time.Second
	longestWait = time.Minute
	maxAnswer   = 64 << 20
)

// call asks until there is an answer. What is asked may be asked twice: POSTs carry the key.
func (a API) call(ctx context.Context, method, path string, body any, key string, into any) error {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return fmt.Errorf("write the request: %w", err)
		}
	}
	wait := firstWait
	for try := 1; ; try++ {
		answer, after, err := a.once(ctx, method, path, content, key)
		if err == nil {
			return decode(answer, into)
		}
		if after < 0 || try == maxTries || ctx.Err() != nil {
			return err
		}
		if err := a.Wait(ctx, min(max(wait, after), longestWait)); err != nil {
			return err
		}
		wait *= 2
	}
}

// once asks once. A negative time says that asking again cannot help.
func (a API) once(ctx context.Context, method, path string, content []byte, key string) (answer []byte, after time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(a.URL, "/")+path, bytes.NewReader(content))
	if err != nil {
		return nil, -1, err
	}
	request.Header.Set("Authorization", "Bearer "+a.Key)
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := a.Client.Do(request)
	if err != nil {
		return nil, 0, fmt.Errorf("is Postrider running? %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("read the answer: %w", err)
	case response.StatusCode < 300:
		return answer, 0, nil
	}
	asked, retry := retryAfter(response.Header)
	switch {
	case response.StatusCode == http.StatusTooManyRequests, response.StatusCode >= 500, response.StatusCode == http.StatusConflict && retry:
		return nil, asked, errors.New(problemText(response.Status, answer))
	case response.StatusCode == http.StatusUnauthorized:
		return nil, -1, errors.New(problemText(response.Status, answer))
	}
	return nil, -1, &refusedError{response.StatusCode, problemText(response.Status, answer)}
}

func retryAfter(header http.Header) (time.Duration, bool) {
	n, err := strconv.Atoi(header.Get("Retry-After"))
	return time.Duration(max(0, n)) * time.Second, err == nil
}

// problemText is what a problem says: of each wrong field where it is and what it should be.
func problemText(status string, answer []byte) string {
	var problem struct {
		Detail string `json:"detail"`
		Errors []struct {
			Location string `json:"location"`
			Message  string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(answer, &problem) != nil || problem.Detail == "" {
		return status
	}
	var fields []string
	for _, field := range problem.Errors {
		fields = append(fields, strings.TrimPrefix(field.Location, "body.")+": "+field.Message)
	}
	if len(fields) > 0 {
		return strings.Join(fields, "; ")
	}
	return problem.Detail
}

func decode(answer []byte, into any) error {
	if into == nil || len(answer) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.UseNumber()
	if decoder.Decode(into) != nil {
		return errors.New("the answer is not Postrider's: is --url right?")
	}
	return nil
}

// hasOwner says whether there is an owner.
func (a API) hasOwner(ctx context.Context, externalID string) (bool, error) {
	err := a.call(ctx, http.MethodGet, "/api/owners/"+url.PathEscape(externalID), nil, "", nil)
	if refusedWith(err, http.StatusNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (a API) putOwner(ctx context.Context, owner Owner) error {
	return a.call(ctx, http.MethodPut, "/api/owners/"+url.PathEscape(owner.ExternalID), owner.Fields, "", nil)
}

// webhooks are an owner's webhooks that have an external_id, by it.
func (a API) webhooks(ctx context.Context, owner string) (map[string]object, error) {
	found := make(map[string]object)
	for cursor := ""; ; {
		query := url.Values{"owner_id": {owner}, "include": {"headers"}, "limit": {"250"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		var page struct {
			Data       []object `json:"data"`
			NextCursor *string  `json:"next_cursor"`
		}
		if err := a.call(ctx, http.MethodGet, "/api/webhooks?"+query.Encode(), nil, "", &page); err != nil {
			return nil, err
		}
		for _, webhook := range page.Data {
			if id, _ := webhook["external_id"].(string); id != "" {
				found[id] = webhook
			}
		}
		if page.NextCursor == nil {
			return found, nil
		}
		cursor = *page.NextCursor
	}
}

// createWebhook makes a webhook. With the same key it is made once, however often it is asked for.
func (a API) createWebhook(ctx context.Context, webhook object, key string) (made object, err error) {
	err = a.call(ctx, http.MethodPost, "/api/webhooks", webhook, key, &made)
	return made, err
}

func (a API) patchWebhook(ctx context.Context, id string, patch object) (now object, err error) {
	err = a.call(ctx, http.MethodPatch, "/api/webhooks/"+url.PathEscape(id), patch, "", &now)
	return now, err
}

// setSecret gives a webhook a secret; the one before signs too for a day.
func (a API) setSecret(ctx context.Context, id, secret, key string) error {
	return a.call(ctx, http.MethodPost, "/api/webhooks/"+url.PathEscape(id)+"/rotate-secret", object{"secret": secret}, key, nil)
}
