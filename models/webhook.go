package models

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// Webhook is one owner's subscription of a URL to event types.
type Webhook struct {
	ID      string `gorm:"primaryKey"`
	OwnerID string
	URL     string `gorm:"column:url"`
	// Host is the URL's host and port: what is shown where the whole URL might tell too much.
	Host        string
	Description string
	// Events are patterns: event types, prefixes such as order.*, or *.
	Events []string `gorm:"serializer:json"`
	// Headers are sent with every request, beside Postrider's own.
	Headers Headers
	// Active is false while the webhook is paused or disabled: it gets no deliveries.
	Active bool
	// Suspended is true while its owner is suspended: it gets nothing, whatever Active says.
	Suspended bool
	// DisabledReason says why Postrider itself made the webhook inactive; empty otherwise.
	DisabledReason string
	// RetrySchedule overrides the installation's schedule unless it is nil.
	RetrySchedule RetrySchedule
	// RateLimit is how many requests a second the webhook gets at most; nil for no limit.
	RateLimit *float64
	// Secret and PreviousSecret are sealed by the keyring. The previous one signs too until
	// PreviousSecretUntil.
	Secret              []byte
	PreviousSecret      []byte
	PreviousSecretUntil *time.Time
	CreatedAt           time.Time
	UpdatedAt           time.Time `gorm:"autoUpdateTime:false"`
	// DeletedAt hides the webhook; the row stays for the log of its deliveries.
	DeletedAt *time.Time
}

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

// webhookPattern is one pattern of a webhook, in a table of its own so that matching is an index look-up.
type webhookPattern struct {
	Pattern   string `gorm:"primaryKey"`
	WebhookID string `gorm:"primaryKey"`
}

// CreateWebhook stores a new webhook with its secret, and sets its ID and times. An unknown owner is
// ErrNotFound.
func (s *Store) CreateWebhook(ctx context.Context, webhook *Webhook, secret string) error {
	webhook.CreatedAt = s.Now()
	webhook.UpdatedAt = webhook.CreatedAt
	webhook.ID = NewID(KindWebhook, webhook.CreatedAt)
	webhook.Secret = s.keyring.Seal(secret, webhook.ID)
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		owner, err := lockOwner(tx, webhook.OwnerID)
		if err != nil {
			return err
		}
		if err := withinQuota(ctx, tx, &Webhook{}, "webhooks", owner.ID); err != nil {
			return err
		}
		webhook.Suspended = !owner.Active
		if err := tx.Create(webhook).Error; err != nil {
			return err
		}
		return insertPatterns(tx, webhook)
	})
	if err != nil {
		return fmt.Errorf("create webhook: %w", err)
	}
	return nil
}

func insertPatterns(tx *gorm.DB, webhook *Webhook) error {
	rows := make([]webhookPattern, len(webhook.Events))
	for i, pattern := range webhook.Events {
		rows[i] = webhookPattern{Pattern: pattern, WebhookID: webhook.ID}
	}
	return tx.Create(&rows).Error
}

// Webhook returns one webhook that was not deleted, or ErrNotFound.
func (s *Store) Webhook(ctx context.Context, scope Scope, id string) (Webhook, error) {
	var webhook Webhook
	err := scope.apply(s.db.WithContext(ctx)).Where("id = ? AND deleted_at IS NULL", id).Take(&webhook).Error
	if err != nil {
		return Webhook{}, fmt.Errorf("load webhook: %w", oneRow(err))
	}
	return webhook, nil
}

// WebhookFilter narrows a list of webhooks; its zero value narrows nothing.
type WebhookFilter struct {
	OwnerID string
	Active  *bool
}

// Webhooks lists webhooks that were not deleted, newest first, with the cursor of the next page.
func (s *Store) Webhooks(ctx context.Context, scope Scope, filter WebhookFilter, page Page) ([]Webhook, string, error) {
	q := scope.apply(s.db.WithContext(ctx)).Where("deleted_at IS NULL")
	if filter.OwnerID != "" {
		q = q.Where("owner_id = ?", filter.OwnerID)
	}
	if filter.Active != nil {
		q = q.Where("active = ?", *filter.Active)
	}
	q, err := page.apply(q, KindWebhook)
	if err != nil {
		return nil, "", err
	}
	var webhooks []Webhook
	if err := q.Find(&webhooks).Error; err != nil {
		return nil, "", fmt.Errorf("list webhooks: %w", err)
	}
	webhooks, next := cut(page, webhooks, func(w Webhook) string { return w.ID })
	return webhooks, next, nil
}

