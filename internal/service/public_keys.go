package service

import (
	"context"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/signature"
)

// mostPublicKeys is of how many webhooks a list has the public keys: the newest. That of one webhook is found by its ID.
const mostPublicKeys = 1000

// PublicKeys returns the public keys, of 32 bytes each, that verify what is sent now: of one webhook, or of all. Anyone may
// ask: they tell nothing of whose they are.
func (s *Service) PublicKeys(ctx context.Context, webhookID string) ([][]byte, error) {
	if webhookID != "" {
		if err := checkFilter(typeid.KindWebhook, "webhook_id", []string{webhookID}); err != nil {
			return nil, err
		}
	}
	found, err := s.store.PublicKeys(ctx, webhookID, mostPublicKeys)
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	for _, of := range found {
		for _, key := range of.At(s.now()) {
			raw, err := signature.PublicKeyBytes(key.Key)
			if err != nil {
				return nil, err
			}
			keys = append(keys, raw)
		}
	}
	return keys, nil
}
