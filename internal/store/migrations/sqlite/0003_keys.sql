-- +goose Up
ALTER TABLE api_keys ADD COLUMN expires_at datetime;
ALTER TABLE api_keys ADD COLUMN last_used_at datetime;

-- +goose Down
ALTER TABLE api_keys DROP COLUMN last_used_at;
ALTER TABLE api_keys DROP COLUMN expires_at;
