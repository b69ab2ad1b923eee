-- +goose Up
-- How the requests of a webhook are made. The defaults are what was done before, and what a process of the version before
-- writes.
ALTER TABLE webhooks ADD COLUMN timeout_ms bigint NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN format text NOT NULL DEFAULT '';
ALTER TABLE webhooks ADD COLUMN signing text NOT NULL DEFAULT '';
ALTER TABLE webhooks ADD COLUMN public_keys text NOT NULL DEFAULT '';
ALTER TABLE webhooks ADD COLUMN credentials blob;
-- For the list of public keys, which anyone may ask for.
CREATE INDEX webhooks_public_keys ON webhooks (id) WHERE public_keys <> '' AND deleted_at IS NULL;

-- +goose Down
DROP INDEX webhooks_public_keys;
ALTER TABLE webhooks DROP COLUMN credentials;
ALTER TABLE webhooks DROP COLUMN public_keys;
ALTER TABLE webhooks DROP COLUMN signing;
ALTER TABLE webhooks DROP COLUMN format;
ALTER TABLE webhooks DROP COLUMN timeout_ms;
