package models

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
)

// Operational events are published by Postrider itself and travel as ordinary deliveries, to webhooks of the
// owner that they are about.
const (
	EventDeliveryPermanentlyFailed = "postrider.delivery.permanently_failed"
	EventWebhookFailing            = "postrider.webhook.failing"
	EventWebhookDisabled           = "postrider.webhook.disabled"
	EventWebhookRecovered          = "postrider.webhook.recovered"
)

// OperationalEvents lists the types of all operational events.
func OperationalEvents() []string {
	return []string{EventDeliveryPermanentlyFailed, EventWebhookFailing, EventWebhookDisabled, EventWebhookRecovered}
}

// Operational says that an event type is one of those: nobody else may publish it, the pattern * does not match it, and
// the failure of its deliveries makes no further event, so that nothing can go in circles.
func Operational(eventType string) bool { return slices.Contains(OperationalEvents(), eventType) }

// Reserved says that an event type is Postrider's own, or may become so: publishers must not use it. What a source
// receives may, as long as it is not operational: a peer's delivery.created has this form.
func Reserved(eventType string) bool {
	return strings.HasPrefix(eventType, "postrider.delivery.") || strings.HasPrefix(eventType, "postrider.webhook.")
}

var changeEvents = map[HealthChange]string{
	ChangeFailing: EventWebhookFailing, ChangeDisabled: EventWebhookDisabled, ChangeRecovered: EventWebhookRecovered,
}

// deliveryNews is the data of EventDeliveryPermanentlyFailed.
type deliveryNews struct {
	DeliveryID string     `json:"delivery_id"`
	EventID    string     `json:"event_id"`
	Event      string     `json:"event"`
	WebhookID  string     `json:"webhook_id"`
	Host       string     `json:"host"`
	Attempts   int        `json:"attempts"`
	StatusCode *int       `json:"status_code"`
	ErrorClass ErrorClass `json:"error_class"`
	Error      string     `json:"error"`
}

// webhookNews is the data of the events about webhooks.
type webhookNews struct {
	WebhookID           string     `json:"webhook_id"`
	Host                string     `json:"host"`
	ConsecutiveFailures int        `json:"consecutive_failures"`
	FailedDeliveries    int        `json:"failed_deliveries"`
	FirstFailureAt      *time.Time `json:"first_failure_at"`
	LastFailureAt       *time.Time `json:"last_failure_at"`
	LastSuccessAt       *time.Time `json:"last_success_at"`
	Error               string     `json:"error"`
}

// publishNews publishes what an attempt means for its delivery and its webhook, within the transaction that
// records the attempt, and returns the deliveries, whose workflows are to be started.
func (s *Store) publishNews(tx *gorm.DB, outcome Outcome, delivery Delivery, health WebhookHealth, change HealthChange) ([]Delivery, error) {
	var made []Delivery
	if outcome.Status == StatusPermanentlyFailed && !Operational(delivery.Event) {
		deliveries, err := s.publishOperational(tx, EventDeliveryPermanentlyFailed, delivery, deliveryNews{
			DeliveryID: delivery.ID, EventID: delivery.EventID, Event: delivery.Event, WebhookID: delivery.WebhookID,
			Host: delivery.Host, Attempts: outcome.Attempt.Number, StatusCode: outcome.Attempt.StatusCode,
			ErrorClass: outcome.Attempt.ErrorClass, Error: outcome.Attempt.Error,
		})
		if err != nil {
			return nil, err
		}
		made = deliveries
	}
	if change == "" {
		return made, nil
	}
	deliveries, err := s.publishOperational(tx, changeEvents[change], delivery, webhookNews{
		WebhookID: delivery.WebhookID, Host: delivery.Host, ConsecutiveFailures: health.ConsecutiveFailures,
		FailedDeliveries: health.FailedDeliveries, FirstFailureAt: health.FirstFailureAt,
		LastFailureAt: health.LastFailureAt, LastSuccessAt: health.LastSuccessAt, Error: outcome.Attempt.Error,
	})
	return slices.Concat(made, deliveries), err
}

// publishOperational stores an operational event and its deliveries; without any, there is no event either. A
// webhook gets no news of itself: while it fails they would only pile up.
func (s *Store) publishOperational(tx *gorm.DB, eventType string, about Delivery, news any) ([]Delivery, error) {
	data, err := json.Marshal(news)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", eventType, err)
	}
	now := s.Now()
	event := Event{ID: NewID(KindEvent, now), OwnerID: about.OwnerID, Type: eventType, Data: data, CreatedAt: now}
	deliveries, err := insertDeliveries(tx, event, about.WebhookID, nil)
	if err != nil || len(deliveries) == 0 {
		return nil, err
	}
	event.DeliveryCount = len(deliveries)
	return deliveries, tx.Create(&event).Error
}
