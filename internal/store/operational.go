package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

var changeEvents = map[models.HealthChange]string{
	models.ChangeFailing: models.EventWebhookFailing, models.ChangeDisabled: models.EventWebhookDisabled, models.ChangeRecovered: models.EventWebhookRecovered,
}

// deliveryNews is the data of EventDeliveryPermanentlyFailed.
type deliveryNews struct {
	DeliveryID string            `json:"delivery_id"`
	EventID    string            `json:"event_id"`
	Event      string            `json:"event"`
	WebhookID  string            `json:"webhook_id"`
	Host       string            `json:"host"`
	Attempts   int               `json:"attempts"`
	StatusCode *int              `json:"status_code"`
	ErrorClass models.ErrorClass `json:"error_class"`
	Error      string            `json:"error"`
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
func (s *Store) publishNews(tx *gorm.DB, outcome models.Outcome, delivery models.Delivery, health models.WebhookHealth, change models.HealthChange) ([]models.Delivery, error) {
	var made []models.Delivery
	if outcome.Status == models.StatusPermanentlyFailed && !models.Operational(delivery.Event) {
		deliveries, err := s.publishOperational(tx, models.EventDeliveryPermanentlyFailed, delivery, deliveryNews{
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
func (s *Store) publishOperational(tx *gorm.DB, eventType string, about models.Delivery, news any) ([]models.Delivery, error) {
	data, err := json.Marshal(news)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", eventType, err)
	}
	event := models.Event{OwnerID: about.OwnerID, Type: eventType, Data: data}
	s.identify(&event)
	published, err := s.insertEvent(tx, event, insertion{except: about.WebhookID, onlyMatched: true})
	return published.Deliveries, err
}
