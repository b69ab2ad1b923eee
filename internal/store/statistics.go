package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

const (
	// settled is how long after its end an hour is counted: what began in it is recorded by then, but for what the
	// database was away for.
	settled = 5 * time.Minute
	// lateAfter is from when on what is recorded of an hour says that the hour is to be counted again. It is well below
	// settled, because the clocks of two processes differ.
	lateAfter = 2 * time.Minute
	// keptStatistics is for how long hours are kept, whatever the log is kept for.
	keptStatistics = 400 * 24 * time.Hour
)

// CountHour counts the next hour that is over and not counted yet, or again one of which something was recorded later,
// and says whether there was one. All of an hour is written in one transaction: however often it is counted, and whatever
// is killed meanwhile, it counts once.
func (s *Store) CountHour(ctx context.Context) (counted bool, err error) {
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		state, err := s.lockedState(tx)
		if err != nil {
			return err
		}
		hour, late, err := s.nextHour(tx, state)
		if err != nil || hour.IsZero() {
			return err
		}
		counted = true
		if err := writeHour(tx, hour); err != nil {
			return err
		}
		if late {
			return tx.Where("hour = ?", hour).Delete(&models.StatisticsLate{}).Error
		}
		if err := tx.Where("hour < ?", hour.Add(-keptStatistics)).Delete(&models.Statistics{}).Error; err != nil {
			return err
		}
		next, err := s.oldest(tx, hour.Add(time.Hour))
		if err != nil {
			return err
		}
		return tx.Model(&state).Where("id = 1").Update("counted_until", next).Error
	})
	if err != nil {
		return false, fmt.Errorf("count an hour: %w", err)
	}
	return counted, nil
}

// lockedState is how far the hours are counted, for this transaction alone. The first time, it begins with the oldest
// hour of the log.
func (s *Store) lockedState(tx *gorm.DB) (models.StatisticsState, error) {
	var state models.StatisticsState
	err := forUpdate(tx).Where("id = 1").Take(&state).Error
	if !errors.Is(err, gorm.ErrRecordNotFound) {
		return state, err
	}
	begin, err := s.oldest(tx, time.Unix(0, 0))
	if err != nil {
		return state, err
	}
	state = models.StatisticsState{ID: 1, CountedUntil: begin}
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&state).Error; err != nil {
		return state, err
	}
	return state, forUpdate(tx).Where("id = 1").Take(&state).Error
}

// oldest is the first hour from a time on of which the log has anything, or else the present one: hours in which nothing
// happened are passed over.
func (s *Store) oldest(tx *gorm.DB, from time.Time) (time.Time, error) {
	begin := s.Now().Add(-settled)
	var event models.Event
	var delivery models.Delivery
	var attempt models.Attempt
	for _, find := range []*gorm.DB{
		tx.Select("created_at").Where("id >= ?", typeid.First(typeid.KindEvent, from)).Order("id").Limit(1).Find(&event),
		tx.Select("created_at").Where("id >= ?", typeid.First(typeid.KindDelivery, from)).Order("id").Limit(1).Find(&delivery),
		tx.Select("started_at").Where("started_at >= ?", from.UTC()).Order("started_at").Limit(1).Find(&attempt),
	} {
		if find.Error != nil {
			return time.Time{}, find.Error
		}
	}
	for _, at := range []time.Time{event.CreatedAt, delivery.CreatedAt, attempt.StartedAt} {
		if !at.IsZero() && at.Before(begin) {
			begin = at
		}
	}
	return begin.UTC().Truncate(time.Hour), nil
}

// nextHour is what is to be counted; zero when nothing is.
func (s *Store) nextHour(tx *gorm.DB, state models.StatisticsState) (hour time.Time, late bool, err error) {
	if hour = state.CountedUntil.UTC(); !s.Now().Before(hour.Add(time.Hour + settled)) {
		return hour, false, nil
	}
	var marks []models.StatisticsLate
	if err := tx.Where("hour < ?", hour).Order("hour").Limit(1).Find(&marks).Error; err != nil || len(marks) == 0 {
		return time.Time{}, false, err
	}
	return marks[0].Hour.UTC(), true, nil
}

// statisticsBatch is how many rows one statement writes.
const statisticsBatch = 500

// writeHour counts an hour, in the place of what it was counted before.
func writeHour(tx *gorm.DB, hour time.Time) error {
	tallies, err := count(tx, hour, hour.Add(time.Hour), models.StatisticsFilter{})
	if err != nil {
		return err
	}
	if err := tx.Where("hour = ?", hour).Delete(&models.Statistics{}).Error; err != nil {
		return err
	}
	var rows []models.Statistics
	for key, tally := range tallies {
		if tally.Published == 0 && tally.Attempts == 0 {
			continue // of tests
		}
		rows = append(rows, models.Statistics{
			Subject: key.subject, Event: key.event, Hour: hour, Tally: *tally,
			PackedLatency: tally.Latency.Pack(), PackedDuration: tally.Duration.Pack(),
		})
	}
	if len(rows) == 0 {
		return nil
	}
	return tx.CreateInBatches(rows, statisticsBatch).Error
}

