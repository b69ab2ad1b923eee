-- +goose Up
-- Who is signed in to the console or the portal.
CREATE TABLE sessions (
    id         text PRIMARY KEY,
    owner_id   text NOT NULL,
    role       text NOT NULL,
    key_hash   blob,
    portal     boolean NOT NULL,
    capabilities text NOT NULL,
    link_hash  blob,
    link_until datetime,
    token_hash blob,
    created_at datetime NOT NULL,
    expires_at datetime NOT NULL,
    ended_at   datetime
);
CREATE UNIQUE INDEX sessions_token ON sessions (token_hash) WHERE token_hash IS NOT NULL;
CREATE UNIQUE INDEX sessions_link ON sessions (link_hash) WHERE link_hash IS NOT NULL;
CREATE INDEX sessions_owner ON sessions (owner_id, id);

-- +goose Down
DROP TABLE sessions;
