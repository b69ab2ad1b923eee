package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/postrider/postrider/internal/bench/load"
)

// apiClient calls the API for everything but the load itself.
type apiClient struct {
	url, key string
	http     *http.Client
}

func newAPIClient(url, key string) *apiClient {
	return &apiClient{url: url, key: key, http: load.NewClient()}
}

// Close closes the client's connections.
func (c *apiClient) Close() { c.http.CloseIdleConnections() }

// Call makes one request. body and into may be nil.
func (c *apiClient) Call(ctx context.Context, method, path string, body, into any) error {
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
	status, answer, err := load.Exchange(c.http, request)
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
