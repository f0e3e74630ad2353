-- Who heard which talk, and how. A row for each mode; the audit has a line for its beginning and its end.
CREATE TABLE call_monitors (
    call          BIGINT NOT NULL,
    listener      BIGINT NOT NULL,          -- the agent by whose phone it was heard
    began_at      BIGINT NOT NULL,
    ended_at      BIGINT,
    heard         BIGINT,                   -- the agent who talked
    mode          TEXT NOT NULL,            -- listen, whisper, join, take_over
    actor_kind    TEXT NOT NULL,
    actor_name    TEXT NOT NULL,
    PRIMARY KEY (call, listener, began_at)
);
CREATE INDEX call_monitors_open ON call_monitors (call) WHERE ended_at IS NULL;
