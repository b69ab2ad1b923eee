-- +goose Up
-- The words of deliveries: of the last error, and of the values of the event's metadata. A delivery that has neither has no
-- row. owner_key is the last seven digits of the owner's ID. Each index has the deliveries of a word in their order.
CREATE TABLE delivery_words (
    delivery_id text NOT NULL,
    word        text NOT NULL,
    owner_key   text NOT NULL,
    PRIMARY KEY (delivery_id, word)
);
CREATE INDEX delivery_words_word ON delivery_words (word, delivery_id);
CREATE INDEX delivery_words_owner ON delivery_words (owner_key, word, delivery_id);

-- What is inserted here becomes words, as models.Words makes them: letters and digits, and all beyond ASCII.
CREATE VIEW delivery_texts AS SELECT delivery_id, owner_key, '' AS content FROM delivery_words;
-- +goose StatementBegin
CREATE TRIGGER delivery_texts_words INSTEAD OF INSERT ON delivery_texts BEGIN
    INSERT INTO delivery_words (delivery_id, word, owner_key)
    SELECT DISTINCT NEW.delivery_id, substr(whole, 1, 40), NEW.owner_key FROM (
        WITH RECURSIVE walk(rest, word, whole) AS (
            SELECT lower(NEW.content) || ' ', '', ''
            UNION ALL
            SELECT substr(rest, 2), CASE WHEN rest GLOB '[a-z0-9]*' OR unicode(rest) > 127 THEN word || substr(rest, 1, 1) ELSE '' END,
                   CASE WHEN rest GLOB '[a-z0-9]*' OR unicode(rest) > 127 THEN '' ELSE word END
            FROM walk WHERE rest <> ''
        )
        SELECT whole FROM walk WHERE whole <> ''
    );
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER deliveries_words AFTER UPDATE OF last_error ON deliveries WHEN OLD.last_error <> NEW.last_error BEGIN
    DELETE FROM delivery_words WHERE delivery_id = NEW.id;
    INSERT INTO delivery_texts (delivery_id, owner_key, content)
    VALUES (NEW.id, substr(NEW.owner_id, -7), NEW.last_error || ' ' || COALESCE(
        (SELECT group_concat(j.value, ' ') FROM events e JOIN json_each(e.metadata) j WHERE e.id = NEW.event_id), ''));
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_gone AFTER DELETE ON deliveries BEGIN
    DELETE FROM delivery_words WHERE delivery_id = OLD.id;
END;
-- +goose StatementEnd
-- An event is stored behind its deliveries.
-- +goose StatementBegin
CREATE TRIGGER events_words AFTER INSERT ON events WHEN NEW.metadata <> '{}' BEGIN
    INSERT INTO delivery_texts (delivery_id, owner_key, content)
    SELECT d.id, substr(d.owner_id, -7), d.last_error || ' ' || COALESCE((SELECT group_concat(value, ' ') FROM json_each(NEW.metadata)), '')
    FROM deliveries d WHERE d.event_id = NEW.id;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_words_again AFTER UPDATE OF metadata ON events WHEN OLD.metadata <> '{}' BEGIN
    DELETE FROM delivery_words WHERE delivery_id IN (SELECT id FROM deliveries WHERE event_id = NEW.id);
    INSERT INTO delivery_texts (delivery_id, owner_key, content)
    SELECT d.id, substr(d.owner_id, -7), d.last_error || ' ' || COALESCE((SELECT group_concat(value, ' ') FROM json_each(NEW.metadata)), '')
    FROM deliveries d WHERE d.event_id = NEW.id;
END;
-- +goose StatementEnd

-- Deliveries that were made before.
INSERT INTO delivery_texts (delivery_id, owner_key, content)
SELECT d.id, substr(d.owner_id, -7), d.last_error || ' ' || COALESCE((SELECT group_concat(value, ' ') FROM json_each(e.metadata)), '')
FROM deliveries d JOIN events e ON e.id = d.event_id
WHERE d.last_error <> '' OR e.metadata <> '{}';

-- +goose Down
DROP TRIGGER events_words_again;
DROP TRIGGER events_words;
DROP TRIGGER deliveries_gone;
DROP TRIGGER deliveries_words;
DROP TRIGGER delivery_texts_words;
DROP VIEW delivery_texts;
DROP TABLE delivery_words;
