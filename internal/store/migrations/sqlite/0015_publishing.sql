-- +goose Up
-- What a publisher says of an event beside its type and data: who gets it, when it happened and when it is to be
-- delivered, names and values for receivers, and its place in a trace. Processes of the version before leave all of it out.
ALTER TABLE events ADD COLUMN webhook_ids text NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN occurred_at datetime;
ALTER TABLE events ADD COLUMN metadata text NOT NULL DEFAULT '{}';
ALTER TABLE events ADD COLUMN traceparent text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE events DROP COLUMN traceparent;
ALTER TABLE events DROP COLUMN metadata;
ALTER TABLE events DROP COLUMN occurred_at;
ALTER TABLE events DROP COLUMN webhook_ids;
