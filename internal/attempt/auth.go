package attempt

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"time"

	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/models"
)

// authError says why a request could not sign in, and so was not made. It is an attempt that failed.
type authError struct {
	// message is for the webhook's owner, detail for the log: it may tell of the inside.
	message, detail string
}

func (e *authError) Error() string { return e.message }

// authorization is the header of what needs no token endpoint.
func authorization(auth models.Auth) string {
	if auth.Basic != nil {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(auth.Basic.Username+":"+auth.Basic.Password))
	}
	return "Bearer " + auth.Bearer.Token
}

func identityOf(of *models.TLS) *egress.Identity {
	if of == nil {
		return nil
	}
	return &egress.Identity{Certificate: of.Certificate, Key: of.Key, CA: of.CA}
}

// withToken sends a request with an access token. When the receiver refuses a token of before, it gets one that is new,
// once. Tokens and requests share one time limit.
func (m *Maker) withToken(ctx context.Context, webhookID string, by models.OAuth2, how egress.Options, request func() (*http.Request, error)) (*http.Request, egress.Result, error) {
	deadline := time.Now().Add(cmp.Or(how.Timeout, egress.AttemptTimeout))
	fetch := func(ctx context.Context, limit time.Duration) (token, error) { return m.fetchToken(ctx, by, limit) }
	key, refused := tokenKey(webhookID, by), ""
	for {
		token, isNew, err := m.tokens.get(ctx, key, refused, m.Now, time.Until(deadline), fetch)
		if err != nil {
			return nil, egress.Result{}, err
		}
		if how.Timeout = time.Until(deadline).Round(time.Millisecond); how.Timeout <= 0 {
			return nil, egress.Result{}, &authError{message: "getting an access token took all of the time limit"}
		}
		signed, err := request()
		if err != nil {
			return nil, egress.Result{}, err
		}
		signed.Header.Set("Authorization", token)
		result, err := m.Sender.Do(signed, how)
		if err != nil || result.StatusCode != http.StatusUnauthorized {
			return signed, result, err
		}
		m.tokens.drop(key, token)
		if isNew || refused != "" {
			return signed, result, nil
		}
		refused = token
	}
}

// setFailure writes into an attempt why its request failed. What is neither the receiver's nor the owner's fault is
// returned.
func (m *Maker) setFailure(ctx context.Context, attempt *models.Attempt, webhook models.Webhook, err error) error {
	var refusal *egress.Error
	var auth *authError
	detail := ""
	switch {
	case errors.As(err, &auth):
		attempt.ErrorClass, attempt.Error, detail = models.ErrorAuth, auth.message, auth.detail
	case errors.As(err, &refusal):
		attempt.ErrorClass, attempt.Error, detail = models.ErrorClass(refusal.Class), refusal.Message, refusal.Detail
	default:
		return err
	}
	if detail != "" {
		// The owner reads the attempt; what it would tell of the inside is for administrators.
		m.Logger.InfoContext(ctx, "target not reached", "delivery_id", attempt.DeliveryID, "webhook_id", webhook.ID,
			"host", webhook.Host, "error_class", attempt.ErrorClass, "reason", detail)
	}
	return nil
}

// expiryOf says, behind the message of an attempt that failed in TLS, that the webhook's own certificate has expired: receivers
// rarely do.
func expiryOf(of *models.TLS, attempt models.Attempt) string {
	if of == nil || attempt.ErrorClass != models.ErrorTLS {
		return ""
	}
	block, _ := pem.Decode([]byte(of.Certificate))
	if block == nil {
		return ""
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil || attempt.StartedAt.Before(certificate.NotAfter) {
		return ""
	}
	return "; the webhook's client certificate expired on " + certificate.NotAfter.UTC().Format(time.RFC3339)
}
