-- +goose Up
-- What a publisher says of an event beside its type and data: who gets it, when it happened and when it is to be
-- delivered, names and values for receivers, and its place in a trace. Processes of the version before leave all of it out.
ALTER TABLE events ADD COLUMN webhook_ids text NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN occurred_at datetime;
ALTER TABLE events ADD COLUMN metadata text NOT NULL DEFAULT '{}';
ALTER TABLE events ADD COLUMN traceparent text NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN deliver_at datetime;
-- When its data was erased, and of which inbound event it was made: that has the data too.
ALTER TABLE events ADD COLUMN erased_at datetime;
ALTER TABLE events ADD COLUMN inbound_id text NOT NULL DEFAULT '';
-- What receivers answer to the deliveries of an erased event is not kept.
ALTER TABLE deliveries ADD COLUMN erased boolean NOT NULL DEFAULT FALSE;
ALTER TABLE inbound_events ADD COLUMN erased_at datetime;
UPDATE events SET inbound_id = COALESCE((SELECT i.id FROM inbound_events i WHERE i.event_id = events.id), '');

-- What is pending and may have no workflow: what the sweep looks at, however many wait for their time. Those that wait, and
-- whose workflows are known to run, are in the other index, by when they are looked at again.
DROP INDEX deliveries_pending;
CREATE INDEX deliveries_pending ON deliveries (id)
    WHERE status = 'pending' AND (next_attempt_at IS NULL OR leased_until IS NULL);
CREATE INDEX deliveries_waiting ON deliveries (leased_until)
    WHERE status = 'pending' AND next_attempt_at IS NOT NULL AND leased_until IS NOT NULL;

-- +goose Down
DROP INDEX deliveries_waiting;
DROP INDEX deliveries_pending;
CREATE INDEX deliveries_pending ON deliveries (id) WHERE status = 'pending';
ALTER TABLE inbound_events DROP COLUMN erased_at;
ALTER TABLE deliveries DROP COLUMN erased;
ALTER TABLE events DROP COLUMN inbound_id;
ALTER TABLE events DROP COLUMN erased_at;
ALTER TABLE events DROP COLUMN deliver_at;
ALTER TABLE events DROP COLUMN traceparent;
ALTER TABLE events DROP COLUMN metadata;
ALTER TABLE events DROP COLUMN occurred_at;
ALTER TABLE events DROP COLUMN webhook_ids;
