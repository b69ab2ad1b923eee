-- +goose NO TRANSACTION
-- +goose Up
-- A process of the version before, which runs while a new one is deployed, leaves out the new columns.
ALTER TABLE owners ADD COLUMN IF NOT EXISTS external_id text COLLATE "C",
    ADD COLUMN IF NOT EXISTS metadata text NOT NULL DEFAULT '{}';
ALTER TABLE webhooks ADD COLUMN IF NOT EXISTS external_id text COLLATE "C",
    ADD COLUMN IF NOT EXISTS metadata text NOT NULL DEFAULT '{}';
ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS role text COLLATE "C" NOT NULL DEFAULT 'full';

-- Publishers name owners by their own IDs, and each owner its webhooks. A name is free again when what had it is deleted.
-- What a broken run left of an index is not valid: it is made anew.
DROP INDEX CONCURRENTLY IF EXISTS owners_external_id;
CREATE UNIQUE INDEX CONCURRENTLY owners_external_id ON owners (external_id) WHERE external_id IS NOT NULL AND deleted_at IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS webhooks_external_id;
CREATE UNIQUE INDEX CONCURRENTLY webhooks_external_id ON webhooks (owner_id, external_id)
    WHERE external_id IS NOT NULL AND deleted_at IS NULL;

-- Calls with an Idempotency-Key, with their answers, which may have secrets and are sealed. They go after 24 hours.
CREATE TABLE IF NOT EXISTS idempotent_calls (
    id              text COLLATE "C" PRIMARY KEY,
    owner_id        text COLLATE "C" NOT NULL,
    operation       text COLLATE "C" NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    sealed          bytea NOT NULL,
    leased_until    timestamptz,
    created_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS idempotent_calls_key ON idempotent_calls (owner_id, operation, idempotency_key);

-- +goose Down
DROP TABLE idempotent_calls;
DROP INDEX CONCURRENTLY webhooks_external_id;
DROP INDEX CONCURRENTLY owners_external_id;
ALTER TABLE api_keys DROP COLUMN role;
ALTER TABLE webhooks DROP COLUMN metadata, DROP COLUMN external_id;
ALTER TABLE owners DROP COLUMN metadata, DROP COLUMN external_id;
