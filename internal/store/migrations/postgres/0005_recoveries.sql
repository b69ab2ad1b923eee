-- +goose Up
CREATE TABLE recoveries (
    id           text COLLATE "C" PRIMARY KEY,
    webhook_id   text COLLATE "C" NOT NULL,
    owner_id     text COLLATE "C" NOT NULL,
    since        timestamptz NOT NULL,
    until        timestamptz NOT NULL,
    include      text NOT NULL,
    rate         integer NOT NULL,
    status       text NOT NULL,
    reason       text NOT NULL DEFAULT '',
    collected    boolean NOT NULL DEFAULT FALSE,
    collected_to text COLLATE "C" NOT NULL DEFAULT '',
    total        bigint NOT NULL DEFAULT 0,
    resent       bigint NOT NULL DEFAULT 0,
    skipped      bigint NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    finished_at  timestamptz
);
CREATE INDEX recoveries_webhook ON recoveries (webhook_id, id);
CREATE INDEX recoveries_owner ON recoveries (owner_id, id);
CREATE UNIQUE INDEX recoveries_one_at_a_time ON recoveries (webhook_id) WHERE status IN ('running', 'paused');

-- What a recovery has still to do; empty when it has ended.
CREATE TABLE recovery_deliveries (
    recovery_id   text COLLATE "C" NOT NULL,
    delivery_id   text COLLATE "C" NOT NULL,
    attempt_count integer NOT NULL,
    claimed       boolean NOT NULL DEFAULT FALSE,
    PRIMARY KEY (recovery_id, delivery_id)
);

-- +goose Down
DROP TABLE recovery_deliveries, recoveries;
