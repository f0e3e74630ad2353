-- Links that play one recording without a log-in, until they end. Of the token only the hash is kept.
CREATE TABLE recording_shares (
    id            AUTO_KEY,
    recording     BIGINT NOT NULL REFERENCES recordings (id),
    token_hash    TEXT NOT NULL UNIQUE,
    reason        TEXT NOT NULL,
    author_name   TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    revoked_at    BIGINT,
    opened        BIGINT NOT NULL,          -- how often
    opened_at     BIGINT                    -- last
);
CREATE INDEX recording_shares_of ON recording_shares (recording, id);
-- Who heard a recording is asked for by the recording.
CREATE INDEX audit_by_subject ON audit (subject, id);
