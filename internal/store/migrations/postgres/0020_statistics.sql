-- +goose Up
-- What happened in an hour, of everything (no subject), of an owner or of a webhook; of all types of events (no event) or
-- of one. latency and duration are histograms.
CREATE TABLE statistics (
    subject   text COLLATE "C" NOT NULL,
    event     text COLLATE "C" NOT NULL,
    hour      timestamptz NOT NULL,
    published bigint NOT NULL,
    delivered bigint NOT NULL,
    failed    bigint NOT NULL,
    given_up  bigint NOT NULL,
    attempts  bigint NOT NULL,
    latency   bytea,
    duration  bytea,
    PRIMARY KEY (subject, event, hour)
);
CREATE INDEX statistics_hour ON statistics (hour);

-- Until when hours are counted: one row at most, with the ID 1.
CREATE TABLE statistics_states (
    id            bigint PRIMARY KEY,
    counted_until timestamptz NOT NULL
);

-- Hours that were counted before something of them was recorded.
CREATE TABLE statistics_lates (
    hour timestamptz PRIMARY KEY
);

-- +goose Down
DROP TABLE statistics_lates, statistics_states, statistics;
