package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// mostWorst is how many webhooks an overview names.
const mostWorst = 10

// Overview tells what happened in the hours of a filter, and to which webhooks the worst. The filter has no webhooks and no
// events.
func (s *Store) Overview(ctx context.Context, scope models.Scope, filter models.StatisticsFilter) (models.Overview, error) {
	overview := models.Overview{Hours: map[time.Time]*models.Tally{}}
	subjects, err := s.subjectsOf(ctx, scope, &filter)
	if err != nil {
		return overview, fmt.Errorf("read overview: %w", err)
	}
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var state models.StatisticsState
		if err := tx.Where("id = 1").Limit(1).Find(&state).Error; err != nil {
			return err
		}
		if err := readHours(tx, subjects, filter, state.CountedUntil, overview.Hours); err != nil {
			return err
		}
		webhooks := map[string]*models.Tally{}
		err := s.uncounted(tx, filter, state.CountedUntil, func(hour time.Time, tallies counted) {
			addHour(overview.Hours, hour, tallies.sum(subjects, nil))
			for of, tally := range tallies {
				if of.event == "" && typeid.Is(typeid.KindWebhook, of.subject) && tally.Failed > 0 {
					if webhooks[of.subject] == nil {
						webhooks[of.subject] = &models.Tally{}
					}
					webhooks[of.subject].Add(*tally)
				}
			}
		})
		if err != nil {
			return err
		}
		overview.Worst, err = worst(tx, scope, filter, state.CountedUntil, webhooks)
		return err
	}, oneState(s.db))
	if err != nil {
		return overview, fmt.Errorf("read overview: %w", err)
	}
	return overview, nil
}

// worst finds the webhooks that failed most, of those that did in the hours that are counted and of those that did since,
// which are given.
func worst(tx *gorm.DB, scope models.Scope, filter models.StatisticsFilter, until time.Time, since map[string]*models.Tally) ([]models.WebhookTally, error) {
	filter.To = earlier(filter.To, until)
	var failed []string
	q := tx.Model(&models.Statistics{}).Where("event = '' AND failed > 0 AND hour >= ? AND hour < ?", filter.From.UTC(), filter.To.UTC()).
		Where("subject >= ? AND subject < ?", typeid.KindWebhook+"_", typeid.KindWebhook+"`")
	if scope.OwnerID != "" {
		q = q.Where("subject IN (?)", visible(scope, tx.Model(&models.Webhook{}).Select("id")))
	}
	if err := q.Group("subject").Order("sum(failed) DESC").Limit(mostWorst).Pluck("subject", &failed).Error; err != nil {
		return nil, err
	}
	recent := slices.SortedFunc(maps.Keys(since), func(a, b string) int {
		return cmp.Or(cmp.Compare(since[b].Failed, since[a].Failed), cmp.Compare(a, b))
	})
	failed = append(failed, recent[:min(len(recent), mostWorst)]...)
	var webhooks []models.Webhook
	if err := tx.Where("id IN ? AND deleted_at IS NULL", failed).Find(&webhooks).Error; err != nil {
		return nil, err
	}
	var sums []models.Statistics
	err := tx.Model(&models.Statistics{}).
		Select("subject, sum(published) AS published, sum(delivered) AS delivered, sum(given_up) AS given_up, sum(attempts) AS attempts, sum(failed) AS failed").
		Where("subject IN ? AND event = '' AND hour >= ? AND hour < ?", failed, filter.From.UTC(), filter.To.UTC()).Group("subject").Find(&sums).Error
	if err != nil {
		return nil, err
	}
	for _, sum := range sums {
		if since[sum.Subject] == nil {
			since[sum.Subject] = &models.Tally{}
		}
		since[sum.Subject].Add(sum.Tally)
	}
	tallies := make([]models.WebhookTally, len(webhooks))
	for i, webhook := range webhooks {
		tallies[i] = models.WebhookTally{Webhook: webhook, Tally: *since[webhook.ID]}
	}
	slices.SortFunc(tallies, func(a, b models.WebhookTally) int {
		return cmp.Or(cmp.Compare(b.Failed, a.Failed), cmp.Compare(a.ID, b.ID))
	})
	return tallies[:min(len(tallies), mostWorst)], nil
}

