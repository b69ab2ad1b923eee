-- +goose Up
-- Which webhooks failed most: those that did not fail in an hour never get into this index.
CREATE INDEX statistics_failed ON statistics (hour, subject, failed) WHERE event = '' AND failed > 0;

-- +goose Down
DROP INDEX statistics_failed;
