-- +goose NO TRANSACTION
-- +goose Up
-- A provider's ID with another body is another event. Rows from before have no hash: StoreInbound compares their bodies.
ALTER TABLE inbound_events
    ADD COLUMN IF NOT EXISTS body_hash text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS conflict boolean NOT NULL DEFAULT FALSE;
ALTER TABLE sources
    ADD COLUMN IF NOT EXISTS conflicts bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS failed bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS broadcast boolean NOT NULL DEFAULT FALSE,
    ADD COLUMN IF NOT EXISTS verify_token bytea NOT NULL DEFAULT '';
-- What a deleted source was set to may be a credential.
UPDATE sources SET options = '{}' WHERE deleted_at IS NOT NULL;
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS inbound_events_body ON inbound_events (source_id, provider_id, body_hash);
DROP INDEX CONCURRENTLY IF EXISTS inbound_events_once;

-- +goose Down
DELETE FROM inbound_events later USING inbound_events first
    WHERE later.source_id = first.source_id AND later.provider_id = first.provider_id AND later.id > first.id;
CREATE UNIQUE INDEX CONCURRENTLY inbound_events_once ON inbound_events (source_id, provider_id);
DROP INDEX CONCURRENTLY inbound_events_body;
ALTER TABLE sources DROP COLUMN verify_token, DROP COLUMN broadcast, DROP COLUMN failed, DROP COLUMN conflicts;
ALTER TABLE inbound_events DROP COLUMN conflict, DROP COLUMN body_hash;
