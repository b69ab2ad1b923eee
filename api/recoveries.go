package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

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
	WebhookID []string                `query:"webhook_id" maxItems:"20"`
	Status    []models.RecoveryStatus `query:"status" maxItems:"20" enum:"running,paused,completed,cancelled"`
}

func (s *server) registerRecoveries(api huma.API) {
	const tag = "Recoveries"
	register(s, api, operation{
		ID: "recover-webhook", Method: http.MethodPost, Path: "/webhooks/{id}/recover", Tag: tag,
		Summary: "Send again what did not arrive", Status: http.StatusAccepted, Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, s.recoverWebhook)
	register(s, api, operation{
		ID: "list-recoveries", Method: http.MethodGet, Path: "/recoveries", Tag: tag,
		Summary: "List recoveries", Status: http.StatusOK,
	}, s.listRecoveries)
	register(s, api, operation{
		ID: "get-recovery", Method: http.MethodGet, Path: "/recoveries/{id}", Tag: tag,
		Summary: "Show a recovery with its progress", Status: http.StatusOK, Errors: []int{http.StatusNotFound},
	}, s.getRecovery)
	for _, step := range []struct {
		name, summary string
		steer         func(*service.Service, context.Context, service.Caller, string) (models.Recovery, error)
	}{
		{"pause", "Hold a recovery back", (*service.Service).PauseRecovery},
		{"resume", "Let a paused recovery go on", (*service.Service).ResumeRecovery},
		{"cancel", "End a recovery", (*service.Service).CancelRecovery},
	} {
		register(s, api, operation{
			ID: step.name + "-recovery", Method: http.MethodPost, Path: "/recoveries/{id}/" + step.name, Tag: tag,
			Summary: step.summary, Status: http.StatusAccepted, Errors: []int{http.StatusNotFound, http.StatusConflict},
		}, func(ctx context.Context, who service.Caller, in *recoveryPath) (*Output[Recovery], error) {
			recovery, err := step.steer(s.Service, ctx, who, in.ID)
			return &Output[Recovery]{s.recoveryObject(recovery)}, err
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

func (s *server) recoverWebhook(ctx context.Context, who service.Caller, in *recoverInput) (*Output[Recovery], error) {
	recovery, err := s.Service.RecoverWebhook(ctx, who, in.ID, models.Recovery{
		Since: in.Body.Since.Time, Until: in.Body.Until.Time, Include: in.Body.Include, Rate: in.Body.Rate,
	})
	return &Output[Recovery]{s.recoveryObject(recovery)}, err
}

func (s *server) listRecoveries(ctx context.Context, who service.Caller, in *listRecoveriesInput) (*ListOutput[Recovery], error) {
	filter := models.RecoveryFilter{WebhookIDs: in.WebhookID, Statuses: in.Status}
	recoveries, beside, err := s.Service.ListRecoveries(ctx, who, filter, in.page())
	return listOf(recoveries, beside, s.recoveryObject), err
}

func (s *server) getRecovery(ctx context.Context, who service.Caller, in *recoveryPath) (*Output[Recovery], error) {
	recovery, err := s.Service.GetRecovery(ctx, who, in.ID)
	return &Output[Recovery]{s.recoveryObject(recovery)}, err
}
