-- +goose Up
CREATE TABLE sources (
    id           text COLLATE "C" PRIMARY KEY,
    owner_id     text COLLATE "C" NOT NULL,
    name         text NOT NULL,
    scheme       text NOT NULL,
    secrets      bytea NOT NULL,
    event_prefix text NOT NULL,
    options      text NOT NULL,
    active       boolean NOT NULL,
    rejected     bigint NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    deleted_at   timestamptz
);
CREATE INDEX sources_owner ON sources (owner_id, id);

CREATE TABLE source_rejections (
    id          text COLLATE "C" PRIMARY KEY,
    source_id   text COLLATE "C" NOT NULL,
    reason      text NOT NULL,
    remote_addr text NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX source_rejections_source ON source_rejections (source_id, id);

CREATE TABLE inbound_events (
    id           text COLLATE "C" PRIMARY KEY,
    source_id    text COLLATE "C" NOT NULL,
    owner_id     text COLLATE "C" NOT NULL,
    provider_id  text COLLATE "C" NOT NULL,
    type         text NOT NULL,
    headers      text NOT NULL,
    body         bytea NOT NULL,
    status       text NOT NULL,
    attempts     integer NOT NULL,
    error        text NOT NULL DEFAULT '',
    event_id     text COLLATE "C" NOT NULL DEFAULT '',
    processed_at timestamptz,
    created_at   timestamptz NOT NULL
);
CREATE UNIQUE INDEX inbound_events_once ON inbound_events (source_id, provider_id);
CREATE INDEX inbound_events_source ON inbound_events (source_id, id);
CREATE INDEX inbound_events_owner ON inbound_events (owner_id, id);
CREATE INDEX inbound_events_type ON inbound_events (type, id);
CREATE INDEX inbound_events_status ON inbound_events (status, id) WHERE status <> 'processed';

-- +goose Down
DROP TABLE inbound_events, source_rejections, sources;
