CREATE TABLE agents (
    id            AUTO_KEY,
    name          TEXT NOT NULL,
    endpoint      TEXT NOT NULL UNIQUE,
    sip_password  TEXT NOT NULL,
    node          BIGINT NOT NULL,
    queues        TEXT NOT NULL,            -- JSON: ["main"]; empty for all
    skills        TEXT NOT NULL,            -- JSON: {"english": 7}
    disabled      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    version       BIGINT NOT NULL
);

-- What the journal knows of an agent, apart from what people edit, so that neither waits for the other.
CREATE TABLE agent_state (
    agent         BIGINT NOT NULL PRIMARY KEY,
    status        TEXT,
    reason        TEXT,
    status_at     BIGINT,
    idle_at       BIGINT,
    calls_taken   BIGINT
);

CREATE TABLE agent_status_log (
    agent         BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    status        TEXT NOT NULL,
    reason        TEXT NOT NULL,
    actor_kind    TEXT NOT NULL,
    actor_name    TEXT NOT NULL,
    PRIMARY KEY (agent, at, status, reason)
) CLUSTERED;

CREATE TABLE users (
    id            AUTO_KEY,
    login         TEXT NOT NULL,
    login_key     TEXT NOT NULL UNIQUE,     -- in small letters
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL,
    agent         BIGINT UNIQUE REFERENCES agents (id),
    disabled      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);

CREATE TABLE sessions (
    token_hash    TEXT NOT NULL PRIMARY KEY, -- SHA-256: whoever reads the database cannot log in with it
    user_id       BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address       TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE api_keys (
    id            AUTO_KEY,
    name          TEXT NOT NULL UNIQUE,
    key_hash      TEXT NOT NULL UNIQUE,
    scopes        TEXT NOT NULL,            -- JSON: ["read"]
    disabled      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);

CREATE TABLE idempotency_keys (
    owner         TEXT NOT NULL,
    idem_key      TEXT NOT NULL,
    route         TEXT NOT NULL,
    fingerprint   TEXT NOT NULL,            -- of the request: the same key with another request is a mistake
    status        BIGINT,                   -- none while the first request is being answered
    body          TEXT,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (owner, idem_key, route)
);
CREATE INDEX idempotency_by_age ON idempotency_keys (created_at);

CREATE TABLE audit (
    id            AUTO_KEY,
    at            BIGINT NOT NULL,
    actor_kind    TEXT NOT NULL,
    actor_name    TEXT NOT NULL,
    action        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    detail        TEXT NOT NULL,            -- JSON
    address       TEXT NOT NULL
);
CREATE INDEX audit_by_time ON audit (at, id);
CREATE INDEX audit_by_action ON audit (action, at, id);
CREATE INDEX audit_by_actor ON audit (actor_name, at, id);
