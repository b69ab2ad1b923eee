package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/postrider/postrider/models"
)

const webhookUsageSQL = `
SELECT w.owner_id, count(*) AS webhooks,
    count(*) FILTER (WHERE w.disabled_reason <> '') AS disabled,
    count(*) FILTER (WHERE w.disabled_reason = '' AND NOT w.active) AS paused,
    count(*) FILTER (WHERE w.disabled_reason = '' AND w.active AND h.failing_since IS NOT NULL) AS failing
FROM webhooks w LEFT JOIN webhook_health h ON h.webhook_id = w.id
WHERE w.owner_id IN ? AND w.deleted_at IS NULL
GROUP BY w.owner_id`

// OwnerUsages returns what owners have, by their IDs; one that has nothing is not among them.
func (s *Store) OwnerUsages(ctx context.Context, ids []string) (map[string]models.OwnerUsage, error) {
	db := s.db.WithContext(ctx)
	var webhooks, sources []models.OwnerUsage
	err := db.Raw(webhookUsageSQL, ids).Scan(&webhooks).Error
	if err == nil {
		err = db.Model(&models.Source{}).Select("owner_id", "count(*) AS sources").
			Where("owner_id IN ? AND deleted_at IS NULL", ids).Group("owner_id").Scan(&sources).Error
	}
	if err != nil {
		return nil, fmt.Errorf("count what owners have: %w", err)
	}
	usages := make(map[string]models.OwnerUsage, len(webhooks))
	for _, usage := range webhooks {
		usages[usage.OwnerID] = usage
	}
	for _, counted := range sources {
		usage := usages[counted.OwnerID]
		usage.OwnerID, usage.Sources = counted.OwnerID, counted.Sources
		usages[counted.OwnerID] = usage
	}
	return usages, nil
}

// likeEscapes keeps what somebody searches for from being a pattern.
var likeEscapes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// FindOwners returns the newest owners that have a text in their name or external_id, in capital letters or not; SQLite knows
// only those of ASCII. It looks at all owners.
func (s *Store) FindOwners(ctx context.Context, text string, most int) ([]models.Owner, error) {
	pattern := "%" + likeEscapes.Replace(text) + "%"
	var owners []models.Owner
	err := s.db.WithContext(ctx).
		Where(`deleted_at IS NULL AND (lower(name) LIKE lower(?) ESCAPE '\' OR lower(external_id) LIKE lower(?) ESCAPE '\')`, pattern, pattern).
		Order("id DESC").Limit(most).Find(&owners).Error
	if err != nil {
		return nil, fmt.Errorf("find owners: %w", err)
	}
	return owners, nil
}