// markLate says that an hour has to be counted again, if it may have been counted before what is recorded now.
func (s *Store) markLate(tx *gorm.DB, begunAt time.Time) error {
	if !s.late(begunAt) {
		return nil
	}
	hour := models.StatisticsLate{Hour: begunAt.UTC().Truncate(time.Hour)}
	return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&hour).Error
}

func (s *Store) late(begunAt time.Time) bool {
	return s.Now().Sub(begunAt.UTC().Truncate(time.Hour)) > time.Hour+lateAfter
}

// Statistics counts what happened by hour. Hours that are over come from where they are counted, the others from the log.
// The webhooks and owners of a filter are those that the scope sees; the others count nothing.
func (s *Store) Statistics(ctx context.Context, scope models.Scope, filter models.StatisticsFilter) (map[time.Time]*models.Tally, error) {
	subjects, err := s.subjectsOf(ctx, scope, &filter)
	if err != nil {
		return nil, fmt.Errorf("read statistics: %w", err)
	}
	hours := map[time.Time]*models.Tally{}
	if len(subjects) == 0 {
		return hours, nil
	}
	// One state of the database: an hour that is counted meanwhile would else be missing, or there twice.
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var state models.StatisticsState
		if err := tx.Where("id = 1").Limit(1).Find(&state).Error; err != nil {
			return err
		}
		if err := readHours(tx, subjects, filter, state.CountedUntil, hours); err != nil {
			return err
		}
		return s.uncounted(tx, filter, state.CountedUntil, func(hour time.Time, tallies counted) {
			addHour(hours, hour, tallies.sum(subjects, filter.Events))
		})
	}, oneState(s.db))
	if err != nil {
		return nil, fmt.Errorf("read statistics: %w", err)
	}
	return hours, nil
}

// uncounted counts the hours of a filter that are not counted yet, from the log.
func (s *Store) uncounted(tx *gorm.DB, filter models.StatisticsFilter, until time.Time, add func(hour time.Time, tallies counted)) error {
	for hour := later(filter.From, until); hour.Before(filter.To) && !hour.After(s.Now()); hour = hour.Add(time.Hour) {
		tallies, err := count(tx, hour, hour.Add(time.Hour), filter)
		if err != nil {
			return err
		}
		add(hour, tallies)
	}
	return nil
}

// subjectsOf are the subjects that a filter asks for, as far as the scope sees them, and completes the filter by them.
func (s *Store) subjectsOf(ctx context.Context, scope models.Scope, filter *models.StatisticsFilter) ([]string, error) {
	if scope.OwnerID != "" {
		if len(filter.OwnerIDs) > 0 && !slices.Contains(filter.OwnerIDs, scope.OwnerID) {
			return nil, nil
		}
		filter.OwnerIDs = []string{scope.OwnerID}
	}
	if len(filter.WebhookIDs) == 0 {
		if len(filter.OwnerIDs) == 0 {
			return []string{""}, nil
		}
		return filter.OwnerIDs, nil
	}
	var ids []string
	q := s.db.WithContext(ctx).Model(&models.Webhook{}).Where("id IN ?", filter.WebhookIDs)
	err := is("owner_id", filter.OwnerIDs).on(q).Pluck("id", &ids).Error
	filter.WebhookIDs = ids
	return ids, err
}

// readHours adds the hours that are counted.
func readHours(tx *gorm.DB, subjects []string, filter models.StatisticsFilter, until time.Time, hours map[time.Time]*models.Tally) error {
	events := filter.Events
	if len(events) == 0 {
		events = []string{""}
	}
	var rows []models.Statistics
	q := tx.Where("hour >= ? AND hour < ?", filter.From.UTC(), earlier(filter.To, until).UTC())
	for _, filter := range []oneOf{is("subject", subjects), is("event", events)} {
		q = filter.on(q)
	}
	if err := q.Find(&rows).Error; err != nil {
		return err
	}
	for _, row := range rows {
		row.Latency, row.Duration = models.UnpackHistogram(row.PackedLatency), models.UnpackHistogram(row.PackedDuration)
		addHour(hours, row.Hour, row.Tally)
	}
	return nil
}

// sum adds what some subjects and types of events have.
func (c counted) sum(subjects, events []string) (sum models.Tally) {
	if len(events) == 0 {
		events = []string{""}
	}
	for _, subject := range subjects {
		for _, event := range slices.Compact(slices.Sorted(slices.Values(events))) {
			if tally := c[subjectEvent{subject, event}]; tally != nil {
				sum.Add(*tally)
			}
		}
	}
	return sum
}

func addHour(hours map[time.Time]*models.Tally, hour time.Time, tally models.Tally) {
	hour = hour.UTC()
	if hours[hour] == nil {
		hours[hour] = &models.Tally{}
	}
	hours[hour].Add(tally)
}

// oneState has all statements of a transaction see the same state of the database, as SQLite's do anyway.
func oneState(db *gorm.DB) *sql.TxOptions {
	if db.Name() == "postgres" {
		return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	return &sql.TxOptions{}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b.UTC()
	}
	return a.UTC()
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
