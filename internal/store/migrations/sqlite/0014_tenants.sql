-- +goose Up
-- A process of the version before, which runs while a new one is deployed, leaves out the new columns.
ALTER TABLE owners ADD COLUMN external_id text;
ALTER TABLE owners ADD COLUMN metadata text NOT NULL DEFAULT '{}';
ALTER TABLE webhooks ADD COLUMN external_id text;
ALTER TABLE webhooks ADD COLUMN metadata text NOT NULL DEFAULT '{}';
ALTER TABLE api_keys ADD COLUMN role text NOT NULL DEFAULT 'full';

-- Publishers name owners by their own IDs, and each owner its webhooks. A name is free again when what had it is deleted.
CREATE UNIQUE INDEX owners_external_id ON owners (external_id) WHERE external_id IS NOT NULL AND deleted_at IS NULL;
CREATE UNIQUE INDEX webhooks_external_id ON webhooks (owner_id, external_id) WHERE external_id IS NOT NULL AND deleted_at IS NULL;

-- Calls with an Idempotency-Key, with their answers, which may have secrets and are sealed. They go after 24 hours.
CREATE TABLE idempotent_calls (
    id              text PRIMARY KEY NOT NULL,
    owner_id        text NOT NULL,
    operation       text NOT NULL,
    idempotency_key text NOT NULL,
    sealed          blob NOT NULL,
    leased_until    datetime,
    created_at      datetime NOT NULL
);
CREATE UNIQUE INDEX idempotent_calls_key ON idempotent_calls (owner_id, operation, idempotency_key);

-- +goose Down
DROP TABLE idempotent_calls;
DROP INDEX webhooks_external_id;
DROP INDEX owners_external_id;
ALTER TABLE api_keys DROP COLUMN role;
ALTER TABLE webhooks DROP COLUMN metadata;
ALTER TABLE webhooks DROP COLUMN external_id;
ALTER TABLE owners DROP COLUMN metadata;
ALTER TABLE owners DROP COLUMN external_id;
