package store

import (
	"context"
	"fmt"

	"github.com/postrider/postrider/models"
)

// Facts tells what an operator wants to know of the database.
func (s *Store) Facts(ctx context.Context) (models.DatabaseFacts, error) {
	facts := models.DatabaseFacts{Kind: s.db.Name()}
	db := s.db.WithContext(ctx)
	var state models.StatisticsState
	version, size := "SELECT current_setting('server_version')", "SELECT pg_database_size(current_database())"
	if facts.Kind == "sqlite" {
		version, size = "SELECT sqlite_version()", "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	}
	for _, err := range []error{
		db.Raw(version).Scan(&facts.Version).Error,
		db.Raw(size).Scan(&facts.Bytes).Error,
		db.Raw("SELECT max(version_id) FROM goose_db_version").Scan(&facts.Schema).Error,
		db.Raw("SELECT count(*) FROM (SELECT 1 FROM sessions WHERE ended_at IS NULL AND expires_at > ? AND token_hash IS NOT NULL LIMIT ?) sessions",
			s.Now(), models.SessionsBound+1).Scan(&facts.Sessions).Error,
		db.Where("id = 1").Limit(1).Find(&state).Error,
	} {
		if err != nil {
			return facts, fmt.Errorf("read facts of the database: %w", err)
		}
	}
	if !state.CountedUntil.IsZero() {
		facts.CountedUntil = &state.CountedUntil
	}
	pool, err := s.db.DB()
	if err != nil {
		return facts, fmt.Errorf("read facts of the database: %w", err)
	}
	stats := pool.Stats()
	facts.Open, facts.InUse, facts.MostOpen, facts.Waited = stats.OpenConnections, stats.InUse, stats.MaxOpenConnections, stats.WaitCount
	return facts, nil
}
