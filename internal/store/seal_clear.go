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

// SealClear seals what versions that did not seal it have stored in clear, the headers of webhooks and the verify tokens
// of sources, and returns how many rows these were. It is ErrNoKeyring only when there are any. Processes of a version
// that seals must not stop for it; older ones must, since they cannot open what is sealed. Done again, it changes nothing.
func (s *Store) SealClear(ctx context.Context) (int, error) {
	headers, err := s.SealHeaders(ctx)
	if err != nil {
		return headers, err
	}
	tokens, err := s.sealVerifyTokens(ctx)
	return headers + tokens, err
}

// sealVerifyTokens seals what was stored in clear before verify tokens were sealed.
func (s *Store) sealVerifyTokens(ctx context.Context) (int, error) {
	sealed, after := 0, ""
	for {
		var ids []string
		err := s.db.WithContext(ctx).Model(&models.Source{}).Where("options LIKE '%\"verify_token\"%' AND id > ?", after).
			Order("id").Limit(resealBatch).Pluck("id", &ids).Error
		if err != nil || len(ids) == 0 {
			return sealed, err
		}
		if s.keyring == nil {
			return sealed, ErrNoKeyring
		}
		for _, id := range ids {
			done, err := s.sealVerifyTokenOf(ctx, id)
			if err != nil {
				return sealed, fmt.Errorf("seal verify tokens: %w", err)
			}
			if done {
				sealed++
			}
		}
		after = ids[len(ids)-1]
	}
}

// sealVerifyTokenOf seals the token of one source, or forgets it where the source is deleted, unless someone else has
// done it.
func (s *Store) sealVerifyTokenOf(ctx context.Context, id string) (done bool, err error) {
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var source models.Source
		err := forUpdate(tx).Where("id = ?", id).Take(&source).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return nil // it is purged
		}
		if err != nil {
			return err
		}
		if done = source.Options.VerifyToken != ""; !done {
			return nil
		}
		if source.DeletedAt != nil {
			source.Options.VerifyToken = ""
		}
		s.sealVerifyToken(&source)
		return tx.Model(&source).Select("verify_token", "options").UpdateColumns(&source).Error
	})
	return done, err
}
