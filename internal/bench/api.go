package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// setupConcurrency is how many webhooks are made or deleted at once.
const setupConcurrency = 8

// cleanupTimeout bounds the removal of one thing.
const cleanupTimeout = 10 * time.Second

// client calls the API for everything but the load itself.
type apiClient struct {
	url, key string
	http     *http.Client
}

func newAPIClient(url, key string) *apiClient {
	return &apiClient{url: url, key: key, http: &http.Client{Transport: newTransport(), Timeout: 30 * time.Second}}
}

// call makes one request. body and into may be nil.
func (c *apiClient) call(ctx context.Context, method, path string, body, into any) error {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, content)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	status, answer, err := exchange(c.http, request)
	if err != nil {
		return err
	}
	if status >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %d: %s", method, path, status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// exchange sends a request and reads the whole answer, so that its connection is used again.
func exchange(client *http.Client, request *http.Request) (status int, answer []byte, err error) {
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// createWebhooks makes a scenario's webhooks and returns their IDs.
func (b *bench) createWebhooks(s scenario, load string) ([]string, error) {
	ids := make([]string, s.webhooks)
	group, ctx := errgroup.WithContext(b.ctx)
	group.SetLimit(setupConcurrency)
	for k := range ids {
		group.Go(func() error {
			body := map[string]any{
				"url":    b.receiver.path(load, k),
				"events": []string{eventType(load, k), eventType(load, all)},
			}
			if s.schedule != nil {
				body["retry_schedule"] = s.schedule
			}
			var webhook struct{ ID string }
			if err := b.api.call(ctx, http.MethodPost, "/api/webhooks", body, &webhook); err != nil {
				return fmt.Errorf("create a webhook: %w", err)
			}
			ids[k] = webhook.ID
			return nil
		})
	}
	err := group.Wait()
	if err != nil {
		b.deleteWebhooks(ids)
	}
	return ids, err
}

// deleteWebhooks leaves an installation as it was, as far as it can.
func (b *bench) deleteWebhooks(ids []string) {
	var group errgroup.Group
	group.SetLimit(setupConcurrency)
	for _, id := range ids {
		if id == "" {
			continue
		}
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), cleanupTimeout)
			defer cancel()
			return b.api.call(ctx, http.MethodDelete, "/api/webhooks/"+id, nil, nil)
		})
	}
	if err := group.Wait(); err != nil {
		b.progress.say("a webhook is left over: " + err.Error())
	}
}
