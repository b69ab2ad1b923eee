-- +goose NO TRANSACTION
-- +goose Up
-- Which webhooks failed most: those that did not fail in an hour never get into this index.
DROP INDEX CONCURRENTLY IF EXISTS statistics_failed;
CREATE INDEX CONCURRENTLY statistics_failed ON statistics (hour, subject, failed) WHERE event = '' AND failed > 0;

-- +goose Down
DROP INDEX CONCURRENTLY statistics_failed;
