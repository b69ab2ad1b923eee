package view

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// Webhook is all that is shown of one.
type Webhook struct {
	service.Webhook
	// Owner is the name of its owner, for administrators.
	Owner string
	// Day are the last 24 hours, the present one included.
	Day []service.Point
	// Newest are its newest deliveries.
	Newest []models.Delivery
	// Recovery is the one that goes on; nil without one.
	Recovery *models.Recovery
	// Types are the event types of the catalogue.
	Types []string
	Now   time.Time
}

// recoverSince is the time that a recovery is offered from: the first failure, or a day ago.
func (w Webhook) recoverSince() string {
	if at := w.Health.FirstFailureAt; at != nil {
		return exact(*at)
	}
	return exact(w.Now.Add(-24 * time.Hour).Truncate(time.Second))
}

// offersRecovery says that there is something to recover.
func (w Webhook) offersRecovery() bool {
	return w.Recovery == nil && w.Active && w.Health.FailedDeliveries > 0
}

// exactly is a pattern of HTML that a text alone matches.
func exactly(text string) string { return strings.ReplaceAll(regexp.QuoteMeta(text), "-", `\-`) }

// bars are the webhook's last day, each hour with a link to its deliveries.
func (w Webhook) bars() Bars {
	return Bars{Points: w.Day, Width: 960, Height: 120, Link: func(ctx context.Context, from, to time.Time) string {
		return webhookHour(ctx, w.ID, from, to)
	}}
}

func webhookHour(ctx context.Context, id string, from, until time.Time) string {
	return to(ctx, "/deliveries", "webhook_id", id, "since", exact(from), "until", exact(until))
}

// schedule is a retry schedule in words.
func schedule(ctx context.Context, of models.RetrySchedule) string {
	switch {
	case of == nil:
		return say(ctx, "the installation's")
	case len(of) == 0:
		return say(ctx, "no retries")
	}
	return strings.Join(of.Texts(), ", ")
}

// rate is a limit of requests in words.
func rate(ctx context.Context, of *float64) string {
	if of == nil {
		return say(ctx, "none")
	}
	return say(ctx, "%s requests a second", number(*of))
}

// timeLimit is how long an attempt may take, in words.
func timeLimit(ctx context.Context, of time.Duration) string {
	if of == 0 {
		return say(ctx, "the installation's")
	}
	return models.FormatDuration(of)
}

// signsIn says how requests sign in, without what is secret.
func signsIn(ctx context.Context, of *models.Auth) string {
	switch {
	case of == nil:
		return say(ctx, "not at all")
	case of.Basic != nil:
		return say(ctx, "a user name and a password")
	case of.Bearer != nil:
		return say(ctx, "a bearer token")
	}
	return say(ctx, "OAuth 2 with tokens from %s for the client %s", of.OAuth2.TokenURL, of.OAuth2.ClientID)
}
