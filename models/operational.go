package models

import (
	"slices"
	"strings"
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
