-- +goose Up
ALTER TABLE webhooks ADD COLUMN rate_limit double precision;

-- One row for each webhook that was ever called; it changes while the webhook itself does not. The free space
-- lets PostgreSQL change a row without touching the index.
CREATE TABLE webhook_health (
    webhook_id           text COLLATE "C" PRIMARY KEY,
    consecutive_failures integer NOT NULL,
    failed_deliveries    integer NOT NULL,
    first_failure_at     timestamptz,
    last_failure_at      timestamptz,
    last_success_at      timestamptz,
    slow_at              timestamptz,
    failing_since        timestamptz,
    told_at              timestamptz,
    change               text NOT NULL DEFAULT '',
    changed_by           text NOT NULL DEFAULT ''
) WITH (fillfactor = 50);

-- When the next request to a webhook with a rate limit may be made, in microseconds since 1970.
CREATE TABLE webhook_slots (
    webhook_id text COLLATE "C" PRIMARY KEY,
    next_us    bigint NOT NULL
) WITH (fillfactor = 50);

-- +goose Down
DROP TABLE webhook_slots, webhook_health;
ALTER TABLE webhooks DROP COLUMN rate_limit;
