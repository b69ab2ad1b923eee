package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/models"
)

// RecoveryStore is what recoveries need of the database.
type RecoveryStore interface {
	Recovery(ctx context.Context, scope models.Scope, id string) (models.Recovery, error)
	Recoveries(ctx context.Context, scope models.Scope, filter models.RecoveryFilter, page models.Page) ([]models.Recovery, string, error)
}

// RecoveryDispatcher starts and steers recoveries.
type RecoveryDispatcher interface {
	StartRecovery(ctx context.Context, webhook models.Webhook, recovery *models.Recovery) error
	PauseRecovery(ctx context.Context, recovery models.Recovery) error
	ResumeRecovery(ctx context.Context, recovery models.Recovery) error
	CancelRecovery(ctx context.Context, recovery models.Recovery) error
}

// Recovery resends a webhook's deliveries of a time.
type Recovery struct {
	ID         string                `json:"id"`
	WebhookID  string                `json:"webhook_id"`
	OwnerID    string                `json:"owner_id"`
	Since      time.Time             `json:"since" doc:"Deliveries made at or after this."`
	Until      time.Time             `json:"until" doc:"Deliveries made before this."`
	Include    models.Include        `json:"include" enum:"permanently_failed,all"`
	Rate       int                   `json:"rate" doc:"How many are resent per second, at most."`
	Status     models.RecoveryStatus `json:"status" enum:"running,paused,completed,cancelled"`
	Reason     *string               `json:"reason" doc:"Why it is paused or was cancelled."`
	Total      *int64                `json:"total" doc:"How many deliveries it is about; null until they are counted."`
	Resent     int64                 `json:"resent" doc:"How many of them were resent; their own status tells what came of it."`
	Skipped    int64                 `json:"skipped" doc:"How many needed no resend any more: delivered, resent by someone else or deleted since the recovery began."`
	CreatedAt  time.Time             `json:"created_at"`
	UpdatedAt  time.Time             `json:"updated_at"`
	FinishedAt *time.Time            `json:"finished_at"`
	Workflow   Workflow              `json:"workflow"`
}

type recoverInput struct {
	ID   string `path:"id" doc:"The webhook's ID."`
	Body struct {
		Since   Time           `json:"since" doc:"Resend deliveries made at or after this."`
		Until   Time           `json:"until,omitempty" doc:"Resend deliveries made before this; now when left out or later."`
		Include models.Include `json:"include,omitempty" enum:"permanently_failed,all" default:"permanently_failed" doc:"All: also what was delivered or cancelled."`
		Rate    int            `json:"rate,omitempty" minimum:"1" maximum:"1000" default:"10" doc:"How many to resend per second, at most: a receiver that has just come back is spared."`
	}
}

type recoveryPath struct {
	ID string `path:"id" doc:"The recovery's ID."`
}

type listRecoveriesInput struct {
	PageQuery
	WebhookID string                `query:"webhook_id"`
	Status    models.RecoveryStatus `query:"status" enum:"running,paused,completed,cancelled"`
}

func (s *server) registerRecoveries(api huma.API) {
	const tag = "Recoveries"
	huma.Register(api, operation("recover-webhook", http.MethodPost, "/webhooks/{id}/recover", tag, "Resend what failed", http.StatusAccepted, 404, 409), s.recoverWebhook)
	huma.Register(api, operation("list-recoveries", http.MethodGet, "/recoveries", tag, "List recoveries", http.StatusOK), s.listRecoveries)
	huma.Register(api, operation("get-recovery", http.MethodGet, "/recoveries/{id}", tag, "Show a recovery with its progress", http.StatusOK, 404), s.getRecovery)
	for _, step := range []struct {
		name, summary string
		do            func(RecoveryDispatcher, context.Context, models.Recovery) error
	}{
		{"pause", "Hold a recovery back", RecoveryDispatcher.PauseRecovery},
		{"resume", "Let a paused recovery go on", RecoveryDispatcher.ResumeRecovery},
		{"cancel", "End a recovery", RecoveryDispatcher.CancelRecovery},
	} {
		huma.Register(api, operation(step.name+"-recovery", http.MethodPost, "/recoveries/{id}/"+step.name, tag, step.summary, http.StatusAccepted, 404, 409),
			func(ctx context.Context, in *recoveryPath) (*Output[Recovery], error) {
				recovery, err := s.recovery(ctx, in.ID)
				if err != nil {
					return nil, err
				}
				if err := step.do(s.Dispatcher, ctx, recovery); err != nil {
					return nil, s.fail(ctx, err)
				}
				return &Output[Recovery]{s.recoveryObject(recovery)}, nil
			})
	}
}

func (s *server) recoveryObject(m models.Recovery) Recovery {
	object := Recovery{
		ID: m.ID, WebhookID: m.WebhookID, OwnerID: m.OwnerID, Since: m.Since.UTC(), Until: m.Until.UTC(), Include: m.Include,
		Rate: m.Rate, Status: m.Status, Reason: orNull(m.Reason), Resent: m.Resent, Skipped: m.Skipped,
		CreatedAt: m.CreatedAt.UTC(), UpdatedAt: m.UpdatedAt.UTC(), FinishedAt: inUTC(m.FinishedAt),
		Workflow: Workflow{ID: m.ID, URL: orNull(s.WorkflowURL(m.ID, ""))},
	}
	if m.Collected {
		object.Total = &m.Total
	}
	return object
}

func (s *server) recoverWebhook(ctx context.Context, in *recoverInput) (*Output[Recovery], error) {
	webhook, err := s.webhook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	now := inMicroseconds(s.Now())
	recovery := models.Recovery{
		Since: inMicroseconds(in.Body.Since.Time), Until: inMicroseconds(in.Body.Until.Time), Include: in.Body.Include, Rate: in.Body.Rate,
	}
	if in.Body.Until.IsZero() || recovery.Until.After(now) {
		recovery.Until = now
	}
	if !recovery.Since.Before(recovery.Until) {
		return nil, invalid("body.since", "expected a time before until, which is at most now")
	}
	if err := s.Dispatcher.StartRecovery(ctx, webhook, &recovery); err != nil {
		return nil, s.fail(ctx, err)
	}
	return &Output[Recovery]{s.recoveryObject(recovery)}, nil
}

// inMicroseconds is a time as the database keeps it.
func inMicroseconds(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }

func (s *server) listRecoveries(ctx context.Context, in *listRecoveriesInput) (*ListOutput[Recovery], error) {
	if err := checkFilter(models.KindWebhook, "webhook_id", in.WebhookID); err != nil {
		return nil, err
	}
	filter := models.RecoveryFilter{WebhookID: in.WebhookID, Status: in.Status}
	recoveries, next, err := s.Store.Recoveries(ctx, whoAsks(ctx).scope(), filter, in.page())
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return listOf(recoveries, next, s.recoveryObject), nil
}

// recovery loads the recovery of a path for who asks.
func (s *server) recovery(ctx context.Context, id string) (models.Recovery, error) {
	if err := checkID(models.KindRecovery, "recovery", id); err != nil {
		return models.Recovery{}, err
	}
	recovery, err := s.Store.Recovery(ctx, whoAsks(ctx).scope(), id)
	if err != nil {
		return recovery, s.fail(ctx, orNotFound(err, "recovery", id))
	}
	return recovery, nil
}

func (s *server) getRecovery(ctx context.Context, in *recoveryPath) (*Output[Recovery], error) {
	recovery, err := s.recovery(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &Output[Recovery]{s.recoveryObject(recovery)}, nil
}
