package service

import (
	"context"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

type inboundStore interface {
	InboundEvent(ctx context.Context, scope models.Scope, id string) (models.InboundEvent, error)
	InboundEvents(ctx context.Context, scope models.Scope, filter models.InboundFilter, page models.Page) ([]models.InboundEvent, models.Cursors, error)
}

type inboundDispatcher interface {
	Reprocess(ctx context.Context, inbound models.InboundEvent) error
}

// ListInboundEvents returns a page of inbound events with the cursors of those beside.
func (s *Service) ListInboundEvents(ctx context.Context, who Caller, filter models.InboundFilter, page models.Page) ([]models.InboundEvent, models.Cursors, error) {
	if err := checkFilter(typeid.KindSource, "source_id", filter.SourceIDs); err != nil {
		return nil, models.Cursors{}, err
	}
	for _, value := range filter.Types {
		if !storable(value) {
			return nil, models.Cursors{}, invalid("type", "expected text in UTF-8 without NUL")
		}
	}
	return s.store.InboundEvents(ctx, who.scope(), filter, page)
}

// GetInboundEvent returns an inbound event with the newest deliveries of the event that was published of it.
func (s *Service) GetInboundEvent(ctx context.Context, who Caller, id string) (models.InboundEvent, []models.Delivery, error) {
	inbound, err := load(ctx, who, typeid.KindInbound, id, s.store.InboundEvent)
	if err != nil || inbound.EventID == "" {
		return inbound, nil, err
	}
	deliveries, err := s.deliveriesOf(ctx, who, inbound.EventID)
	return inbound, deliveries, err
}

// ReprocessInboundEvent has an inbound event processed again. One that reaches every owner's webhooks is for
// administrators: else it is ErrReprocessBroadcast.
func (s *Service) ReprocessInboundEvent(ctx context.Context, who Caller, id string) (models.InboundEvent, error) {
	inbound, err := load(ctx, who, typeid.KindInbound, id, s.store.InboundEvent)
	if err != nil {
		return models.InboundEvent{}, err
	}
	if !who.Admin() {
		source, err := s.store.SourceOf(ctx, inbound)
		if err != nil {
			return models.InboundEvent{}, err
		}
		if source.Broadcast {
			return models.InboundEvent{}, ErrReprocessBroadcast
		}
	}
	if err := s.dispatcher.Reprocess(ctx, inbound); err != nil {
		return models.InboundEvent{}, err
	}
	s.audit(ctx, who, "reprocess-inbound-event", inbound.ID, inbound.OwnerID)
	return inbound, nil
}
