package store

import (
	"encoding/json"
	"fmt"

	"github.com/postrider/postrider/models"
)

// inClear says that the values of a webhook's headers are not sealed: it has just got them, or was written by
// a version that sealed none.
func inClear(webhook *models.Webhook) bool {
	return webhook.SealedHeaders == nil && len(webhook.Headers) > 0
}

// sealHeaders seals the values of a webhook's headers and leaves their names, if that is not done.
func (s *Store) sealHeaders(webhook *models.Webhook) error {
	if !inClear(webhook) {
		return nil
	}
	text, err := json.Marshal(webhook.Headers)
	if err != nil {
		return fmt.Errorf("write headers of %s: %w", webhook.ID, err)
	}
	names := make(models.Headers, len(webhook.Headers))
	for name := range webhook.Headers {
		names[name] = ""
	}
	webhook.Headers, webhook.SealedHeaders = names, s.keyring.Seal(string(text), webhook.ID)
	return nil
}

// OpenHeaders returns a webhook's headers with their values.
func (s *Store) OpenHeaders(webhook models.Webhook) (models.Headers, error) {
	if webhook.SealedHeaders == nil {
		return webhook.Headers, nil
	}
	text, err := s.keyring.Open(webhook.SealedHeaders, webhook.ID)
	if err != nil {
		return nil, fmt.Errorf("headers of %s: %w", webhook.ID, err)
	}
	var headers models.Headers
	if err := json.Unmarshal([]byte(text), &headers); err != nil {
		return nil, fmt.Errorf("headers of %s cannot be read", webhook.ID) // the text must not get into a log
	}
	return headers, nil
}
