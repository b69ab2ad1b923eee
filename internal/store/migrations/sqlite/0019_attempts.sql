-- +goose Up
-- Of webhook and owner, the last seven digits of the ID: half of what an entry would otherwise be, in an index that every
-- attempt gets into.
ALTER TABLE attempts ADD COLUMN request_headers blob;
ALTER TABLE attempts ADD COLUMN response_headers blob;
ALTER TABLE attempts ADD COLUMN webhook_key text NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN owner_key text NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN gave_up boolean;

-- Attempts that were made before.
UPDATE attempts
SET webhook_key = substr(d.webhook_id, -7), owner_key = substr(d.owner_id, -7),
    gave_up = CASE WHEN d.status = 'permanently_failed' AND attempts.number = d.attempt_count THEN TRUE END
FROM deliveries d WHERE d.id = attempts.delivery_id;

CREATE INDEX attempts_started ON attempts (started_at);
CREATE INDEX attempts_webhook ON attempts (webhook_key, started_at);
CREATE INDEX attempts_owner ON attempts (owner_key, started_at);
-- What people look for. Attempts that succeed never get into these indexes.
CREATE INDEX attempts_failed ON attempts (error_class, started_at) WHERE error_class <> '';
CREATE INDEX attempts_failed_webhook ON attempts (webhook_key, error_class, started_at) WHERE error_class <> '';
CREATE INDEX attempts_failed_owner ON attempts (owner_key, error_class, started_at) WHERE error_class <> '';

-- +goose Down
DROP INDEX attempts_failed_owner;
DROP INDEX attempts_failed_webhook;
DROP INDEX attempts_failed;
DROP INDEX attempts_owner;
DROP INDEX attempts_webhook;
DROP INDEX attempts_started;
ALTER TABLE attempts DROP COLUMN gave_up;
ALTER TABLE attempts DROP COLUMN owner_key;
ALTER TABLE attempts DROP COLUMN webhook_key;
ALTER TABLE attempts DROP COLUMN response_headers;
ALTER TABLE attempts DROP COLUMN request_headers;
