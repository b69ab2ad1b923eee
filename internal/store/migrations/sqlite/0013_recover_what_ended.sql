-- +goose Up
ALTER TABLE deliveries ADD COLUMN ended_at datetime;
ALTER TABLE deliveries ADD COLUMN cancel_cause text NOT NULL DEFAULT '';
ALTER TABLE recoveries ADD COLUMN collected_at datetime;

-- What ended before did so with its last attempt, as far as the log can tell, to the millisecond above. Why it was
-- cancelled was text.
UPDATE deliveries
SET ended_at = COALESCE((SELECT max(strftime('%Y-%m-%d %H:%M:%f+00:00', a.started_at, ((a.duration_ms + 1) / 1000.0) || ' seconds'))
                         FROM attempts a WHERE a.delivery_id = deliveries.id), created_at),
    cancel_cause = CASE
        WHEN status <> 'cancelled' THEN ''
        WHEN cancel_reason = 'the webhook was deleted' THEN 'deleted'
        WHEN cancel_reason = 'the webhook is paused' OR cancel_reason LIKE 'the webhook is disabled: %' THEN 'inactive'
        ELSE 'request' END
WHERE status IN ('permanently_failed', 'cancelled');
UPDATE recoveries SET include = 'failed' WHERE include = 'permanently_failed';

-- What did not reach its receiver, by when it ended. What arrives never gets into this index. A process of the version
-- before, which runs while a new one is deployed, leaves ended_at empty.
CREATE INDEX deliveries_unreached ON deliveries (webhook_id, COALESCE(ended_at, created_at), id)
    WHERE status IN ('permanently_failed', 'cancelled');

-- +goose Down
DROP INDEX deliveries_unreached;
UPDATE recoveries SET include = 'permanently_failed' WHERE include IN ('failed', 'missed');
ALTER TABLE recoveries DROP COLUMN collected_at;
ALTER TABLE deliveries DROP COLUMN cancel_cause;
ALTER TABLE deliveries DROP COLUMN ended_at;
