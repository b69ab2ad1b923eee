-- +goose NO TRANSACTION
-- +goose Up
-- The words of deliveries: of the last error, and of the values of the event's metadata. A delivery that has neither has no
-- row. owner_key is the last seven digits of the owner's ID. Each index has the deliveries of a word in their order.
CREATE TABLE IF NOT EXISTS delivery_words (
    delivery_id text COLLATE "C" NOT NULL,
    word        text COLLATE "C" NOT NULL,
    owner_key   text COLLATE "C" NOT NULL,
    PRIMARY KEY (delivery_id, word)
);
CREATE INDEX IF NOT EXISTS delivery_words_word ON delivery_words (word, delivery_id);
CREATE INDEX IF NOT EXISTS delivery_words_owner ON delivery_words (owner_key, word, delivery_id);

-- What models.Words does: letters and digits, and all beyond ASCII, make words.
CREATE OR REPLACE FUNCTION words_of(content text) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
    SELECT DISTINCT left(word, 40) COLLATE "C"
    FROM regexp_split_to_table(lower(content COLLATE "C"), '[\x01-/:-`{-\x7f]+') word WHERE word <> ''
$$;
CREATE OR REPLACE FUNCTION metadata_values(metadata text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(value, ' ') FROM json_each_text(metadata::json)
$$;

-- Triggers keep the words, so that processes of the version before do it too. Their plans are kept for as long as a connection
-- lasts, and may be made while the tables are nearly empty: none may read a table as a whole.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION index_delivery() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    DELETE FROM delivery_words WHERE delivery_id = NEW.id;
    INSERT INTO delivery_words (delivery_id, word, owner_key)
    SELECT NEW.id, word, right(NEW.owner_id, 7)
    FROM words_of(concat_ws(' ', NEW.last_error, (SELECT metadata_values(e.metadata) FROM events e WHERE e.id = NEW.event_id))) word
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- What changes is new, or erased. Then the deliveries are locked first: an attempt that is recorded meanwhile sees the new
-- metadata, or its error is seen here.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION index_event() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.metadata <> NEW.metadata THEN
        PERFORM FROM deliveries d WHERE d.event_id = NEW.id ORDER BY d.id FOR UPDATE;
        DELETE FROM delivery_words w USING deliveries d WHERE d.event_id = NEW.id AND w.delivery_id = d.id;
        INSERT INTO delivery_words (delivery_id, word, owner_key)
        SELECT d.id, word, right(d.owner_id, 7) FROM deliveries d CROSS JOIN LATERAL words_of(d.last_error) word
        WHERE d.event_id = NEW.id;
    END IF;
    INSERT INTO delivery_words (delivery_id, word, owner_key)
    SELECT d.id, word, right(d.owner_id, 7) FROM deliveries d CROSS JOIN words_of(metadata_values(NEW.metadata)) word
    WHERE d.event_id = NEW.id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION forget_deliveries() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    DELETE FROM delivery_words w USING gone g WHERE w.delivery_id = g.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd

DROP TRIGGER IF EXISTS deliveries_words ON deliveries;
CREATE TRIGGER deliveries_words AFTER UPDATE OF last_error ON deliveries
    FOR EACH ROW WHEN (OLD.last_error <> NEW.last_error) EXECUTE FUNCTION index_delivery();
DROP TRIGGER IF EXISTS deliveries_gone ON deliveries;
CREATE TRIGGER deliveries_gone AFTER DELETE ON deliveries REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION forget_deliveries();
-- An event is stored behind its deliveries.
DROP TRIGGER IF EXISTS events_words ON events;
CREATE TRIGGER events_words AFTER INSERT ON events
    FOR EACH ROW WHEN (NEW.metadata <> '{}') EXECUTE FUNCTION index_event();
DROP TRIGGER IF EXISTS events_words_again ON events;
CREATE TRIGGER events_words_again AFTER UPDATE OF metadata ON events
    FOR EACH ROW WHEN (OLD.metadata <> '{}') EXECUTE FUNCTION index_event();

-- Deliveries that were made before, in batches: others go on meanwhile.
-- +goose StatementBegin
DO $$
DECLARE
    after text := '';
    last text;
BEGIN
    LOOP
        SELECT max(id) INTO last FROM (SELECT id FROM deliveries WHERE id > after ORDER BY id LIMIT 1000) batch;
        EXIT WHEN last IS NULL;
        -- What is locked stays as the next statement sees it. Events are looked up one by one, whatever the statistics say.
        PERFORM FROM deliveries d
        WHERE d.id > after AND d.id <= last AND (d.last_error <> '' OR (SELECT e.metadata FROM events e WHERE e.id = d.event_id) <> '{}')
        ORDER BY d.id FOR UPDATE;
        INSERT INTO delivery_words (delivery_id, word, owner_key)
        SELECT d.id, word, right(d.owner_id, 7)
        FROM deliveries d CROSS JOIN LATERAL words_of(
            concat_ws(' ', d.last_error, (SELECT metadata_values(e.metadata) FROM events e WHERE e.id = d.event_id))) word
        WHERE d.id > after AND d.id <= last
        ON CONFLICT DO NOTHING;
        COMMIT;
        after := last;
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER events_words_again ON events;
DROP TRIGGER events_words ON events;
DROP TRIGGER deliveries_gone ON deliveries;
DROP TRIGGER deliveries_words ON deliveries;
DROP FUNCTION forget_deliveries();
DROP FUNCTION index_event();
DROP FUNCTION index_delivery();
DROP FUNCTION metadata_values(text);
DROP FUNCTION words_of(text);
DROP TABLE delivery_words;
