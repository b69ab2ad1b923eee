-- +goose NO TRANSACTION
-- +goose Up
-- What a publisher says of an event beside its type and data: who gets it, when it happened and when it is to be
-- delivered, names and values for receivers, and its place in a trace. Processes of the version before leave all of it out.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS webhook_ids text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS occurred_at timestamptz,
    ADD COLUMN IF NOT EXISTS metadata text NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS traceparent text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS deliver_at timestamptz,
    -- When its data was erased, and of which inbound event it was made: that has the data too.
    ADD COLUMN IF NOT EXISTS erased_at timestamptz,
    ADD COLUMN IF NOT EXISTS inbound_id text COLLATE "C" NOT NULL DEFAULT '';
-- What receivers answer to the deliveries of an erased event is not kept.
ALTER TABLE deliveries ADD COLUMN IF NOT EXISTS erased boolean NOT NULL DEFAULT FALSE;
ALTER TABLE inbound_events ADD COLUMN IF NOT EXISTS erased_at timestamptz;
UPDATE events e SET inbound_id = i.id FROM inbound_events i WHERE i.event_id = e.id AND e.inbound_id = '';

-- What is pending and may have no workflow: what the sweep looks at, however many wait for their time. Those that wait, and
-- whose workflows are known to run, are in the other index, by when they are looked at again.
CREATE INDEX CONCURRENTLY deliveries_unseen ON deliveries (id)
    WHERE status = 'pending' AND (next_attempt_at IS NULL OR leased_until IS NULL);
CREATE INDEX CONCURRENTLY deliveries_waiting ON deliveries (leased_until)
    WHERE status = 'pending' AND next_attempt_at IS NOT NULL AND leased_until IS NOT NULL;
DROP INDEX CONCURRENTLY deliveries_pending;
ALTER INDEX deliveries_unseen RENAME TO deliveries_pending;

-- +goose Down
DROP INDEX CONCURRENTLY deliveries_waiting;
DROP INDEX CONCURRENTLY deliveries_pending;
CREATE INDEX CONCURRENTLY deliveries_pending ON deliveries (id) WHERE status = 'pending';
ALTER TABLE inbound_events DROP COLUMN erased_at;
ALTER TABLE deliveries DROP COLUMN erased;
ALTER TABLE events DROP COLUMN inbound_id, DROP COLUMN erased_at, DROP COLUMN deliver_at, DROP COLUMN traceparent, DROP COLUMN metadata, DROP COLUMN occurred_at, DROP COLUMN webhook_ids;
