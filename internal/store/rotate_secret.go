package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// earlierSecret signs until its grace ends.
type earlierSecret struct {
	Secret string    `json:"secret"`
	Until  time.Time `json:"until"`
}

// RotateSecret gives a webhook a new secret. Every secret before it signs too until its own grace ends, so that a
// rotation which is repeated, because its answer was lost, takes nothing from a receiver; with too many of them it
// is a *SecretsSignError. The secret that a webhook has already stays as it is.
func (s *Store) RotateSecret(ctx context.Context, scope models.Scope, id string, rotation models.Rotation) (models.Webhook, error) {
	var webhook models.Webhook
	err := s.on(ctx).Transaction(func(tx *gorm.DB) error {
		q := visible(scope, forUpdate(tx)).Where("id = ? AND deleted_at IS NULL", id)
		if err := q.Take(&webhook).Error; err != nil {
			return oneRow(err)
		}
		webhook.UpdatedAt = s.Now()
		if err := s.rotate(&webhook, rotation); err != nil {
			return err
		}
		return tx.Model(&webhook).Select("secret", "previous_secret", "previous_secret_until", "earlier_secrets", "signing", "public_keys",
			"updated_at").
			Updates(&webhook).Error
	})
	if err != nil {
		return models.Webhook{}, fmt.Errorf("rotate secret: %w", err)
	}
	return webhook, nil
}

// rotate changes the secrets of a webhook.
func (s *Store) rotate(webhook *models.Webhook, rotation models.Rotation) error {
	now := webhook.UpdatedAt
	current, err := s.keyring.Open(webhook.Secret, webhook.ID)
	if err != nil {
		return fmt.Errorf("secret of %s: %w", webhook.ID, err)
	}
	var earlier []earlierSecret
	if !rotation.EndEarlier {
		if earlier, err = s.earlierSecrets(*webhook, now); err != nil {
			return err
		}
	}
	if rotation.Secret != current {
		earlier = slices.Insert(earlier, 0, earlierSecret{current, now.Add(rotation.Grace)})
	}
	earlier = slices.DeleteFunc(earlier, func(e earlierSecret) bool { return e.Secret == rotation.Secret || !now.Before(e.Until) })
	if len(earlier) > models.MaxEarlierSecrets {
		first := slices.MinFunc(earlier[1:], func(a, b earlierSecret) int { return a.Until.Compare(b.Until) })
		return &models.SecretsSignError{Until: first.Until}
	}
	webhook.Signing, webhook.PublicKeys = rotation.Signing, webhook.PublicKeys.Rotated(rotation, now)
	webhook.Secret = s.keyring.Seal(rotation.Secret, webhook.ID)
	return s.setEarlierSecrets(webhook, earlier)
}

// setEarlierSecrets stores the newest of the earlier secrets where versions look for it that know of one only.
func (s *Store) setEarlierSecrets(webhook *models.Webhook, earlier []earlierSecret) error {
	webhook.PreviousSecret, webhook.PreviousSecretUntil, webhook.EarlierSecrets = nil, nil, nil
	if len(earlier) > 0 {
		webhook.PreviousSecret = s.keyring.Seal(earlier[0].Secret, webhook.ID)
		webhook.PreviousSecretUntil = &earlier[0].Until
	}
	if len(earlier) > 1 {
		text, err := json.Marshal(earlier[1:])
		if err != nil {
			return fmt.Errorf("write earlier secrets of %s: %w", webhook.ID, err)
		}
		webhook.EarlierSecrets = s.keyring.Seal(string(text), webhook.ID)
	}
	return nil
}

// earlierSecrets decrypts the secrets that sign beside the current one at a time, newest first.
func (s *Store) earlierSecrets(webhook models.Webhook, at time.Time) ([]earlierSecret, error) {
	var earlier []earlierSecret
	if webhook.EarlierSecrets != nil {
		text, err := s.keyring.Open(webhook.EarlierSecrets, webhook.ID)
		if err != nil {
			return nil, fmt.Errorf("earlier secrets of %s: %w", webhook.ID, err)
		}
		if err := json.Unmarshal([]byte(text), &earlier); err != nil {
			return nil, fmt.Errorf("earlier secrets of %s cannot be read", webhook.ID) // the text must not get into a log
		}
		earlier = slices.DeleteFunc(earlier, func(e earlierSecret) bool { return !at.Before(e.Until) })
	}
	if until := webhook.PreviousSecretUntil; until != nil && at.Before(*until) {
		previous, err := s.keyring.Open(webhook.PreviousSecret, webhook.ID)
		if err != nil {
			return nil, fmt.Errorf("previous secret of %s: %w", webhook.ID, err)
		}
		earlier = slices.Insert(earlier, 0, earlierSecret{previous, *until})
	}
	return earlier, nil
}

// SigningSecrets decrypts the secrets that sign a request made at a time: the current one, and each earlier one
// during its grace.
func (s *Store) SigningSecrets(webhook models.Webhook, at time.Time) ([]string, error) {
	current, err := s.keyring.Open(webhook.Secret, webhook.ID)
	if err != nil {
		return nil, fmt.Errorf("secret of %s: %w", webhook.ID, err)
	}
	earlier, err := s.earlierSecrets(webhook, at)
	if err != nil {
		return nil, err
	}
	secrets := make([]string, 1, 1+len(earlier))
	secrets[0] = current
	for _, e := range earlier {
		secrets = append(secrets, e.Secret)
	}
	return secrets, nil
}
