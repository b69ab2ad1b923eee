package store

import (
	"encoding/json"
	"fmt"

	"github.com/postrider/postrider/models"
)

// sealCredentials seals credentials that a webhook has just got.
func (s *Store) sealCredentials(webhook *models.Webhook) error {
	given := webhook.Credentials
	if given == nil {
		return nil
	}
	webhook.Credentials, webhook.SealedCredentials = nil, nil
	if given.Empty() {
		return nil
	}
	text, err := json.Marshal(given)
	if err != nil {
		return fmt.Errorf("write credentials of %s: %w", webhook.ID, err)
	}
	webhook.SealedCredentials = s.keyring.Seal(string(text), webhook.ID)
	return nil
}

// OpenCredentials returns a webhook's credentials.
func (s *Store) OpenCredentials(webhook models.Webhook) (models.Credentials, error) {
	var credentials models.Credentials
	switch {
	case webhook.Credentials != nil:
		return *webhook.Credentials, nil
	case len(webhook.SealedCredentials) == 0:
		return credentials, nil
	}
	text, err := s.keyring.Open(webhook.SealedCredentials, webhook.ID)
	if err != nil {
		return credentials, fmt.Errorf("credentials of %s: %w", webhook.ID, err)
	}
	if err := json.Unmarshal([]byte(text), &credentials); err != nil {
		return credentials, fmt.Errorf("credentials of %s cannot be read", webhook.ID) // the text must not get into a log
	}
	return credentials, nil
}
