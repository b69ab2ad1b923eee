-- Brings back what fewer-visibility-indexes.sql dropped. Temporal's table cannot be written meanwhile: on a large
-- one that takes minutes, in which workflows go on and the Web UI's list lags behind.
--
--   psql --dbname temporal_visibility --file all-visibility-indexes.sql

BEGIN;

CREATE TABLE IF NOT EXISTS postrider_dropped_indexes (name text PRIMARY KEY, definition text NOT NULL);

DO $$
DECLARE
    dropped record;
BEGIN
    FOR dropped IN SELECT name, definition FROM postrider_dropped_indexes LOOP
        IF to_regclass(quote_ident(dropped.name)) IS NULL THEN
            EXECUTE dropped.definition;
        END IF;
    END LOOP;
END
$$;

DROP TABLE postrider_dropped_indexes;

COMMIT;
