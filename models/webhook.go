package models

import (
	"context"
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
	// Headers names what is sent with every request, beside Postrider's own; SetHeaders changes them. Their values
	// are in SealedHeaders, which the store's OpenHeaders reads.
	Headers       Headers
	SealedHeaders []byte
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
	// Secret, PreviousSecret and EarlierSecrets are sealed by the keyring. The previous one signs too until
	// PreviousSecretUntil, and each of the earlier ones until an end of its own.
	Secret              []byte
	PreviousSecret      []byte
	PreviousSecretUntil *time.Time
	EarlierSecrets      []byte
	CreatedAt           time.Time
	UpdatedAt           time.Time `gorm:"autoUpdateTime:false"`
	// DeletedAt hides the webhook; the row stays for the log of its deliveries.
	DeletedAt *time.Time
}

// webhookPattern is one pattern of a webhook, in a table of its own so that matching is an index look-up.
type webhookPattern struct {
	Pattern   string `gorm:"primaryKey"`
	WebhookID string `gorm:"primaryKey"`
	// OwnerID is the webhook's; empty for what a process of an older version has written.
	OwnerID string
}

// CreateWebhook stores a new webhook with its secret, and sets its ID and times. An unknown owner is
// ErrNotFound.
func (s *Store) CreateWebhook(ctx context.Context, webhook *Webhook, secret string) error {
	webhook.CreatedAt = s.Now()
	webhook.UpdatedAt = webhook.CreatedAt
	webhook.ID = NewID(KindWebhook, webhook.CreatedAt)
	webhook.Secret = s.keyring.Seal(secret, webhook.ID)
	if err := s.sealHeaders(webhook); err != nil {
		return fmt.Errorf("create webhook: %w", err)
	}
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
		rows[i] = webhookPattern{Pattern: pattern, WebhookID: webhook.ID, OwnerID: webhook.OwnerID}
	}
	return tx.Create(&rows).Error
}

// Webhook returns one webhook that was not deleted, or ErrNotFound.
func (s *Store) Webhook(ctx context.Context, scope Scope, id string) (Webhook, error) {
	var webhook Webhook
	err := visible(scope, s.db.WithContext(ctx)).Where("id = ? AND deleted_at IS NULL", id).Take(&webhook).Error
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
	q := visible(scope, s.db.WithContext(ctx)).Where("deleted_at IS NULL")
	if filter.OwnerID != "" {
		q = q.Where("owner_id = ?", filter.OwnerID)
	}
	if filter.Active != nil {
		q = q.Where("active = ?", *filter.Active)
	}
	q, err := onPage(page, q, KindWebhook)
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
		q := visible(scope, forUpdate(tx)).Where("id = ? AND deleted_at IS NULL", id)
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
		if err := s.sealHeaders(&webhook); err != nil {
			return err
		}
		err := tx.Model(&webhook).Select("url", "host", "description", "events", "headers", "sealed_headers", "active",
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

// DeleteWebhook hides a webhook and forgets its secrets, its headers and all of its URL but the host: each may be
// a credential. What is still waiting for it ends as cancelled.
func (s *Store) DeleteWebhook(ctx context.Context, scope Scope, id string) error {
	now := s.Now()
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		result := visible(scope, tx.Model(&Webhook{})).Where("id = ? AND deleted_at IS NULL", id).
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

// forgottenWebhook is what is written over a webhook that is deleted. All of its URL but the host may be a credential.
func forgottenWebhook(now time.Time) map[string]any {
	return map[string]any{
		"deleted_at": now, "updated_at": now, "active": false, "secret": []byte{},
		"previous_secret": nil, "previous_secret_until": nil, "earlier_secrets": nil, "headers": Headers{}, "sealed_headers": nil,
		"url": gorm.Expr("CASE WHEN url LIKE 'http://%' THEN 'http://' ELSE 'https://' END || host"),
	}
}
