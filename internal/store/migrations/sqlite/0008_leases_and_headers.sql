-- +goose Up
-- Until when a process, or a workflow that lets a delivery wait, is about it: the sweep leaves it alone.
ALTER TABLE deliveries ADD COLUMN leased_until datetime;

-- The values of headers, sealed; the column headers keeps the names. Rows of before are sealed by the program.
ALTER TABLE webhooks ADD COLUMN sealed_headers blob;
-- The secrets before previous_secret that sign still.
ALTER TABLE webhooks ADD COLUMN earlier_secrets blob;
-- What was deleted needs no credentials any more.
UPDATE webhooks SET headers = '{}', url = substr(url, 1, instr(url, '://') + 2) || host WHERE deleted_at IS NOT NULL;

-- With the owner, an event looks up the webhooks of its owner only. A process of the version before leaves it empty.
ALTER TABLE webhook_patterns ADD COLUMN owner_id text NOT NULL DEFAULT '';
UPDATE webhook_patterns SET owner_id = COALESCE((SELECT w.owner_id FROM webhooks w WHERE w.id = webhook_id), '');
CREATE INDEX webhook_patterns_owner ON webhook_patterns (pattern, owner_id, webhook_id);

-- +goose Down
DROP INDEX webhook_patterns_owner;
ALTER TABLE webhook_patterns DROP COLUMN owner_id;
ALTER TABLE webhooks DROP COLUMN earlier_secrets;
ALTER TABLE webhooks DROP COLUMN sealed_headers;
ALTER TABLE deliveries DROP COLUMN leased_until;
