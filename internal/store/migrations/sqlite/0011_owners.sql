-- +goose Up
-- A suspended owner's row says so, and so does all that it has: nobody has to look up the owner for that.
ALTER TABLE owners ADD COLUMN active boolean NOT NULL DEFAULT TRUE;
ALTER TABLE owners ADD COLUMN deleted_at datetime;
ALTER TABLE webhooks ADD COLUMN suspended boolean NOT NULL DEFAULT FALSE;
ALTER TABLE sources ADD COLUMN suspended boolean NOT NULL DEFAULT FALSE;
ALTER TABLE api_keys ADD COLUMN suspended boolean NOT NULL DEFAULT FALSE;
-- What is still to be removed: almost nothing at any time.
CREATE INDEX owners_deleted ON owners (deleted_at) WHERE deleted_at IS NOT NULL;
-- What an owner has at present, to be counted.
CREATE INDEX webhooks_owner_present ON webhooks (owner_id) WHERE deleted_at IS NULL;
CREATE INDEX sources_owner_present ON sources (owner_id) WHERE deleted_at IS NULL;
CREATE INDEX api_keys_owner_present ON api_keys (owner_id) WHERE revoked_at IS NULL;

-- +goose Down
DROP INDEX api_keys_owner_present;
DROP INDEX sources_owner_present;
DROP INDEX webhooks_owner_present;
DROP INDEX owners_deleted;
ALTER TABLE api_keys DROP COLUMN suspended;
ALTER TABLE sources DROP COLUMN suspended;
ALTER TABLE webhooks DROP COLUMN suspended;
ALTER TABLE owners DROP COLUMN active;
ALTER TABLE owners DROP COLUMN deleted_at;
