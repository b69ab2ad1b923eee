-- +goose NO TRANSACTION
-- +goose Up
-- What a webhook's owner writes in CEL: which events it gets, and what is sent instead of their data.
ALTER TABLE webhooks ADD COLUMN IF NOT EXISTS filter text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS transform text NOT NULL DEFAULT '';
-- Why the filter failed that let the delivery's event pass.
ALTER TABLE deliveries ADD COLUMN IF NOT EXISTS filter_error text NOT NULL DEFAULT '';
CREATE INDEX CONCURRENTLY webhooks_filtered ON webhooks (owner_id) WHERE filter <> '';

-- +goose Down
DROP INDEX CONCURRENTLY webhooks_filtered;
ALTER TABLE deliveries DROP COLUMN filter_error;
ALTER TABLE webhooks DROP COLUMN transform, DROP COLUMN filter;
