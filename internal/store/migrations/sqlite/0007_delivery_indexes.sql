-- +goose Up
-- What failed at first and had no workflow yet: almost nothing at any time.
CREATE INDEX deliveries_unstarted ON deliveries (id)
    WHERE run_id = '' AND status IN ('failed', 'permanently_failed');
-- What people look for. Deliveries that arrive at once never get into these indexes.
CREATE INDEX deliveries_webhook_status ON deliveries (webhook_id, status, id)
    WHERE status IN ('failed', 'permanently_failed', 'cancelled');
CREATE INDEX deliveries_owner_status ON deliveries (owner_id, status, id)
    WHERE status IN ('failed', 'permanently_failed', 'cancelled');

-- +goose Down
DROP INDEX deliveries_owner_status;
DROP INDEX deliveries_webhook_status;
DROP INDEX deliveries_unstarted;
