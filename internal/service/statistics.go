package service

import (
	"context"
	"fmt"
	"time"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

type statisticsStore interface {
	Statistics(ctx context.Context, scope models.Scope, filter models.StatisticsFilter) (map[time.Time]*models.Tally, error)
	CountedHours(ctx context.Context, webhookIDs []string, from time.Time) ([]models.Statistics, error)
}

// The intervals of statistics.
const (
	IntervalHour = "hour"
	IntervalDay  = "day"
)

// maxPoints is how many intervals one call tells of.
const maxPoints = 1000

// Point is what happened in an interval.
type Point struct {
	From time.Time
	models.Tally
}

// Statistics tells what happened from a time up to another in each interval, those without anything included. Without
// times, it tells of the last day by hours, or of the last thirty days by days. Intervals begin on the hour, or at
// midnight UTC.
func (s *Service) Statistics(ctx context.Context, who Caller, filter models.StatisticsFilter, interval string) ([]Point, error) {
	for _, err := range []error{
		checkFilter(typeid.KindWebhook, "webhook_id", filter.WebhookIDs), s.ownerFilter(ctx, who, &filter.OwnerIDs),
		checkEventFilter(filter.Events),
	} {
		if err != nil {
			return nil, err
		}
	}
	step, err := s.intervals(&filter, interval)
	if err != nil {
		return nil, err
	}
	hours, err := s.store.Statistics(ctx, who.scope(), filter)
	if err != nil {
		return nil, err
	}
	return pointsOf(hours, filter, step), nil
}

// intervals completes the times of a filter to whole intervals, and returns how long one is.
func (s *Service) intervals(filter *models.StatisticsFilter, interval string) (time.Duration, error) {
	step, span := time.Hour, 24*time.Hour
	if interval == IntervalDay {
		step, span = 24*time.Hour, 30*24*time.Hour
	}
	if filter.To.IsZero() {
		filter.To = s.now()
	}
	if filter.From.IsZero() {
		filter.From = filter.To.Add(-span)
	}
	if !filter.From.Before(filter.To) {
		return 0, invalid("from", "expected a time before to, which is now when left out")
	}
	filter.From = filter.From.UTC().Truncate(step)
	if filter.From.Year() < 1 {
		return 0, invalid("from", "expected a time after the year 1; there is nothing before")
	}
	if end := filter.To.UTC().Truncate(step); end.Before(filter.To) {
		filter.To = end.Add(step)
	}
	if filter.To.Sub(filter.From)/step > maxPoints {
		return 0, invalid("from", fmt.Sprintf("expected at most %d intervals: a later time, or interval=day", maxPoints))
	}
	return step, nil
}

// pointsOf adds up the hours of each interval.
func pointsOf(hours map[time.Time]*models.Tally, filter models.StatisticsFilter, step time.Duration) (points []Point) {
	for at := filter.From; at.Before(filter.To); at = at.Add(step) {
		point := Point{From: at}
		for hour := at; hour.Before(at.Add(step)); hour = hour.Add(time.Hour) {
			if tally := hours[hour]; tally != nil {
				point.Add(*tally)
			}
		}
		points = append(points, point)
	}
	return points
}

// LastDay tells of the last 24 hours that are over of each webhook that a caller was shown, by ID: those in which nothing
// happened included, and those that are not counted yet as if nothing had. It is one statement, however many they are.
func (s *Service) LastDay(ctx context.Context, webhooks ...Webhook) (map[string][]Point, error) {
	const hours = 24
	from := s.now().UTC().Truncate(time.Hour).Add(-hours * time.Hour)
	points, ids := make(map[string][]Point, len(webhooks)), make([]string, len(webhooks))
	for i, webhook := range webhooks {
		day := make([]Point, hours)
		for hour := range day {
			day[hour].From = from.Add(time.Duration(hour) * time.Hour)
		}
		ids[i], points[webhook.ID] = webhook.ID, day
	}
	counted, err := s.store.CountedHours(ctx, ids, from)
	if err != nil {
		return nil, err
	}
	for _, row := range counted {
		if hour := int(row.Hour.Sub(from) / time.Hour); hour < hours {
			points[row.Subject][hour].Tally = row.Tally
		}
	}
	return points, nil
}
