-- +goose Up
-- The installation's catalogue: what events of a type look like.
CREATE TABLE event_types (
    id          text PRIMARY KEY,
    name        text NOT NULL,
    description text NOT NULL,
    group_name  text NOT NULL,
    schema      blob,
    example     blob,
    deprecated  boolean NOT NULL,
    created_at  datetime NOT NULL,
    updated_at  datetime NOT NULL
);
CREATE UNIQUE INDEX event_types_name ON event_types (name);

-- +goose Down
DROP TABLE event_types;
