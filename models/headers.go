package models

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"

	"gorm.io/gorm"
)

// Headers are HTTP headers by name, stored as a JSON object.
type Headers map[string]string

// Value writes the headers.
func (h Headers) Value() (driver.Value, error) {
	if h == nil {
		return "{}", nil
	}
	text, err := json.Marshal(map[string]string(h))
	return string(text), err
}

// Scan reads what Value wrote.
func (h *Headers) Scan(value any) error {
	switch text := value.(type) {
	case string:
		return json.Unmarshal([]byte(text), (*map[string]string)(h))
	case []byte:
		return json.Unmarshal(text, (*map[string]string)(h))
	}
	return errors.New("headers are stored as text")
}

// GormDataType tells gorm the column's type.
func (Headers) GormDataType() string { return "string" }

// SetHeaders gives a webhook other headers; the store seals them when it writes the webhook.
func (w *Webhook) SetHeaders(headers Headers) { w.Headers, w.SealedHeaders = headers, nil }

// inClear says that the values of a webhook's headers are not sealed: it has just got them, or was written by
// a version that sealed none.
func inClear(webhook *Webhook) bool {
	return webhook.SealedHeaders == nil && len(webhook.Headers) > 0
}

// sealHeaders seals the values of a webhook's headers and leaves their names, if that is not done.
func (s *Store) sealHeaders(webhook *Webhook) error {
	if !inClear(webhook) {
		return nil
	}
	text, err := json.Marshal(webhook.Headers)
	if err != nil {
		return fmt.Errorf("write headers of %s: %w", webhook.ID, err)
	}
	names := make(Headers, len(webhook.Headers))
	for name := range webhook.Headers {
		names[name] = ""
	}
	webhook.Headers, webhook.SealedHeaders = names, s.keyring.Seal(string(text), webhook.ID)
	return nil
}

// OpenHeaders returns a webhook's headers with their values.
func (s *Store) OpenHeaders(webhook Webhook) (Headers, error) {
	if webhook.SealedHeaders == nil {
		return webhook.Headers, nil
	}
	text, err := s.keyring.Open(webhook.SealedHeaders, webhook.ID)
	if err != nil {
		return nil, fmt.Errorf("headers of %s: %w", webhook.ID, err)
	}
	var headers Headers
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
		var webhooks []Webhook
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
		var webhook Webhook
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
