package service

import (
	"context"
	"time"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

type recoveryStore interface {
	Recovery(ctx context.Context, scope models.Scope, id string) (models.Recovery, error)
	Recoveries(ctx context.Context, scope models.Scope, filter models.RecoveryFilter, page models.Page) ([]models.Recovery, models.Cursors, error)
}

type recoveryDispatcher interface {
	Recover(ctx context.Context, webhook models.Webhook, recovery *models.Recovery) error
	PauseRecovery(ctx context.Context, recovery models.Recovery) error
	ResumeRecovery(ctx context.Context, recovery models.Recovery) error
	CancelRecovery(ctx context.Context, recovery models.Recovery) error
}

// RecoverWebhook starts to bring to a webhook what it did not get. The caller gives the times, what to include and the
// rate; without a time until, or with one in the future, it is now.
func (s *Service) RecoverWebhook(ctx context.Context, who Caller, webhookID string, recovery models.Recovery) (models.Recovery, error) {
	webhook, err := load(ctx, who, typeid.KindWebhook, webhookID, s.store.Webhook)
	if err != nil {
		return models.Recovery{}, err
	}
	now, open := inMicroseconds(s.now()), recovery.Until.IsZero()
	recovery.Since, recovery.Until = inMicroseconds(recovery.Since), inMicroseconds(recovery.Until)
	if open || recovery.Until.After(now) {
		recovery.Until = now
	}
	if !recovery.Since.Before(recovery.Until) {
		return models.Recovery{}, invalid("since", "expected a time before until, which is at most now")
	}
	if err := s.dispatcher.Recover(ctx, webhook, &recovery); err != nil {
		return models.Recovery{}, err
	}
	s.audit(ctx, who, "recover-webhook", recovery.ID, recovery.OwnerID)
	return recovery, nil
}

// inMicroseconds is a time as the database keeps it.
func inMicroseconds(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }

// ListRecoveries returns a page of recoveries with the cursors of those beside.
func (s *Service) ListRecoveries(ctx context.Context, who Caller, filter models.RecoveryFilter, page models.Page) ([]models.Recovery, models.Cursors, error) {
	if err := checkFilter(typeid.KindWebhook, "webhook_id", filter.WebhookIDs); err != nil {
		return nil, models.Cursors{}, err
	}
	return s.store.Recoveries(ctx, who.scope(), filter, page)
}

// GetRecovery returns a recovery with its progress.
func (s *Service) GetRecovery(ctx context.Context, who Caller, id string) (models.Recovery, error) {
	return load(ctx, who, typeid.KindRecovery, id, s.store.Recovery)
}

// PauseRecovery holds a recovery back once the page under way is done.
func (s *Service) PauseRecovery(ctx context.Context, who Caller, id string) (models.Recovery, error) {
	return s.steerRecovery(ctx, who, "pause-recovery", id, recoveryDispatcher.PauseRecovery)
}

// ResumeRecovery continues a paused recovery.
func (s *Service) ResumeRecovery(ctx context.Context, who Caller, id string) (models.Recovery, error) {
	return s.steerRecovery(ctx, who, "resume-recovery", id, recoveryDispatcher.ResumeRecovery)
}

// CancelRecovery ends a recovery once the page under way is done. What it has resent stays resent.
func (s *Service) CancelRecovery(ctx context.Context, who Caller, id string) (models.Recovery, error) {
	return s.steerRecovery(ctx, who, "cancel-recovery", id, recoveryDispatcher.CancelRecovery)
}

func (s *Service) steerRecovery(ctx context.Context, who Caller, action, id string,
	steer func(recoveryDispatcher, context.Context, models.Recovery) error,
) (models.Recovery, error) {
	recovery, err := load(ctx, who, typeid.KindRecovery, id, s.store.Recovery)
	if err != nil {
		return models.Recovery{}, err
	}
	if err := steer(s.dispatcher, ctx, recovery); err != nil {
		return models.Recovery{}, err
	}
	s.audit(ctx, who, action, recovery.ID, recovery.OwnerID)
	return recovery, nil
}
