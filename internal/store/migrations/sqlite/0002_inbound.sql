-- +goose Up
CREATE TABLE sources (
    id           text PRIMARY KEY,
    owner_id     text NOT NULL,
    name         text NOT NULL,
    scheme       text NOT NULL,
    secrets      blob NOT NULL,
    event_prefix text NOT NULL,
    options      text NOT NULL,
    active       boolean NOT NULL,
    rejected     bigint NOT NULL DEFAULT 0,
    created_at   datetime NOT NULL,
    updated_at   datetime NOT NULL,
    deleted_at   datetime
);
CREATE INDEX sources_owner ON sources (owner_id, id);

CREATE TABLE source_rejections (
    id          text PRIMARY KEY,
    source_id   text NOT NULL,
    reason      text NOT NULL,
    remote_addr text NOT NULL,
    created_at  datetime NOT NULL
);
CREATE INDEX source_rejections_source ON source_rejections (source_id, id);

CREATE TABLE inbound_events (
    id           text PRIMARY KEY,
    source_id    text NOT NULL,
    owner_id     text NOT NULL,
    provider_id  text NOT NULL,
    type         text NOT NULL,
    headers      text NOT NULL,
    body         blob NOT NULL,
    status       text NOT NULL,
    attempts     integer NOT NULL,
    error        text NOT NULL DEFAULT '',
    event_id     text NOT NULL DEFAULT '',
    processed_at datetime,
    created_at   datetime NOT NULL
);
CREATE UNIQUE INDEX inbound_events_once ON inbound_events (source_id, provider_id);
CREATE INDEX inbound_events_source ON inbound_events (source_id, id);
CREATE INDEX inbound_events_owner ON inbound_events (owner_id, id);
CREATE INDEX inbound_events_type ON inbound_events (type, id);
CREATE INDEX inbound_events_status ON inbound_events (status, id) WHERE status <> 'processed';

-- +goose Down
DROP TABLE inbound_events;
DROP TABLE source_rejections;
DROP TABLE sources;
