package service

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// How long a rotated secret goes on signing beside the new one.
const (
	defaultGrace = 24 * time.Hour
	maxGrace     = 30 * 24 * time.Hour
)

// SecretRotation says how a webhook gets a new secret.
type SecretRotation struct {
	// Grace is how long the old secret signs too; 24 hours unless it is set.
	Grace Duration
	// Secret is the new one; nil for a random one.
	Secret *string
	// Signing is its kind; that of the webhook when empty.
	Signing string
	// EndEarlier ends at once whatever secrets before the old one sign still.
	EndEarlier bool
}

// RotateSecret gives a webhook a new secret.
func (s *Service) RotateSecret(ctx context.Context, who Caller, id string, in SecretRotation) (WebhookWithSecret, error) {
	var rotation models.Rotation
	webhook, err := load(ctx, who, typeid.KindWebhook, id, func(ctx context.Context, scope models.Scope, id string) (_ models.Webhook, err error) {
		webhook, err := s.store.Webhook(ctx, scope, id)
		if err != nil {
			return models.Webhook{}, err
		}
		if rotation, err = in.checked(webhook.Signing); err != nil {
			return models.Webhook{}, err
		}
		return s.store.RotateSecret(ctx, scope, id, rotation)
	})
	if err != nil {
		return WebhookWithSecret{}, err
	}
	s.audit(ctx, who, "rotate-secret", webhook.ID, webhook.OwnerID)
	shown, err := s.shownWebhook(ctx, webhook)
	return WebhookWithSecret{shown, rotation.Secret}, err
}

// checked returns what is to be done to a webhook with a kind of secret, with a new secret unless one is given.
func (in SecretRotation) checked(present models.Signing) (models.Rotation, error) {
	var wrong faults
	rotation := models.Rotation{Grace: defaultGrace, EndEarlier: in.EndEarlier, Signing: present}
	if in.Signing != "" {
		rotation.Signing = wrong.signing(in.Signing)
	}
	wrong.secretOf(rotation.Signing, in.Secret)
	if in.Grace.Set {
		rotation.Grace = wrong.duration("grace", in.Grace, 0, maxGrace)
	}
	if err := wrong.err(); err != nil {
		return models.Rotation{}, err
	}
	var err error
	rotation.Secret, rotation.PublicKey, err = signingKey(rotation.Signing, in.Secret)
	return rotation, err
}

// Bounds of a secret that is given: the length of the whole, and the bytes that the base64 behind whsec_ stands for.
const (
	minSecret, maxSecret       = 16, 128
	minSecretKey, maxSecretKey = 16, 64
	secretPrefix               = "whsec_"
)

// secret checks a secret that signs a webhook's requests; nil when none is given.
func (f *faults) secret(secret *string) {
	const location = "secret"
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
