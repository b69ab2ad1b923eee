-- +goose NO TRANSACTION
-- +goose Up
-- What a publisher says of an event beside its type and data: who gets it, when it happened and when it is to be
-- delivered, names and values for receivers, and its place in a trace. Processes of the version before leave all of it out.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS webhook_ids text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS occurred_at timestamptz,
    ADD COLUMN IF NOT EXISTS metadata text NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS traceparent text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE events DROP COLUMN traceparent, DROP COLUMN metadata, DROP COLUMN occurred_at, DROP COLUMN webhook_ids;
