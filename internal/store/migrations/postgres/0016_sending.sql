-- +goose NO TRANSACTION
-- +goose Up
-- How the requests of a webhook are made. The defaults are what was done before, and what a process of the version before
-- writes.
ALTER TABLE webhooks ADD COLUMN IF NOT EXISTS timeout_ms bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS format text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS signing text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS public_keys text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS credentials bytea;
-- For the list of public keys, which anyone may ask for.
DROP INDEX CONCURRENTLY IF EXISTS webhooks_public_keys; -- what a run left that was cut off
CREATE INDEX CONCURRENTLY webhooks_public_keys ON webhooks (id) WHERE public_keys <> '' AND deleted_at IS NULL;

-- +goose Down
DROP INDEX CONCURRENTLY webhooks_public_keys;
ALTER TABLE webhooks DROP COLUMN credentials, DROP COLUMN public_keys, DROP COLUMN signing, DROP COLUMN format, DROP COLUMN timeout_ms;
