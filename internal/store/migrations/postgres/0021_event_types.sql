-- +goose Up
-- The installation's catalogue: what events of a type look like.
CREATE TABLE event_types (
    id          text COLLATE "C" PRIMARY KEY,
    name        text COLLATE "C" NOT NULL,
    description text NOT NULL,
    group_name  text NOT NULL,
    schema      bytea,
    example     bytea,
    deprecated  boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX event_types_name ON event_types (name);

-- +goose Down
DROP TABLE event_types;
