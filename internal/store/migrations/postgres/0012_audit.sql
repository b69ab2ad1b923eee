-- +goose Up
-- Who did what, when and from where. Its rows outlive what they speak of, and go by age.
CREATE TABLE audit (
    id         text COLLATE "C" PRIMARY KEY,
    owner_id   text COLLATE "C" NOT NULL,
    actor      text COLLATE "C" NOT NULL,
    admin      boolean NOT NULL,
    action     text COLLATE "C" NOT NULL,
    object_id  text COLLATE "C" NOT NULL,
    fields     text NOT NULL,
    address    text NOT NULL,
    count      bigint NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX audit_owner ON audit (owner_id, id);
CREATE INDEX audit_actor ON audit (actor, id);
CREATE INDEX audit_action ON audit (action, id);

-- +goose Down
DROP TABLE audit;
