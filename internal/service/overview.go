package service

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/postrider/postrider/models"
)

type overviewStore interface {
	Overview(ctx context.Context, scope models.Scope, filter models.StatisticsFilter) (models.Overview, error)
	Backlog(ctx context.Context, scope models.Scope) (models.Backlog, error)
	UnmatchedEvents(ctx context.Context, scope models.Scope, since, until time.Time) (models.Unmatched, error)
	Facts(ctx context.Context) (models.DatabaseFacts, error)
}

// Overview is how an installation does, or what an owner has of it.
type Overview struct {
	// From and To are the whole intervals that it tells of, and Interval is how long each is.
	From, To  time.Time
	Interval  time.Duration
	Points    []Point
	Worst     []WorstWebhook
	Backlog   models.Backlog
	Unmatched models.Unmatched
	// Failures are the deliveries made in that time that failed, the newest.
	Failures []models.Delivery
}

// WorstWebhook is a webhook of which many attempts failed.
type WorstWebhook struct {
	Webhook
	models.Tally
}

// newestFailures is how many failed deliveries an overview has.
const newestFailures = 10

// Overview tells what happened from a time up to another in each interval, as Statistics does, which webhooks failed most in
// that time, which events matched nobody, and what waits now.
func (s *Service) Overview(ctx context.Context, who Caller, from, to time.Time, interval string) (Overview, error) {
	filter := models.StatisticsFilter{From: from, To: to}
	step, err := s.intervals(&filter, interval)
	if err != nil {
		return Overview{}, err
	}
	shown := Overview{From: filter.From, To: filter.To, Interval: step}
	parts := []func() error{
		func() error {
			found, err := s.store.Overview(ctx, who.scope(), filter)
			if err != nil {
				return err
			}
			shown.Points = pointsOf(found.Hours, filter, step)
			shown.Worst, err = s.worstWebhooks(ctx, found.Worst)
			return err
		},
		func() (err error) {
			shown.Backlog, err = s.store.Backlog(ctx, who.scope())
			return err
		},
		func() (err error) {
			shown.Unmatched, err = s.store.UnmatchedEvents(ctx, who.scope(), filter.From, filter.To)
			return err
		},
		func() (err error) {
			shown.Failures, _, err = s.ListDeliveries(ctx, who, models.DeliveryFilter{
				Statuses: []models.Status{models.StatusFailed, models.StatusPermanentlyFailed}, Since: filter.From, Until: filter.To,
			}, models.Page{Limit: newestFailures})
			return err
		},
	}
	errs := make([]error, len(parts))
	var all sync.WaitGroup
	for i, part := range parts {
		all.Go(func() { errs[i] = part() })
	}
	all.Wait()
	return shown, errors.Join(errs...)
}

func (s *Service) worstWebhooks(ctx context.Context, worst []models.WebhookTally) ([]WorstWebhook, error) {
	webhooks := make([]models.Webhook, len(worst))
	for i, of := range worst {
		webhooks[i] = of.Webhook
	}
	shown, err := s.shownWebhooks(ctx, webhooks...)
	if err != nil {
		return nil, err
	}
	with := make([]WorstWebhook, len(worst))
	for i, of := range worst {
		with[i] = WorstWebhook{Webhook: shown[i], Tally: of.Tally}
	}
	return with, nil
}

// DatabaseFacts tells an administrator of the database.
func (s *Service) DatabaseFacts(ctx context.Context, who Caller) (models.DatabaseFacts, error) {
	if err := onlyAdmins(who); err != nil {
		return models.DatabaseFacts{}, err
	}
	return s.store.Facts(ctx)
}
