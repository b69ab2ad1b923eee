package view

import (
	"context"
	"strings"

	"github.com/postrider/postrider/internal/service"
)

// Webhooks is a page of the list.
type Webhooks struct {
	Filter   WebhookFilter
	Webhooks []service.Webhook
	// Days are the last 24 hours of each, by ID.
	Days map[string][]service.Point
	// Owners are the names of their owners, by ID.
	Owners map[string]string
	Pager  Pager
}

// WebhookFilter is the list's filter as the address has it.
type WebhookFilter struct{ OwnerID, ExternalID, Active string }

func (f WebhookFilter) narrows() bool { return f.OwnerID+f.ExternalID+f.Active != "" }

// standingUnused is of a webhook that nothing was sent to.
const standingUnused = "unused"

// standing says in a word how a webhook is: its health, unless it gets nothing.
func standing(w service.Webhook) string {
	switch {
	case w.Suspended:
		return "suspended"
	case w.DisabledReason != "":
		return service.HealthDisabled
	case !w.Active:
		return "paused"
	case w.Health.LastSuccessAt == nil && w.Health.LastFailureAt == nil:
		return standingUnused
	}
	return w.HealthStatus()
}

// healthOf says in sentences how a webhook's receiver is, and what to do.
func healthOf(ctx context.Context, w service.Webhook) Explanation {
	h := w.Health
	switch standing(w) {
	case "suspended":
		return Explanation{What: say(ctx, "Its owner is suspended: it gets nothing."), Do: say(ctx, "An administrator can end the suspension.")}
	case service.HealthDisabled:
		return Explanation{
			What: say(ctx, "Postrider disabled it: %s.", strings.TrimSuffix(w.DisabledReason, ".")),
			Do:   say(ctx, "Mend the receiver and test it, then resume the webhook and recover what did not arrive."),
		}
	case "paused":
		return Explanation{What: say(ctx, "It is paused: it gets nothing."), Do: say(ctx, "Resume it, then recover what it missed.")}
	case service.HealthFailing:
		return Explanation{
			What: say(ctx, "The last %d attempts failed, and %d deliveries were given up.", h.ConsecutiveFailures, h.FailedDeliveries),
			Do:   say(ctx, "The newest failed delivery says why. Mend the receiver and test it, then recover what did not arrive."),
		}
	case standingUnused:
		return Explanation{What: say(ctx, "Nothing was sent to it yet."), Do: say(ctx, "Test it to see that its receiver answers.")}
	}
	switch {
	case h.ThrottledUntil != nil:
		return Explanation{What: say(ctx, "The receiver has too much to do: first attempts wait a little."), Do: say(ctx, "If that happens often, give the webhook a rate limit.")}
	case h.FailedDeliveries > 0:
		return Explanation{
			What: say(ctx, "%d deliveries in a row were given up.", h.FailedDeliveries),
			Do:   say(ctx, "The newest failed delivery says why. Mend the receiver and test it, then recover what did not arrive."),
		}
	case h.ConsecutiveFailures == 1:
		return Explanation{What: say(ctx, "The last attempt failed."), Do: say(ctx, "What failed is tried again by itself.")}
	case h.ConsecutiveFailures > 1:
		return Explanation{What: say(ctx, "The last %d attempts failed.", h.ConsecutiveFailures), Do: say(ctx, "What failed is tried again by itself; the newest failed delivery says why it failed.")}
	}
	return Explanation{What: say(ctx, "The receiver takes what is sent to it.")}
}

// fewPatterns is how many of a webhook's patterns its line in the list shows.
const fewPatterns = 3
