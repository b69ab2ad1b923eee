package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// webhookPattern is one pattern of a webhook, in a table of its own so that matching is an index look-up.
type webhookPattern struct {
	Pattern   string `gorm:"primaryKey"`
	WebhookID string `gorm:"primaryKey"`
	// OwnerID is the webhook's; empty for what a process of an older version has written.
	OwnerID string
}

// CreateWebhook stores a new webhook with its secret, and sets its ID and times. An unknown owner is
// ErrNotFound; ErrExternalIDTaken when another webhook of the owner has its external_id.
func (s *Store) CreateWebhook(ctx context.Context, webhook *models.Webhook, secret string) error {
	webhook.CreatedAt = s.Now()
	webhook.UpdatedAt = webhook.CreatedAt
	webhook.ID = typeid.New(typeid.KindWebhook, webhook.CreatedAt)
	webhook.Secret = s.keyring.Seal(secret, webhook.ID)
	webhook.OnFailure = cmp.Or(webhook.OnFailure, models.OnFailureWait)
	if err := errors.Join(s.sealHeaders(webhook), s.sealCredentials(webhook)); err != nil {
		return fmt.Errorf("create webhook: %w", err)
	}
	err := s.on(ctx).Transaction(func(tx *gorm.DB) error {
		owner, err := lockOwner(tx, webhook.OwnerID)
		if err != nil {
			return err
		}
		if err := withinQuota(ctx, tx, &models.Webhook{}, "webhooks", owner.ID); err != nil {
			return err
		}
		webhook.Suspended = !owner.Active
		if err := createNamed(tx, webhook); err != nil {
			return err
		}
		if webhook.Ordered {
			if _, err := takePlaces(tx, webhook.ID, 0); err != nil {
				return err
			}
		}
		return insertPatterns(tx, webhook)
	})
	if err != nil {
		return fmt.Errorf("create webhook: %w", err)
	}
	return nil
}

func insertPatterns(tx *gorm.DB, webhook *models.Webhook) error {
	rows := make([]webhookPattern, len(webhook.Events))
	for i, pattern := range webhook.Events {
		rows[i] = webhookPattern{Pattern: pattern, WebhookID: webhook.ID, OwnerID: webhook.OwnerID}
	}
	return tx.Create(&rows).Error
}

// Webhook returns one webhook that was not deleted, or ErrNotFound.
func (s *Store) Webhook(ctx context.Context, scope models.Scope, id string) (models.Webhook, error) {
	var webhook models.Webhook
	err := visible(scope, s.on(ctx)).Where("id = ? AND deleted_at IS NULL", id).Take(&webhook).Error
	if err != nil {
		return models.Webhook{}, fmt.Errorf("load webhook: %w", oneRow(err))
	}
	return webhook, nil
}

// Webhooks lists webhooks that were not deleted, newest first, with the cursors of the pages beside.
func (s *Store) Webhooks(ctx context.Context, scope models.Scope, filter models.WebhookFilter, page models.Page) ([]models.Webhook, models.Cursors, error) {
	q := visible(scope, s.db.WithContext(ctx)).Where("deleted_at IS NULL")
	if filter.Active != nil {
		q = q.Where("active = ?", *filter.Active)
	}
	webhooks, cursors, err := list(q, page, listing[models.Webhook]{
		kind: typeid.KindWebhook, id: func(w models.Webhook) string { return w.ID },
		filters: []oneOf{is("owner_id", filter.OwnerIDs), is("external_id", filter.ExternalIDs)},
	})
	if err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list webhooks: %w", err)
	}
	return webhooks, cursors, nil
}

// UpdateWebhook changes a webhook by the function, under a lock, so that two changes do not undo each
// other. An error of the function is returned unchanged and nothing is written. It may be called again with the webhook as it
// is then.
func (s *Store) UpdateWebhook(ctx context.Context, scope models.Scope, id string, change func(*models.Webhook) error) (webhook models.Webhook, err error) {
	err = unlessDeadlocked(func() error {
		webhook, err = s.updateWebhook(ctx, scope, id, change)
		return err
	})
	return webhook, err
}

func (s *Store) updateWebhook(ctx context.Context, scope models.Scope, id string, change func(*models.Webhook) error) (models.Webhook, error) {
	var webhook models.Webhook
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
		webhook.OnFailure = cmp.Or(webhook.OnFailure, models.OnFailureWait)
		if err := startAnew(tx, before, webhook); err != nil {
			return err
		}
		if err := errors.Join(s.sealHeaders(&webhook), s.sealCredentials(&webhook)); err != nil {
			return err
		}
		err := updateNamed(tx, &webhook, "external_id", "metadata", "url", "host", "description", "events", "headers", "sealed_headers",
			"active", "disabled_reason", "retry_schedule", "rate_limit", "ordered", "on_failure", "timeout_ms", "format", "credentials", "filter", "transform", "updated_at")
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
		return models.Webhook{}, changeErr
	case err != nil:
		return models.Webhook{}, fmt.Errorf("update webhook: %w", err)
	}
	return webhook, nil
}

// DeleteWebhook hides a webhook and forgets its secrets, its headers and all of its URL but the host: each may be
// a credential. What is still waiting for it ends as cancelled.
func (s *Store) DeleteWebhook(ctx context.Context, scope models.Scope, id string) error {
	now := s.Now()
	err := unlessDeadlocked(func() error {
		return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			result := visible(scope, tx.Model(&models.Webhook{})).Where("id = ? AND deleted_at IS NULL", id).
				Updates(forgottenWebhook(now))
			if result.Error != nil {
				return result.Error
			}
			if result.RowsAffected == 0 {
				return models.ErrNotFound
			}
			if err := cancelQueued(tx, id, now); err != nil {
				return err
			}
			return tx.Where("webhook_id = ?", id).Delete(&webhookPattern{}).Error
		})
	})
	if err != nil {
		return fmt.Errorf("delete webhook: %w", err)
	}
	return nil
}

// forgottenWebhook is what is written over a webhook that is deleted. All of its URL but the host may be a credential.
func forgottenWebhook(now time.Time) map[string]any {
	return map[string]any{
		"deleted_at": now, "updated_at": now, "active": false, "external_id": nil, "metadata": models.Metadata{}, "secret": []byte{},
		"previous_secret": nil, "previous_secret_until": nil, "earlier_secrets": nil, "headers": models.Headers{}, "sealed_headers": nil,
		"credentials": nil, "public_keys": models.PublicKeys{},
		"filter": "", "transform": "",
		"url": gorm.Expr("CASE WHEN url LIKE 'http://%' THEN 'http://' ELSE 'https://' END || host"),
	}
}
