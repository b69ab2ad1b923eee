-- +goose Up
-- Which of its receivers, counted from 0 through its changes of URL, a webhook's health is about.
ALTER TABLE webhook_health ADD COLUMN receiver integer NOT NULL DEFAULT 0;
-- When a webhook's moments under its rate limit were last given out anew, and the gap between them since then.
ALTER TABLE webhook_slots ADD COLUMN since_us bigint NOT NULL DEFAULT 0;
ALTER TABLE webhook_slots ADD COLUMN gap_us bigint;

-- +goose Down
ALTER TABLE webhook_slots DROP COLUMN gap_us;
ALTER TABLE webhook_slots DROP COLUMN since_us;
ALTER TABLE webhook_health DROP COLUMN receiver;
