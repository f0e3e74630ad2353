-- Legal hold: such a recording is deleted by nobody until it is lifted.
ALTER TABLE recordings ADD COLUMN held_at BIGINT;
ALTER TABLE recordings ADD COLUMN held_by TEXT;
ALTER TABLE recordings ADD COLUMN held_reason TEXT;

-- For how long a client's talks are kept, where the client has said so.
CREATE TABLE recording_wishes (
    client        BIGINT PRIMARY KEY REFERENCES clients (id),
    days          BIGINT NOT NULL,
    said_by       TEXT NOT NULL,            -- who wrote it down
    said_at       BIGINT NOT NULL
);

-- What comparing the whole archive with its checksums has found, each time.
CREATE TABLE recording_checks (
    id            AUTO_KEY,
    begun_at      BIGINT NOT NULL,
    ended_at      BIGINT NOT NULL,
    checked       BIGINT NOT NULL,
    missing       BIGINT NOT NULL,          -- files that are gone
    short         BIGINT NOT NULL,          -- of another size than was written
    changed       BIGINT NOT NULL,          -- of another checksum
    unreadable    BIGINT NOT NULL           -- damaged, refused by the disk, or sealed with a key that is not there
);
