package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// RecoveryStore is what recoveries need of the database.
type RecoveryStore interface {
	Recovery(ctx context.Context, scope models.Scope, id string) (models.Recovery, error)
	Recoveries(ctx context.Context, scope models.Scope, filter models.RecoveryFilter, page models.Page) ([]models.Recovery, string, error)
}

// RecoveryDispatcher starts and steers recoveries.
type RecoveryDispatcher interface {
	Recover(ctx context.Context, webhook models.Webhook, recovery *models.Recovery) error
	PauseRecovery(ctx context.Context, recovery models.Recovery) error
	ResumeRecovery(ctx context.Context, recovery models.Recovery) error
	CancelRecovery(ctx context.Context, recovery models.Recovery) error
}

// Recovery brings to a webhook what it did not get in a time.
type Recovery struct {
	ID         string                `json:"id"`
	WebhookID  string                `json:"webhook_id"`
	OwnerID    string                `json:"owner_id"`
	Since      time.Time             `json:"since" doc:"Deliveries that ended, and missed events that were published, at or after this."`
	Until      time.Time             `json:"until" doc:"The same, before this."`
	Include    models.Include        `json:"include" enum:"failed,missed,all"`
	Rate       int                   `json:"rate" doc:"How many are sent per second, at most."`
	Status     models.RecoveryStatus `json:"status" enum:"running,paused,completed,cancelled"`
	Reason     *string               `json:"reason" doc:"Why it is paused or was cancelled."`
	Total      *int64                `json:"total" doc:"How many deliveries it is about, those of missed events included; null until they are counted."`
	Resent     int64                 `json:"resent" doc:"How many of them were sent; their own status tells what came of it."`
	Skipped    int64                 `json:"skipped" doc:"How many needed no resend any more: delivered, resent by someone else or deleted since the recovery began."`
	CreatedAt  time.Time             `json:"created_at"`
	UpdatedAt  time.Time             `json:"updated_at"`
	FinishedAt *time.Time            `json:"finished_at"`
	Workflow   Workflow              `json:"workflow"`
}

type recoverInput struct {
	ID   string `path:"id" doc:"The webhook's ID."`
	Body struct {
		Since   Time           `json:"since" doc:"What ended at or after this, such as first_failure_at of the webhook's health."`
		Until   Time           `json:"until,omitempty" doc:"What ended before this; now when left out or later."`
		Include models.Include `json:"include,omitempty" enum:"failed,missed,all" default:"failed" doc:"failed: what did not reach the receiver, because it was given up or cancelled while the webhook was inactive. missed: also the events that the webhook's patterns match and that were published while it was inactive or did not exist. all: also what was delivered, or cancelled on request."`
		Rate    int            `json:"rate,omitempty" minimum:"1" maximum:"1000" default:"10" doc:"How many to send per second, at most: a receiver that has just come back is spared."`
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
	huma.Register(api, operation("recover-webhook", http.MethodPost, "/webhooks/{id}/recover", tag, "Send again what did not arrive", http.StatusAccepted, 404, 409), s.recoverWebhook)
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
	if err := s.Dispatcher.Recover(ctx, webhook, &recovery); err != nil {
		return nil, s.fail(ctx, err)
	}
	return &Output[Recovery]{s.recoveryObject(recovery)}, nil
}

// inMicroseconds is a time as the database keeps it.
func inMicroseconds(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }

func (s *server) listRecoveries(ctx context.Context, in *listRecoveriesInput) (*ListOutput[Recovery], error) {
	if err := checkFilter(typeid.KindWebhook, "webhook_id", in.WebhookID); err != nil {
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
	if err := checkID(typeid.KindRecovery, "recovery", id); err != nil {
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
