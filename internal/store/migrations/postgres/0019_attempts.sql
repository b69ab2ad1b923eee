-- +goose NO TRANSACTION
-- +goose Up
-- Of webhook and owner, the last seven digits of the ID: half of what an entry would otherwise be, in an index that every
-- attempt gets into.
ALTER TABLE attempts ADD COLUMN IF NOT EXISTS request_headers bytea, ADD COLUMN IF NOT EXISTS response_headers bytea,
    ADD COLUMN IF NOT EXISTS webhook_key text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS owner_key text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS gave_up boolean;

-- Attempts that were made before, in batches: deliveries go on meanwhile.
-- +goose StatementBegin
DO $$
DECLARE
    after text := '';
    last text;
BEGIN
    LOOP
        SELECT max(id) INTO last FROM (SELECT id FROM attempts WHERE id > after ORDER BY id LIMIT 5000) batch;
        EXIT WHEN last IS NULL;
        UPDATE attempts a
        SET webhook_key = right(d.webhook_id, 7), owner_key = right(d.owner_id, 7),
            gave_up = CASE WHEN d.status = 'permanently_failed' AND a.number = d.attempt_count THEN TRUE END
        FROM deliveries d WHERE d.id = a.delivery_id AND a.id > after AND a.id <= last AND a.webhook_key = '';
        COMMIT;
        after := last;
    END LOOP;
END $$;
-- +goose StatementEnd

CREATE INDEX CONCURRENTLY attempts_started ON attempts (started_at);
CREATE INDEX CONCURRENTLY attempts_webhook ON attempts (webhook_key, started_at);
CREATE INDEX CONCURRENTLY attempts_owner ON attempts (owner_key, started_at);
-- What people look for. Attempts that succeed never get into these indexes.
CREATE INDEX CONCURRENTLY attempts_failed ON attempts (error_class, started_at) WHERE error_class <> '';
CREATE INDEX CONCURRENTLY attempts_failed_webhook ON attempts (webhook_key, error_class, started_at) WHERE error_class <> '';
CREATE INDEX CONCURRENTLY attempts_failed_owner ON attempts (owner_key, error_class, started_at) WHERE error_class <> '';

-- +goose Down
DROP INDEX CONCURRENTLY attempts_failed_owner;
DROP INDEX CONCURRENTLY attempts_failed_webhook;
DROP INDEX CONCURRENTLY attempts_failed;
DROP INDEX CONCURRENTLY attempts_owner;
DROP INDEX CONCURRENTLY attempts_webhook;
DROP INDEX CONCURRENTLY attempts_started;
ALTER TABLE attempts DROP COLUMN gave_up, DROP COLUMN owner_key, DROP COLUMN webhook_key, DROP COLUMN response_headers,
    DROP COLUMN request_headers;
