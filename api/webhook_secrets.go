package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
)

type rotateSecretInput struct {
	ID   string             `path:"id" doc:"The webhook's ID."`
	Body *rotateSecretInner `required:"false"`
}

type rotateSecretInner struct {
	Grace      Duration `json:"grace,omitempty" doc:"How long the old secret signs too, such as 24h, which is the default; 0s ends it at once. Secrets before that one keep the grace that they were given."`
	Secret     *string  `json:"secret,omitempty" doc:"The new secret, used as it is: whsec_ and base64, or 16 to 128 visible ASCII characters. One is made when left out."`
	Signing    string   `json:"signing,omitempty" enum:"hmac,ed25519" doc:"The kind of the new secret; that of the webhook when left out. During the grace, both kinds sign."`
	EndEarlier bool     `json:"end_earlier,omitempty" doc:"Ends at once whatever secrets before the old one sign still."`
}

func (s *server) registerSecrets(api huma.API) {
	register(s, api, operation{
		ID: "rotate-secret", InOneCommit: true, Method: http.MethodPost, Path: "/webhooks/{id}/rotate-secret", Tag: "Webhooks",
		Summary: "Give a webhook a new secret", Status: http.StatusOK, Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, s.rotateSecret)
}

func (s *server) rotateSecret(ctx context.Context, who service.Caller, in *rotateSecretInput) (*Output[NewWebhook], error) {
	var asked rotateSecretInner
	if in.Body != nil {
		asked = *in.Body
	}
	rotated, err := s.Service.RotateSecret(ctx, who, in.ID, service.SecretRotation{
		Grace: asked.Grace.Duration, Secret: asked.Secret, Signing: asked.Signing, EndEarlier: asked.EndEarlier,
	})
	return &Output[NewWebhook]{NewWebhook{Webhook: webhookObject(rotated.Webhook), Secret: rotated.Secret}}, err
}
