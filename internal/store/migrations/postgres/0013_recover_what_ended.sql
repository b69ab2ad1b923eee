-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE deliveries ADD COLUMN IF NOT EXISTS ended_at timestamptz,
    ADD COLUMN IF NOT EXISTS cancel_cause text NOT NULL DEFAULT '';
ALTER TABLE recoveries ADD COLUMN IF NOT EXISTS collected_at timestamptz;

-- What ended before did so with its last attempt, as far as the log can tell. Why it was cancelled was text.
UPDATE deliveries d
SET ended_at = COALESCE((SELECT max(a.started_at + a.duration_ms * interval '1 millisecond')
                         FROM attempts a WHERE a.delivery_id = d.id), d.created_at),
    cancel_cause = CASE
        WHEN d.status <> 'cancelled' THEN ''
        WHEN d.cancel_reason = 'the webhook was deleted' THEN 'deleted'
        WHEN d.cancel_reason = 'the webhook is paused' OR d.cancel_reason LIKE 'the webhook is disabled: %' THEN 'inactive'
        ELSE 'request' END
WHERE d.status IN ('permanently_failed', 'cancelled');
UPDATE recoveries SET include = 'failed' WHERE include = 'permanently_failed';

-- What did not reach its receiver, by when it ended. What arrives never gets into this index. A process of the version
-- before, which runs while a new one is deployed, leaves ended_at empty.
CREATE INDEX CONCURRENTLY deliveries_unreached ON deliveries (webhook_id, COALESCE(ended_at, created_at), id)
    WHERE status IN ('permanently_failed', 'cancelled');

-- +goose Down
DROP INDEX CONCURRENTLY deliveries_unreached;
UPDATE recoveries SET include = 'permanently_failed' WHERE include IN ('failed', 'missed');
ALTER TABLE recoveries DROP COLUMN collected_at;
ALTER TABLE deliveries DROP COLUMN cancel_cause, DROP COLUMN ended_at;
