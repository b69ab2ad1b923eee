-- +goose Up
-- What a webhook's owner writes in CEL: which events it gets, and what is sent instead of their data.
ALTER TABLE webhooks ADD COLUMN filter text NOT NULL DEFAULT '';
ALTER TABLE webhooks ADD COLUMN transform text NOT NULL DEFAULT '';
-- Why the filter failed that let the delivery's event pass.
ALTER TABLE deliveries ADD COLUMN filter_error text NOT NULL DEFAULT '';
CREATE INDEX webhooks_filtered ON webhooks (owner_id) WHERE filter <> '';

-- +goose Down
DROP INDEX webhooks_filtered;
ALTER TABLE deliveries DROP COLUMN filter_error;
ALTER TABLE webhooks DROP COLUMN transform;
ALTER TABLE webhooks DROP COLUMN filter;
