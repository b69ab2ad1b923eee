-- +goose NO TRANSACTION
-- +goose Up
-- What failed at first and had no workflow yet: almost nothing at any time.
CREATE INDEX CONCURRENTLY deliveries_unstarted ON deliveries (id)
    WHERE run_id = '' AND status IN ('failed', 'permanently_failed');

-- +goose Down
DROP INDEX CONCURRENTLY deliveries_unstarted;
