-- +goose Up
ALTER TABLE webhooks ADD COLUMN rate_limit real;

-- One row for each webhook that was ever called; it changes while the webhook itself does not.
CREATE TABLE webhook_health (
    webhook_id           text PRIMARY KEY,
    consecutive_failures integer NOT NULL,
    failed_deliveries    integer NOT NULL,
    first_failure_at     datetime,
    last_failure_at      datetime,
    last_success_at      datetime,
    slow_at              datetime,
    failing_since        datetime,
    told_at              datetime,
    change               text NOT NULL DEFAULT '',
    changed_by           text NOT NULL DEFAULT ''
);

-- When the next request to a webhook with a rate limit may be made, in microseconds since 1970.
CREATE TABLE webhook_slots (
    webhook_id text PRIMARY KEY,
    next_us    bigint NOT NULL
);

-- +goose Down
DROP TABLE webhook_slots;
DROP TABLE webhook_health;
ALTER TABLE webhooks DROP COLUMN rate_limit;
