package service

import (
	"context"
	"errors"
	"fmt"

	"github.com/postrider/postrider/models"
)

// PublishAll publishes events in one transaction and returns when that is durable, with an outcome for each. One that is
// wrong, or more than its owner may publish, is left out, and its outcome says why.
func (s *Service) PublishAll(ctx context.Context, who Caller, events []models.Event) ([]models.BatchOutcome, error) {
	outcomes := make([]models.BatchOutcome, len(events))
	var good []models.Event
	var positions []int
	known := addressees{}
	for i, event := range events {
		err := s.publishable(ctx, who, &event, known.address(s))
		switch {
		case isOfEvent(err):
			outcomes[i].Err = err
		case err != nil:
			return nil, err
		default:
			good, positions = append(good, event), append(positions, i)
		}
	}
	if len(good) == 0 {
		return outcomes, nil
	}
	published, err := s.dispatcher.PublishAll(ctx, good)
	if err != nil {
		return nil, err
	}
	for i, outcome := range published {
		outcomes[positions[i]] = outcome
	}
	return outcomes, nil
}

// isOfEvent says that an error is about an event, so that others may be published all the same.
func isOfEvent(err error) bool {
	var wrong FieldsError
	var rate *EventRateError
	var stored *StoredBytesError
	return errors.As(err, &wrong) || errors.As(err, &rate) || errors.As(err, &stored)
}

// addressees remembers who gets the events of a batch, so that an owner is not looked up for each.
type addressees map[string]addressed

type addressed struct {
	event models.Event
	wrong []Field
}

// address is Service.addressee with that memory.
func (a addressees) address(s *Service) addressing {
	return func(ctx context.Context, who Caller, event *models.Event, wrong *faults) error {
		key := fmt.Sprintf("%t %q %q", event.Broadcast, event.OwnerID, event.WebhookIDs)
		known, ok := a[key]
		if !ok {
			var found faults
			if err := s.addressee(ctx, who, event, &found); err != nil {
				return err
			}
			known = addressed{*event, found.fields}
			a[key] = known
		}
		event.OwnerID, event.WebhookIDs = known.event.OwnerID, known.event.WebhookIDs
		wrong.fields = append(wrong.fields, known.wrong...)
		return nil
	}
}
