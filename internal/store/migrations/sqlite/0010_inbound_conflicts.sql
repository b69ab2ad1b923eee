-- +goose Up
-- A provider's ID with another body is another event. Rows from before have no hash: StoreInbound compares their bodies.
ALTER TABLE inbound_events ADD COLUMN body_hash text NOT NULL DEFAULT '';
ALTER TABLE inbound_events ADD COLUMN conflict boolean NOT NULL DEFAULT FALSE;
ALTER TABLE sources ADD COLUMN conflicts bigint NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN failed bigint NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN broadcast boolean NOT NULL DEFAULT FALSE;
ALTER TABLE sources ADD COLUMN verify_token blob NOT NULL DEFAULT x'';
-- What a deleted source was set to may be a credential.
UPDATE sources SET options = '{}' WHERE deleted_at IS NOT NULL;
CREATE UNIQUE INDEX inbound_events_body ON inbound_events (source_id, provider_id, body_hash);
DROP INDEX inbound_events_once;

-- +goose Down
DELETE FROM inbound_events WHERE EXISTS (SELECT 1 FROM inbound_events first
    WHERE inbound_events.source_id = first.source_id AND inbound_events.provider_id = first.provider_id AND inbound_events.id > first.id);
CREATE UNIQUE INDEX inbound_events_once ON inbound_events (source_id, provider_id);
DROP INDEX inbound_events_body;
ALTER TABLE sources DROP COLUMN verify_token;
ALTER TABLE sources DROP COLUMN broadcast;
ALTER TABLE sources DROP COLUMN failed;
ALTER TABLE sources DROP COLUMN conflicts;
ALTER TABLE inbound_events DROP COLUMN conflict;
ALTER TABLE inbound_events DROP COLUMN body_hash;
