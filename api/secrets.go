package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// How long a rotated secret goes on signing beside the new one.
const (
	defaultGrace = 24 * time.Hour
	maxGrace     = 30 * 24 * time.Hour
)

type rotateSecretInput struct {
	ID   string             `path:"id" doc:"The webhook's ID."`
	Body *rotateSecretInner `required:"false"`
}

type rotateSecretInner struct {
	Grace Duration `json:"grace,omitempty" doc:"How long the old secret signs too, such as 24h, which is the default; 0s ends it at once."`
}

func (s *server) registerSecrets(api huma.API) {
	huma.Register(api, operation("rotate-secret", http.MethodPost, "/webhooks/{id}/rotate-secret", "Webhooks",
		"Give a webhook a new secret", http.StatusOK, 404), s.rotateSecret)
}

func (s *server) rotateSecret(ctx context.Context, in *rotateSecretInput) (*Output[NewWebhook], error) {
	if err := checkID(models.KindWebhook, "webhook", in.ID); err != nil {
		return nil, err
	}
	grace := defaultGrace
	var wrong faults
	if in.Body != nil && in.Body.Grace.Set {
		grace = wrong.duration("body.grace", in.Body.Grace, 0, maxGrace)
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	secret, err := signature.NewSecret()
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	webhook, err := s.Store.RotateSecret(ctx, whoAsks(ctx).scope(), in.ID, secret, grace)
	if err != nil {
		return nil, s.fail(ctx, orNotFound(err, "webhook", in.ID))
	}
	objects, err := s.webhookObjects(ctx, webhook)
	if err != nil {
		return nil, err
	}
	return &Output[NewWebhook]{NewWebhook{Webhook: objects[0], Secret: secret}}, nil
}
