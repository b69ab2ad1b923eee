package service

import (
	"context"

	"github.com/postrider/postrider/models"
)

type changeStore interface {
	Changes(ctx context.Context, known func(key string) bool) ([]models.Change, error)
}

// Changes returns what has changed in the installation lately: see the store's Changes. Only who sees to it that each viewer
// hears of what they may see asks for it.
func (s *Service) Changes(ctx context.Context, known func(key string) bool) ([]models.Change, error) {
	return s.store.Changes(ctx, known)
}
