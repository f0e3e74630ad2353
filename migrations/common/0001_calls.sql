-- Written for SQLite and PostgreSQL alike. The words in capitals that neither knows are put in by
-- src/shell/store/schema.rs: OWN_KEY, AUTO_KEY (key columns), BYTE_TEXT (text compared byte by byte) and CLUSTERED
-- (rows kept in the order of the key). Moments are milliseconds since 1970 UTC, spans are milliseconds, flags 0 and 1.

CREATE TABLE calls (
    id            OWN_KEY,                  -- the call id as a signed number
    node          BIGINT,                   -- unknown until the arrival is written
    channel       TEXT,
    recording     TEXT,
    number        TEXT,                     -- canonical, empty when hidden
    number_rev    BYTE_TEXT,                -- reversed, so that the last digits are found by an index
    dialled       TEXT,
    by_fallback   BIGINT,
    arrived_at    BIGINT NOT NULL,
    queue         TEXT,                     -- entered last
    priority      BIGINT,
    queued_at     BIGINT,                   -- first
    requeued_at   BIGINT,                   -- last
    bridged_at    BIGINT,                   -- first
    agent         BIGINT,                   -- talked last
    agent_at      BIGINT,
    ended_at      BIGINT,
    disposition   TEXT,
    cause         BIGINT,
    waited_ms     BIGINT,
    talked_ms     BIGINT
);
CREATE INDEX calls_by_time ON calls (arrived_at, id);
CREATE INDEX calls_by_number ON calls (number_rev, arrived_at);
CREATE INDEX calls_by_queue ON calls (queue, arrived_at);
CREATE INDEX calls_by_disposition ON calls (disposition, arrived_at);
CREATE INDEX calls_by_recording ON calls (recording);
CREATE INDEX calls_open ON calls (node) WHERE ended_at IS NULL;

CREATE TABLE legs (
    call          BIGINT NOT NULL REFERENCES calls (id),
    leg           BIGINT NOT NULL,
    channel       TEXT,
    agent         BIGINT,                   -- no reference: history outlives the agent
    number        TEXT,
    started_at    BIGINT,
    answered_at   BIGINT,
    ended_at      BIGINT,
    cause         BIGINT,
    PRIMARY KEY (call, leg)
) CLUSTERED;

CREATE TABLE offers (
    call          BIGINT NOT NULL REFERENCES calls (id),
    offer         BIGINT NOT NULL,
    agent         BIGINT,
    made_at       BIGINT,
    ringing_at    BIGINT,
    ended_at      BIGINT,
    outcome       TEXT,
    PRIMARY KEY (call, offer)
) CLUSTERED;
CREATE INDEX legs_open ON legs (call) WHERE ended_at IS NULL;
CREATE INDEX offers_open ON offers (call) WHERE ended_at IS NULL;
CREATE INDEX offers_by_agent ON offers (agent, outcome, call);

CREATE TABLE call_notes (
    call          BIGINT NOT NULL REFERENCES calls (id),
    at            BIGINT NOT NULL,
    digest        BIGINT NOT NULL,          -- of the rest: the same note written twice is one
    what          TEXT NOT NULL,
    detail        TEXT NOT NULL,
    actor_kind    TEXT NOT NULL,
    actor_name    TEXT NOT NULL,
    PRIMARY KEY (call, at, digest)
) CLUSTERED;

CREATE TABLE blocked_numbers (
    id            AUTO_KEY,
    number        TEXT NOT NULL UNIQUE,     -- canonical
    reason        TEXT NOT NULL,
    blocked_by    TEXT NOT NULL,
    blocked_at    BIGINT NOT NULL
);

CREATE TABLE recordings (
    id            AUTO_KEY,
    call          BIGINT NOT NULL REFERENCES calls (id),
    node          BIGINT NOT NULL,
    name          TEXT NOT NULL,            -- under Asterisk's recording folder
    path          TEXT,                     -- under the archive; none when there is nothing to keep
    sha256        TEXT,
    bytes         BIGINT,
    duration_ms   BIGINT,
    channels      BIGINT,
    left_rms      BIGINT,                   -- of 32767
    right_rms     BIGINT,
    state         TEXT NOT NULL,
    problem       TEXT NOT NULL,
    started_at    BIGINT NOT NULL,
    stored_at     BIGINT NOT NULL,
    UNIQUE (node, name)
);
CREATE INDEX recordings_by_call ON recordings (call);
CREATE INDEX recordings_by_time ON recordings (started_at, id);
CREATE INDEX recordings_by_state ON recordings (state, started_at);
