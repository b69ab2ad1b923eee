package service

import (
	"context"
	"strings"

	"github.com/postrider/postrider/internal/headerlog"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

type attemptStore interface {
	AttemptsPage(ctx context.Context, filter models.AttemptFilter, page models.Page) ([]models.Attempt, models.Cursors, error)
	AttemptsOf(ctx context.Context, scope models.Scope, filter models.AttemptFilter, page models.Page) ([]models.Attempt, models.Cursors, error)
}

// Attempt is an attempt as it is shown.
type Attempt struct {
	models.Attempt
	// Sent and Answered are the headers of the request and of the answer by name, masked; nil where there was none, or
	// they are not asked for. Several values of a header stand with commas between.
	Sent, Answered map[string]string
}

// ListAttempts returns a page of attempts of all deliveries that the caller sees, with the cursors of those beside.
func (s *Service) ListAttempts(ctx context.Context, who Caller, filter models.AttemptFilter, page models.Page) ([]Attempt, models.Cursors, error) {
	for _, err := range []error{
		checkFilter(typeid.KindWebhook, "webhook_id", filter.WebhookIDs),
		s.ownerFilter(ctx, who, &filter.OwnerIDs),
	} {
		if err != nil {
			return nil, models.Cursors{}, err
		}
	}
	attempts, beside, err := s.store.AttemptsOf(ctx, who.scope(), filter, page)
	return shownAttempts(who, attempts), beside, err
}

// ListDeliveryAttempts returns a page of a delivery's attempts with the cursors of those beside.
func (s *Service) ListDeliveryAttempts(ctx context.Context, who Caller, filter models.AttemptFilter, page models.Page) ([]Attempt, models.Cursors, error) {
	delivery, err := load(ctx, who, typeid.KindDelivery, filter.DeliveryID, s.store.Delivery)
	if err != nil {
		return nil, models.Cursors{}, err
	}
	return s.attemptsOf(ctx, who, delivery, filter.AttemptContents, page)
}

// attemptsOf returns a page of a delivery's attempts.
func (s *Service) attemptsOf(ctx context.Context, who Caller, delivery models.Delivery, with models.AttemptContents, page models.Page) ([]Attempt, models.Cursors, error) {
	attempts, beside, err := s.store.AttemptsPage(ctx, models.AttemptFilter{DeliveryID: delivery.ID, AttemptContents: with}, page)
	for i := range attempts {
		attempts[i].WebhookID, attempts[i].Event = delivery.WebhookID, delivery.Event
	}
	return shownAttempts(who, attempts), beside, err
}

// shownAttempts are attempts as the caller may see them: which private address a request went to is for administrators, and
// what was answered is for who sees payloads.
func shownAttempts(who Caller, attempts []models.Attempt) []Attempt {
	shown := make([]Attempt, len(attempts))
	for i, attempt := range attempts {
		if !who.Admin() && !public(attempt.RemoteAddr) {
			attempt.RemoteAddr = ""
		}
		if !who.seesPayloads() {
			attempt.ResponseBody = nil
		}
		shown[i].Attempt = attempt
		if attempt.RequestHeaders != nil {
			sent := headerlog.Sent{DeliveryID: attempt.DeliveryID, Event: attempt.Event, Number: attempt.Number, StartedAt: attempt.StartedAt}
			shown[i].Sent = byName(sent.Unpack(attempt.RequestHeaders))
		}
		if attempt.ResponseHeaders != nil {
			shown[i].Answered = byName(headerlog.Unpack(attempt.ResponseHeaders))
		}
	}
	return shown
}

func byName(fields []headerlog.Field) map[string]string {
	values := map[string][]string{}
	for _, field := range fields {
		values[field.Name] = append(values[field.Name], field.Value)
	}
	headers := make(map[string]string, len(values))
	for name, several := range values {
		headers[name] = strings.Join(several, ", ")
	}
	return headers
}
