-- +goose Up
CREATE TABLE owners (
    id         text PRIMARY KEY,
    name       text NOT NULL,
    email      text NOT NULL DEFAULT '',
    slack_url  text NOT NULL DEFAULT '',
    created_at datetime NOT NULL,
    updated_at datetime NOT NULL
);

CREATE TABLE api_keys (
    id         text PRIMARY KEY,
    owner_id   text NOT NULL,
    prefix     text NOT NULL,
    hash       blob NOT NULL UNIQUE,
    created_at datetime NOT NULL,
    revoked_at datetime
);
CREATE INDEX api_keys_owner ON api_keys (owner_id);

CREATE TABLE webhooks (
    id                    text PRIMARY KEY,
    owner_id              text NOT NULL,
    url                   text NOT NULL,
    host                  text NOT NULL,
    description           text NOT NULL DEFAULT '',
    events                text NOT NULL,
    headers               text NOT NULL,
    active                boolean NOT NULL,
    disabled_reason       text NOT NULL DEFAULT '',
    retry_schedule        text,
    secret                blob NOT NULL,
    previous_secret       blob,
    previous_secret_until datetime,
    created_at            datetime NOT NULL,
    updated_at            datetime NOT NULL,
    deleted_at            datetime
);
CREATE INDEX webhooks_owner ON webhooks (owner_id, id);

CREATE TABLE webhook_patterns (
    pattern    text NOT NULL,
    webhook_id text NOT NULL,
    PRIMARY KEY (pattern, webhook_id)
);
CREATE INDEX webhook_patterns_webhook ON webhook_patterns (webhook_id);

CREATE TABLE events (
    id              text PRIMARY KEY,
    owner_id        text NOT NULL,
    event           text NOT NULL,
    data            blob NOT NULL,
    idempotency_key text,
    deliveries      integer NOT NULL,
    created_at      datetime NOT NULL
);
CREATE UNIQUE INDEX events_idempotency ON events (owner_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX events_owner ON events (owner_id, id);
CREATE INDEX events_event ON events (event, id);

-- No foreign keys: rows are removed by age, in batches, and each log entry must outlive what it speaks of.
CREATE TABLE deliveries (
    id               text PRIMARY KEY,
    event_id         text NOT NULL,
    webhook_id       text NOT NULL,
    owner_id         text NOT NULL,
    event            text NOT NULL,
    host             text NOT NULL,
    status           text NOT NULL,
    attempt_count    integer NOT NULL,
    next_attempt_at  datetime,
    delivered_at     datetime,
    last_status_code integer,
    last_error       text NOT NULL DEFAULT '',
    cancel_reason    text NOT NULL DEFAULT '',
    test             boolean NOT NULL,
    run_id           text NOT NULL DEFAULT '',
    created_at       datetime NOT NULL
);
CREATE INDEX deliveries_event_id ON deliveries (event_id, id);
CREATE INDEX deliveries_webhook ON deliveries (webhook_id, id);
CREATE INDEX deliveries_owner ON deliveries (owner_id, id);
CREATE INDEX deliveries_event ON deliveries (event, id);
-- What is delivered is most of the table: an index of the other statuses stays small.
CREATE INDEX deliveries_status ON deliveries (status, id) WHERE status <> 'delivered';
CREATE INDEX deliveries_pending ON deliveries (id) WHERE status = 'pending';

CREATE TABLE attempts (
    id            text PRIMARY KEY,
    delivery_id   text NOT NULL,
    number        integer NOT NULL,
    "trigger"     text NOT NULL,
    status_code   integer,
    error_class   text NOT NULL DEFAULT '',
    error         text NOT NULL DEFAULT '',
    duration_ms   bigint NOT NULL,
    response_body blob,
    remote_addr   text NOT NULL DEFAULT '',
    started_at    datetime NOT NULL
);
CREATE INDEX attempts_delivery ON attempts (delivery_id, number);

INSERT INTO owners (id, name, created_at, updated_at)
VALUES ('own_00000000000000000000000000', 'default', strftime('%Y-%m-%d %H:%M:%f+00:00'), strftime('%Y-%m-%d %H:%M:%f+00:00'));

-- +goose Down
DROP TABLE attempts;
DROP TABLE deliveries;
DROP TABLE events;
DROP TABLE webhook_patterns;
DROP TABLE webhooks;
DROP TABLE api_keys;
DROP TABLE owners;