// pendingSQL counts the oldest that are pending. An owner's are among them: another index, which each delivery would get into
// and out of, is not worth it.
const pendingSQL = `
SELECT count(*) AS looked,
    COALESCE(sum(CASE WHEN mine AND place IS NOT NULL THEN 1 ELSE 0 END), 0) AS queued,
    COALESCE(sum(CASE WHEN mine AND place IS NULL AND later THEN 1 ELSE 0 END), 0) AS later,
    COALESCE(sum(CASE WHEN mine AND place IS NULL AND NOT later THEN 1 ELSE 0 END), 0) AS due,
    COALESCE(min(CASE WHEN mine AND place IS NULL AND NOT later THEN id END), '') AS oldest
FROM (SELECT id, place, next_attempt_at IS NOT NULL AND next_attempt_at > @now AS later, @owner = '' OR owner_id = @owner AS mine
    FROM deliveries WHERE status = 'pending' ORDER BY id LIMIT @most) pending`

const retryingSQL = `SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE status = 'failed' LIMIT @most) retrying`

const retryingOfSQL = `SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE owner_id = @owner AND status = 'failed' LIMIT @most) retrying`

// Backlog counts what has not ended, as far as models.BacklogBound.
func (s *Store) Backlog(ctx context.Context, scope models.Scope) (models.Backlog, error) {
	db := s.db.WithContext(ctx)
	var pending struct {
		Looked, Queued, Later, Due int64
		Oldest                     string
	}
	var backlog models.Backlog
	values := map[string]any{"now": s.Now(), "owner": scope.OwnerID, "most": models.BacklogBound + 1}
	if err := db.Raw(pendingSQL, values).Scan(&pending).Error; err != nil {
		return backlog, fmt.Errorf("count backlog: %w", err)
	}
	statement := retryingSQL
	if scope.OwnerID != "" {
		statement = retryingOfSQL
	}
	if err := db.Raw(statement, values).Scan(&backlog.Retrying).Error; err != nil {
		return backlog, fmt.Errorf("count backlog: %w", err)
	}
	backlog.Due, backlog.Later, backlog.Queued = pending.Due, pending.Later, pending.Queued
	backlog.MorePending, backlog.MoreRetrying = pending.Looked > models.BacklogBound, backlog.Retrying > models.BacklogBound
	backlog.Retrying = min(backlog.Retrying, models.BacklogBound)
	if pending.Oldest == "" {
		return backlog, nil
	}
	var oldest []models.Delivery
	if err := db.Where("id = ?", pending.Oldest).Find(&oldest).Error; err != nil {
		return backlog, fmt.Errorf("count backlog: %w", err)
	}
	if len(oldest) > 0 {
		backlog.Oldest = &oldest[0]
	}
	return backlog, nil
}

// mostUnmatched is how many types of events that match nobody are named.
const mostUnmatched = 10

// UnmatchedEvents looks at the newest events made at or after since and before until for those that matched nobody. What was
// published to all is nobody's, and only an administrator's.
func (s *Store) UnmatchedEvents(ctx context.Context, scope models.Scope, since, until time.Time) (models.Unmatched, error) {
	db := s.db.WithContext(ctx)
	var unmatched models.Unmatched
	newest := func() *gorm.DB {
		return visible(scope, db.Model(&models.Event{}).Select("id, event, deliveries")).
			Where("id >= ? AND id < ?", typeid.First(typeid.KindEvent, since), typeid.First(typeid.KindEvent, until)).
			Order("id DESC").Limit(models.UnmatchedBound)
	}
	if err := db.Table("(?) newest", newest()).Count(&unmatched.Looked).Error; err != nil {
		return unmatched, fmt.Errorf("look for unmatched events: %w", err)
	}
	err := db.Table("(?) newest", newest()).Select("event, count(*) AS count, max(id) AS last_id").Where("deliveries = 0").
		Group("event").Order("count(*) DESC, event").Limit(mostUnmatched).Find(&unmatched.Types).Error
	if err != nil || len(unmatched.Types) == 0 {
		return unmatched, err
	}
	ids := make([]string, len(unmatched.Types))
	for i, of := range unmatched.Types {
		ids[i] = of.LastID
	}
	var last []models.Event
	if err := db.Select("id", "created_at").Where("id IN ?", ids).Find(&last).Error; err != nil {
		return unmatched, fmt.Errorf("look for unmatched events: %w", err)
	}
	for _, event := range last {
		unmatched.Types[slices.Index(ids, event.ID)].LastAt = event.CreatedAt
	}
	return unmatched, nil
}
