package store

import (
	"context"
	"encoding/json"
	"fmt"

	"gorm.io/gorm"

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

// SealHeaders seals the headers of webhooks that a version wrote which sealed none, and returns how many these
// were. Done again, it changes nothing.
func (s *Store) SealHeaders(ctx context.Context) (int, error) {
	sealed, after := 0, ""
	for {
		var webhooks []models.Webhook
		err := s.db.WithContext(ctx).Select("id").
			Where("sealed_headers IS NULL AND headers <> '{}' AND id > ?", after).
			Order("id").Limit(resealBatch).Find(&webhooks).Error
		if err != nil || len(webhooks) == 0 {
			return sealed, err
		}
		if s.keyring == nil {
			return sealed, ErrNoKeyring
		}
		for _, webhook := range webhooks {
			done, err := s.sealHeadersOf(ctx, webhook.ID)
			if err != nil {
				return sealed, fmt.Errorf("seal headers: %w", err)
			}
			if done {
				sealed++
			}
		}
		after = webhooks[len(webhooks)-1].ID
	}
}

// sealHeadersOf seals the headers of one webhook, unless someone else has done it.
func (s *Store) sealHeadersOf(ctx context.Context, id string) (done bool, err error) {
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var webhook models.Webhook
		if err := forUpdate(tx).Where("id = ?", id).Take(&webhook).Error; err != nil {
			return err
		}
		if done = inClear(&webhook); !done {
			return nil
		}
		if err := s.sealHeaders(&webhook); err != nil {
			return err
		}
		return tx.Model(&webhook).Select("headers", "sealed_headers").Updates(&webhook).Error
	})
	return done, err
}
