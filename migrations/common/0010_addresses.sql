-- What address hints are made of: the list of streets that an administrator imports, and where clients were before.
CREATE TABLE streets (
    id            AUTO_KEY,
    settlement    TEXT NOT NULL,            -- city, town or village; empty for the office's own
    kind          TEXT NOT NULL,            -- street, avenue, lane, …
    name          TEXT NOT NULL,            -- without the kind
    street_key    TEXT NOT NULL UNIQUE,     -- what all ways to write it have in common
    added_at      BIGINT NOT NULL
);

CREATE TABLE places (
    client        BIGINT NOT NULL,
    place_key     TEXT NOT NULL,            -- what all ways to write the address have in common
    city          TEXT NOT NULL,
    street        TEXT NOT NULL,            -- with its kind
    house         TEXT NOT NULL,
    entrance      TEXT NOT NULL,
    comment       TEXT NOT NULL,            -- as given the last time
    uses          BIGINT NOT NULL,
    last_used_at  BIGINT NOT NULL,
    PRIMARY KEY (client, place_key)
) CLUSTERED;
CREATE INDEX places_by_use ON places (client, last_used_at);

-- How often a list was changed, so that whoever keeps it in memory knows when to read it again.
CREATE TABLE list_versions (
    list          TEXT NOT NULL PRIMARY KEY,
    version       BIGINT NOT NULL
);
