-- +goose NO TRANSACTION
-- +goose Up
-- A process of the version before leaves place empty: what it publishes goes beside the queue. Set ordered when none runs.
ALTER TABLE webhooks ADD COLUMN IF NOT EXISTS ordered boolean NOT NULL DEFAULT FALSE,
    ADD COLUMN IF NOT EXISTS on_failure text NOT NULL DEFAULT 'wait';
ALTER TABLE deliveries ADD COLUMN IF NOT EXISTS place bigint;

-- The last place that was given in the queue of a webhook. Its row is locked until the event that takes the next is
-- committed: places are in the order of commits.
CREATE TABLE IF NOT EXISTS webhook_queues (
    webhook_id text COLLATE "C" PRIMARY KEY,
    last_place bigint NOT NULL
);

-- Those that stand in a queue. Deliveries of other webhooks never get into this index.
DROP INDEX CONCURRENTLY IF EXISTS deliveries_queue;
CREATE INDEX CONCURRENTLY deliveries_queue ON deliveries (webhook_id, place) WHERE place IS NOT NULL;

-- What the sweep goes through: a long queue is not in its way.
DROP INDEX CONCURRENTLY IF EXISTS deliveries_pending_unqueued;
CREATE INDEX CONCURRENTLY deliveries_pending_unqueued ON deliveries (id) WHERE status = 'pending' AND place IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_pending;
ALTER INDEX deliveries_pending_unqueued RENAME TO deliveries_pending;

-- +goose Down
CREATE INDEX CONCURRENTLY deliveries_pending_all ON deliveries (id) WHERE status = 'pending';
DROP INDEX CONCURRENTLY deliveries_pending;
ALTER INDEX deliveries_pending_all RENAME TO deliveries_pending;
DROP INDEX CONCURRENTLY deliveries_queue;
DROP TABLE webhook_queues;
ALTER TABLE deliveries DROP COLUMN place;
ALTER TABLE webhooks DROP COLUMN on_failure, DROP COLUMN ordered;
