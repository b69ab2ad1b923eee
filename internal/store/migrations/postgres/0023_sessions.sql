-- +goose Up
-- Who is signed in to the console or the portal.
CREATE TABLE sessions (
    id         text COLLATE "C" PRIMARY KEY,
    owner_id   text COLLATE "C" NOT NULL,
    role       text COLLATE "C" NOT NULL,
    key_hash   bytea,
    portal     boolean NOT NULL,
    capabilities text NOT NULL,
    link_hash  bytea,
    link_until timestamptz,
    token_hash bytea,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz
);
CREATE UNIQUE INDEX sessions_token ON sessions (token_hash) WHERE token_hash IS NOT NULL;
CREATE UNIQUE INDEX sessions_link ON sessions (link_hash) WHERE link_hash IS NOT NULL;
CREATE INDEX sessions_owner ON sessions (owner_id, id);

-- +goose Down
DROP TABLE sessions;
