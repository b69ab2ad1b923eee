-- +goose Up
ALTER TABLE webhook_health ADD COLUMN throttled_until datetime;

-- +goose Down
ALTER TABLE webhook_health DROP COLUMN throttled_until;
