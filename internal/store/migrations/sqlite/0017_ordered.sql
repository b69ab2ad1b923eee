-- +goose Up
ALTER TABLE webhooks ADD COLUMN ordered boolean NOT NULL DEFAULT FALSE;
ALTER TABLE webhooks ADD COLUMN on_failure text NOT NULL DEFAULT 'wait';
ALTER TABLE deliveries ADD COLUMN place bigint;

-- The last place that was given in the queue of a webhook.
CREATE TABLE webhook_queues (
    webhook_id text PRIMARY KEY,
    last_place bigint NOT NULL
);

-- Those that stand in a queue. Deliveries of other webhooks never get into this index.
CREATE INDEX deliveries_queue ON deliveries (webhook_id, place) WHERE place IS NOT NULL;

-- What the sweep goes through: a long queue is not in its way.
DROP INDEX deliveries_pending;
CREATE INDEX deliveries_pending ON deliveries (id) WHERE status = 'pending' AND place IS NULL;

-- +goose Down
DROP INDEX deliveries_pending;
CREATE INDEX deliveries_pending ON deliveries (id) WHERE status = 'pending';
DROP INDEX deliveries_queue;
DROP TABLE webhook_queues;
ALTER TABLE deliveries DROP COLUMN place;
ALTER TABLE webhooks DROP COLUMN on_failure;
ALTER TABLE webhooks DROP COLUMN ordered;
