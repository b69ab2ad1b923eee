package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/typeid"
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
	Grace      Duration `json:"grace,omitempty" doc:"How long the old secret signs too, such as 24h, which is the default; 0s ends it at once. Secrets before that one keep the grace that they were given."`
	Secret     *string  `json:"secret,omitempty" doc:"The new secret, used as it is: whsec_ and base64, or 16 to 128 visible ASCII characters. One is made when left out."`
	EndEarlier bool     `json:"end_earlier,omitempty" doc:"Ends at once whatever secrets before the old one sign still."`
}

func (s *server) registerSecrets(api huma.API) {
	huma.Register(api, operation("rotate-secret", http.MethodPost, "/webhooks/{id}/rotate-secret", "Webhooks",
		"Give a webhook a new secret", http.StatusOK, 404, 409), s.rotateSecret)
}

func (s *server) rotateSecret(ctx context.Context, in *rotateSecretInput) (*Output[NewWebhook], error) {
	if err := checkID(typeid.KindWebhook, "webhook", in.ID); err != nil {
		return nil, err
	}
	var asked rotateSecretInner
	if in.Body != nil {
		asked = *in.Body
	}
	var wrong faults
	wrong.secret(asked.Secret)
	rotation := models.Rotation{Grace: defaultGrace, EndEarlier: asked.EndEarlier}
	if asked.Grace.Set {
		rotation.Grace = wrong.duration("body.grace", asked.Grace, 0, maxGrace)
	}
	err := wrong.err()
	if err != nil {
		return nil, err
	}
	if rotation.Secret, err = givenOrNew(asked.Secret); err != nil {
		return nil, s.fail(ctx, err)
	}
	webhook, err := s.Store.RotateSecret(ctx, whoAsks(ctx).scope(), in.ID, rotation)
	if err != nil {
		return nil, s.fail(ctx, orNotFound(err, "webhook", in.ID))
	}
	objects, err := s.webhookObjects(ctx, webhook)
	if err != nil {
		return nil, err
	}
	return &Output[NewWebhook]{NewWebhook{Webhook: objects[0], Secret: rotation.Secret}}, nil
}

// Bounds of a secret that is given: the length of the whole, and the bytes that the base64 behind whsec_ stands for.
const (
	minSecret, maxSecret       = 16, 128
	minSecretKey, maxSecretKey = 16, 64
	secretPrefix               = "whsec_"
)

// secret checks a secret that signs a webhook's requests; nil when none is given.
func (f *faults) secret(secret *string) {
	const location = "body.secret"
	if secret == nil {
		return
	}
	if strings.ContainsFunc(*secret, notVisibleASCII) || len(*secret) < minSecret || len(*secret) > maxSecret {
		f.add(location, fmt.Sprintf("expected whsec_ and base64, or %d to %d visible ASCII characters", minSecret, maxSecret))
		return
	}
	if encoded, ok := strings.CutPrefix(*secret, secretPrefix); ok {
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(key) < minSecretKey || len(key) > maxSecretKey {
			f.add(location, fmt.Sprintf("expected base64 of %d to %d bytes behind whsec_", minSecretKey, maxSecretKey))
		}
		return
	}
	if _, err := signature.NewSigner(*secret); err != nil {
		f.add(location, "expected a secret for HMAC; one that begins like a key of Standard Webhooks begins with whsec_ in small letters")
	}
}

// givenOrNew returns the secret that is given, or a new one.
func givenOrNew(secret *string) (string, error) {
	if secret != nil {
		return *secret, nil
	}
	return signature.NewSecret()
}
