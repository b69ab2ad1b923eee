package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// InboundEvent is one webhook received from a provider.
type InboundEvent struct {
	ID          string               `json:"id"`
	SourceID    string               `json:"source_id"`
	OwnerID     string               `json:"owner_id"`
	ProviderID  string               `json:"provider_id" doc:"The provider's ID of the event, or a hash of the body."`
	Conflict    bool                 `json:"conflict" doc:"True when the source had sent another body under the same ID before."`
	Type        string               `json:"type" doc:"The provider's type."`
	Status      models.InboundStatus `json:"status" enum:"pending,processed,failed"`
	Attempts    int                  `json:"attempts" doc:"How often it was processed."`
	Error       *string              `json:"error" doc:"Why processing failed; null otherwise."`
	EventID     *string              `json:"event_id" doc:"The event that was published of it."`
	ProcessedAt *time.Time           `json:"processed_at"`
	CreatedAt   time.Time            `json:"created_at"`
	Body        *string              `json:"body,omitempty" doc:"As it was received; in a list only with include=body."`
	Workflow    Workflow             `json:"workflow"`
}

// InboundEventDetail is an inbound event with what was received and what came of it.
type InboundEventDetail struct {
	InboundEvent
	Headers    map[string]string `json:"headers" doc:"Without signatures and secrets."`
	Deliveries []Delivery        `json:"deliveries" doc:"The newest 250 of the resulting event."`
}

type inboundPath struct {
	ID string `path:"id" doc:"The inbound event's ID."`
}

type listInboundInput struct {
	PageQuery
	SourceID []string               `query:"source_id" maxItems:"20"`
	Type     []string               `query:"type" maxItems:"20" doc:"Only these types of the provider's."`
	Status   []models.InboundStatus `query:"status" maxItems:"20" enum:"pending,processed,failed"`
	Since    Time                   `query:"since" doc:"Received at or after."`
	Until    Time                   `query:"until" doc:"Received before."`
	Include  string                 `query:"include" enum:"body" doc:"Body: with what was received, and then fewer of them when they have over 4 MiB together."`
}

func (s *server) registerInbound(api huma.API) {
	const tag = "Inbound events"
	register(s, api, operation{
		ID: "list-inbound-events", Method: http.MethodGet, Path: "/inbound-events", Tag: tag,
		Summary: "List inbound events", Status: http.StatusOK,
	}, s.listInbound)
	register(s, api, operation{
		ID: "get-inbound-event", Method: http.MethodGet, Path: "/inbound-events/{id}", Tag: tag,
		Summary: "Show an inbound event", Status: http.StatusOK, Errors: []int{http.StatusNotFound}, Large: true,
	}, s.getInbound)
	register(s, api, operation{
		ID: "reprocess-inbound-event", Method: http.MethodPost, Path: "/inbound-events/{id}/reprocess", Tag: tag,
		Summary: "Process an inbound event again", Status: http.StatusAccepted, Errors: []int{http.StatusNotFound},
	}, s.reprocess)
}

func (s *server) inboundObject(m models.InboundEvent) InboundEvent {
	object := InboundEvent{
		ID: m.ID, SourceID: m.SourceID, OwnerID: m.OwnerID, ProviderID: m.ProviderID, Conflict: m.Conflict, Type: m.Type, Status: m.Status,
		Attempts: m.Attempts, Error: orNull(m.Error), EventID: orNull(m.EventID), ProcessedAt: inUTC(m.ProcessedAt),
		CreatedAt: m.CreatedAt.UTC(), Workflow: Workflow{ID: m.ID, URL: orNull(s.WorkflowURL(m.ID, ""))},
	}
	if m.Body != nil {
		body := strings.ToValidUTF8(string(m.Body), "\uFFFD")
		object.Body = &body
	}
	return object
}

func (s *server) listInbound(ctx context.Context, who service.Caller, in *listInboundInput) (*ListOutput[InboundEvent], error) {
	inbound, beside, err := s.Service.ListInboundEvents(ctx, who, models.InboundFilter{
		SourceIDs: in.SourceID, Types: in.Type, Statuses: in.Status, Since: in.Since.Time, Until: in.Until.Time, WithBody: in.Include == "body",
	}, in.page())
	return listOf(inbound, beside, s.inboundObject), err
}

func (s *server) getInbound(ctx context.Context, who service.Caller, in *inboundPath) (*Output[InboundEventDetail], error) {
	inbound, deliveries, err := s.Service.GetInboundEvent(ctx, who, in.ID)
	return &Output[InboundEventDetail]{InboundEventDetail{
		InboundEvent: s.inboundObject(inbound), Headers: inbound.Headers, Deliveries: objectsOf(deliveries, s.deliveryObject),
	}}, err
}

func (s *server) reprocess(ctx context.Context, who service.Caller, in *inboundPath) (*Output[InboundEvent], error) {
	inbound, err := s.Service.ReprocessInboundEvent(ctx, who, in.ID)
	inbound.Body = nil
	return &Output[InboundEvent]{s.inboundObject(inbound)}, err
}
