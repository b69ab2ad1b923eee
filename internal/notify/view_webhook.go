package notify

import (
	"strconv"
	"time"
)

func (n Failing) view(host string) view {
	webhook := clean(n.WebhookID, maxID)
	outlook := "Postrider goes on trying: the webhook still gets every new event."
	if !n.DisabledAt.IsZero() {
		outlook += " If no delivery succeeds before " + moment(n.DisabledAt) + ", Postrider will disable the webhook."
	}
	steps := []step{{"See which deliveries failed:", failedDeliveriesCommand(n.APIURL, webhook)}}
	if !n.FailingSince.IsZero() {
		steps = append(steps, step{
			"What was given up is not tried again by itself. Once the receiver works again, resend everything that failed:",
			recoverCommand(n.APIURL, webhook, n.FailingSince, false),
		})
	}
	return view{
		Heading: "Webhook failing",
		Subject: host,
		Intro:   "One of your webhooks has begun to fail.",
		Facts:   append(n.facts(), fact{"Last error", n.lastError()}),
		Outlook: outlook,
		Steps:   steps,
	}
}

func (n Disabled) view(host string) view {
	webhook := clean(n.WebhookID, maxID)
	reason, last := clean(n.DisabledReason, maxError), n.lastError()
	if last == reason {
		last = "" // one answer, as 410 Gone, was both
	}
	facts := append([]fact{{"Reason", reason}, {"Disabled", momentOrNothing(n.DisabledAt)}}, n.facts()...)
	steps := []step{{"Once the receiver works again, enable the webhook:", enableCommand(n.APIURL, webhook)}}
	if !n.FailingSince.IsZero() {
		steps = append(steps, step{
			"Then send again what was given up or cancelled, and what was published meanwhile:",
			recoverCommand(n.APIURL, webhook, n.FailingSince, true),
		})
	}
	return view{
		Heading: "Webhook disabled",
		Subject: host,
		Intro:   "Postrider has disabled one of your webhooks.",
		Facts:   append(facts, fact{"Last error", last}),
		Outlook: "The webhook gets no further events, and deliveries that wait for their next attempt are cancelled.",
		Steps:   steps,
	}
}

// facts say since when and how much a webhook has failed.
func (f Failures) facts() []fact {
	success := "never"
	if f.LastSuccessAt != nil {
		success = moment(*f.LastSuccessAt)
	}
	return []fact{
		{"Failing since", momentOrNothing(f.FailingSince)},
		{"Given up", deliveries(f.FailedDeliveries)},
		{"Last success", success},
	}
}

func deliveries(count int) string {
	switch {
	case count <= 0:
		return ""
	case count == 1:
		return "1 delivery"
	}
	return strconv.Itoa(count) + " deliveries"
}

func momentOrNothing(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return moment(t)
}