// UpdateWebhook changes a webhook by the function, under a lock, so that two changes do not undo each
// other. An error of the function is returned unchanged and nothing is written.
func (s *Store) UpdateWebhook(ctx context.Context, scope Scope, id string, change func(*Webhook) error) (Webhook, error) {
	var webhook Webhook
	var changeErr error
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		q := scope.apply(forUpdate(tx)).Where("id = ? AND deleted_at IS NULL", id)
		if err := q.Take(&webhook).Error; err != nil {
			return oneRow(err)
		}
		before := webhook
		if changeErr = change(&webhook); changeErr != nil {
			return changeErr
		}
		webhook.UpdatedAt = s.Now()
		if err := startAnew(tx, before, webhook); err != nil {
			return err
		}
		err := tx.Model(&webhook).Select("url", "host", "description", "events", "headers", "active",
			"disabled_reason", "retry_schedule", "rate_limit", "updated_at").Updates(&webhook).Error
		if err != nil {
			return err
		}
		if err := tx.Where("webhook_id = ?", id).Delete(&webhookPattern{}).Error; err != nil {
			return err
		}
		return insertPatterns(tx, &webhook)
	})
	switch {
	case changeErr != nil:
		return Webhook{}, changeErr
	case err != nil:
		return Webhook{}, fmt.Errorf("update webhook: %w", err)
	}
	return webhook, nil
}

// DeleteWebhook hides a webhook and forgets its secrets. What is still waiting for it ends as cancelled.
func (s *Store) DeleteWebhook(ctx context.Context, scope Scope, id string) error {
	now := s.Now()
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		result := scope.apply(tx.Model(&Webhook{})).Where("id = ? AND deleted_at IS NULL", id).
			Updates(forgottenWebhook(now))
		if result.Error != nil {
			return result.Error
		}
		if result.RowsAffected == 0 {
			return ErrNotFound
		}
		return tx.Where("webhook_id = ?", id).Delete(&webhookPattern{}).Error
	})
	if err != nil {
		return fmt.Errorf("delete webhook: %w", err)
	}
	return nil
}

// forgottenWebhook is what is written over a webhook that is deleted.
func forgottenWebhook(now time.Time) map[string]any {
	return map[string]any{
		"deleted_at": now, "updated_at": now, "active": false, "secret": []byte{},
		"previous_secret": nil, "previous_secret_until": nil,
	}
}

// RotateSecret gives a webhook a new secret. The one before it signs too until the grace ends; one that was
// still in its grace ends at once.
func (s *Store) RotateSecret(ctx context.Context, scope Scope, id, secret string, grace time.Duration) (Webhook, error) {
	var webhook Webhook
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		q := scope.apply(forUpdate(tx)).Where("id = ? AND deleted_at IS NULL", id)
		if err := q.Take(&webhook).Error; err != nil {
			return oneRow(err)
		}
		webhook.UpdatedAt = s.Now()
		until := webhook.UpdatedAt.Add(grace)
		webhook.PreviousSecret, webhook.PreviousSecretUntil = webhook.Secret, &until
		webhook.Secret = s.keyring.Seal(secret, webhook.ID)
		return tx.Model(&webhook).Select("secret", "previous_secret", "previous_secret_until", "updated_at").
			Updates(&webhook).Error
	})
	if err != nil {
		return Webhook{}, fmt.Errorf("rotate secret: %w", err)
	}
	return webhook, nil
}

// SigningSecrets decrypts the secrets that sign a request made at a time: the current one, and the previous
// one during its grace.
func (s *Store) SigningSecrets(webhook Webhook, at time.Time) ([]string, error) {
	current, err := s.keyring.Open(webhook.Secret, webhook.ID)
	if err != nil {
		return nil, fmt.Errorf("secret of %s: %w", webhook.ID, err)
	}
	if webhook.PreviousSecretUntil == nil || !at.Before(*webhook.PreviousSecretUntil) {
		return []string{current}, nil
	}
	previous, err := s.keyring.Open(webhook.PreviousSecret, webhook.ID)
	if err != nil {
		return nil, fmt.Errorf("previous secret of %s: %w", webhook.ID, err)
	}
	return []string{current, previous}, nil
}
