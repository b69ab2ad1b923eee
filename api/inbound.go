package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/typeid"
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
	SourceID string               `query:"source_id"`
	Type     string               `query:"type" doc:"Only this type of the provider's."`
	Status   models.InboundStatus `query:"status" enum:"pending,processed,failed"`
	Since    Time                 `query:"since" doc:"Received at or after."`
	Until    Time                 `query:"until" doc:"Received before."`
	Include  string               `query:"include" enum:"body" doc:"Body: with what was received, and then fewer of them when they have over 4 MiB together."`
}

func (s *server) registerInbound(api huma.API) {
	const tag = "Inbound events"
	huma.Register(api, operation("list-inbound-events", http.MethodGet, "/inbound-events", tag, "List inbound events", http.StatusOK), s.listInbound)
	huma.Register(api, large(operation("get-inbound-event", http.MethodGet, "/inbound-events/{id}", tag, "Show an inbound event", http.StatusOK, 404)), s.getInbound)
	huma.Register(api, operation("reprocess-inbound-event", http.MethodPost, "/inbound-events/{id}/reprocess", tag, "Process an inbound event again", http.StatusAccepted, 404), s.reprocess)
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

func (s *server) listInbound(ctx context.Context, in *listInboundInput) (*ListOutput[InboundEvent], error) {
	if err := checkFilter(typeid.KindSource, "source_id", in.SourceID); err != nil {
		return nil, err
	}
	if !storable(in.Type) {
		return nil, invalid("query.type", "expected text in UTF-8 without NUL")
	}
	filter := models.InboundFilter{SourceID: in.SourceID, Type: in.Type, Status: in.Status, Since: in.Since.Time, Until: in.Until.Time, WithBody: in.Include == "body"}
	inbound, next, err := s.Store.InboundEvents(ctx, whoAsks(ctx).scope(), filter, in.page())
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return listOf(inbound, next, s.inboundObject), nil
}

// inbound loads the inbound event of a path for who asks.
func (s *server) inbound(ctx context.Context, id string) (models.InboundEvent, error) {
	if err := checkID(typeid.KindInbound, "inbound event", id); err != nil {
		return models.InboundEvent{}, err
	}
	inbound, err := s.Store.InboundEvent(ctx, whoAsks(ctx).scope(), id)
	if err != nil {
		return inbound, s.fail(ctx, orNotFound(err, "inbound event", id))
	}
	return inbound, nil
}

func (s *server) getInbound(ctx context.Context, in *inboundPath) (*Output[InboundEventDetail], error) {
	inbound, err := s.inbound(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	detail := InboundEventDetail{
		InboundEvent: s.inboundObject(inbound), Headers: inbound.Headers, Deliveries: []Delivery{},
	}
	if inbound.EventID != "" {
		deliveries, _, err := s.Store.Deliveries(ctx, whoAsks(ctx).scope(),
			models.DeliveryFilter{EventID: inbound.EventID}, models.Page{Limit: models.MaxLimit})
		if err != nil {
			return nil, s.fail(ctx, err)
		}
		detail.Deliveries = listOf(deliveries, "", s.deliveryObject).Body.Data
	}
	return &Output[InboundEventDetail]{detail}, nil
}

func (s *server) reprocess(ctx context.Context, in *inboundPath) (*Output[InboundEvent], error) {
	inbound, err := s.inbound(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.mayReprocess(ctx, inbound); err != nil {
		return nil, err
	}
	if err := s.Dispatcher.Reprocess(ctx, inbound); err != nil {
		return nil, s.fail(ctx, err)
	}
	inbound.Body = nil
	return &Output[InboundEvent]{s.inboundObject(inbound)}, nil
}

// mayReprocess leaves what reaches every owner's webhooks to administrators.
func (s *server) mayReprocess(ctx context.Context, inbound models.InboundEvent) error {
	if whoAsks(ctx).admin() {
		return nil
	}
	source, err := s.Store.SourceOf(ctx, inbound)
	if err != nil {
		return s.fail(ctx, err)
	}
	if source.Broadcast {
		return newProblem(http.StatusUnprocessableEntity, codeInvalid,
			"only an administrator may have this processed again: it reaches every owner's webhooks")
	}
	return nil
}
