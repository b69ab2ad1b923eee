package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// ErrNoKeyring says that something is stored in clear, and that the store has no key to seal it with.
var ErrNoKeyring = errors.New("there is no encryption key to seal with")

// sealBatch is how many rows are read at once.
const sealBatch = 100

// SealClear seals what versions that did not seal it have stored in clear, the headers of webhooks and the verify tokens
// of sources, and returns how many rows these were. It is ErrNoKeyring only when there are any. Processes of a version
// that seals must not stop for it; older ones must, since they cannot open what is sealed. Done again, it changes nothing.
func (s *Store) SealClear(ctx context.Context) (int, error) {
	headers, err := s.sealEach(ctx, clearHeaders, s.sealHeadersOf)
	if err != nil {
		return headers, fmt.Errorf("seal headers: %w", err)
	}
	tokens, err := s.sealEach(ctx, clearVerifyTokens, s.sealVerifyTokenOf)
	if err != nil {
		return headers + tokens, fmt.Errorf("seal verify tokens: %w", err)
	}
	return headers + tokens, nil
}

// clearHeaders are the webhooks that have headers in clear.
func clearHeaders(tx *gorm.DB) *gorm.DB {
	return tx.Model(&models.Webhook{}).Where("sealed_headers IS NULL AND headers <> '{}'")
}

// clearVerifyTokens are the sources that have their verify token in clear.
func clearVerifyTokens(tx *gorm.DB) *gorm.DB {
	return tx.Model(&models.Source{}).Where("options LIKE '%\"verify_token\"%'")
}

// sealEach seals the rows with something in clear, each in a transaction of its own, and returns how many it sealed. seal
// locks and changes one row, and returns false if another process has sealed it. Rows that are purged meanwhile are skipped.
func (s *Store) sealEach(ctx context.Context, inClear func(*gorm.DB) *gorm.DB, seal func(tx *gorm.DB, id string) (done bool, err error)) (int, error) {
	sealed, after := 0, ""
	for {
		var ids []string
		err := inClear(s.db.WithContext(ctx)).Where("id > ?", after).Order("id").Limit(sealBatch).Pluck("id", &ids).Error
		if err != nil || len(ids) == 0 {
			return sealed, err
		}
		if s.keyring == nil {
			return sealed, ErrNoKeyring
		}
		for _, id := range ids {
			var done bool
			err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
				done, err = seal(tx, id)
				return err
			})
			if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
				return sealed, err
			}
			if done {
				sealed++
			}
		}
		after = ids[len(ids)-1]
	}
}

// sealHeadersOf seals the headers of one webhook.
func (s *Store) sealHeadersOf(tx *gorm.DB, id string) (done bool, err error) {
	var webhook models.Webhook
	if err := forUpdate(tx).Where("id = ?", id).Take(&webhook).Error; err != nil {
		return false, err
	}
	if !inClear(&webhook) {
		return false, nil
	}
	if err := s.sealHeaders(&webhook); err != nil {
		return false, err
	}
	return true, tx.Model(&webhook).Select("headers", "sealed_headers").Updates(&webhook).Error
}

// sealVerifyTokenOf seals the verify token of one source, or removes it where the source is deleted.
func (s *Store) sealVerifyTokenOf(tx *gorm.DB, id string) (done bool, err error) {
	var source models.Source
	if err := forUpdate(tx).Where("id = ?", id).Take(&source).Error; err != nil {
		return false, err
	}
	if source.Options.VerifyToken == "" {
		return false, nil
	}
	if source.DeletedAt != nil {
		source.Options.VerifyToken = ""
	}
	s.sealVerifyToken(&source)
	return true, tx.Model(&source).Select("verify_token", "options").UpdateColumns(&source).Error
}
