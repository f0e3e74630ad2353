-- Clients whom the office calls. A row is written by the transaction of what it is about, and stays pending over any
-- restart until it has an end. Moments are milliseconds since 1970 UTC.

CREATE TABLE callbacks (
    id            AUTO_KEY,
    kind          TEXT NOT NULL,            -- order, lost, words
    occasion      TEXT,                     -- what happened to the order
    order_id      BIGINT,
    client        BIGINT,
    number        TEXT NOT NULL,            -- canonical; empty once the client is erased
    language      TEXT,
    words         TEXT NOT NULL,            -- what is told, where it is the office's own
    by_sms        BIGINT NOT NULL,          -- told by SMS as well
    lost_call     BIGINT,                   -- the call whose caller hung up while waiting
    author        TEXT NOT NULL,            -- who wanted it; empty for the engine
    state         TEXT NOT NULL,            -- pending, delivered, superseded, cancelled, exhausted; listed: for people only
    attempt       BIGINT,                   -- in flight, the call id
    attempts      BIGINT NOT NULL,          -- made, those that count
    due_at        BIGINT NOT NULL,          -- of the next attempt
    not_before    BIGINT,                   -- a moment that somebody chose
    created_at    BIGINT NOT NULL,
    ended_at      BIGINT,
    outcome       TEXT,                     -- of the last attempt
    settled       BIGINT NOT NULL,          -- what follows of having made all attempts in vain is done
    closed_at     BIGINT,                   -- an exhausted or listed one that somebody has seen to
    closed_by     TEXT
);
CREATE INDEX callbacks_pending ON callbacks (id) WHERE state = 'pending';
CREATE INDEX callbacks_of_order ON callbacks (order_id) WHERE state = 'pending';
CREATE INDEX callbacks_unsettled ON callbacks (id) WHERE state = 'exhausted' AND settled = 0;
CREATE INDEX callbacks_by_time ON callbacks (created_at, id);
CREATE INDEX callbacks_by_state ON callbacks (state, created_at, id);
CREATE INDEX callbacks_by_client ON callbacks (client, created_at, id);
CREATE UNIQUE INDEX callbacks_of_lost_call ON callbacks (lost_call) WHERE lost_call IS NOT NULL;
CREATE INDEX callbacks_lost ON callbacks (number) WHERE kind = 'lost' AND closed_at IS NULL;
CREATE INDEX callbacks_by_number ON callbacks (number, created_at, id);

CREATE TABLE callback_attempts (
    id            OWN_KEY,                  -- the call id as a signed number
    callback      BIGINT NOT NULL REFERENCES callbacks (id),
    started_at    BIGINT NOT NULL,
    ended_at      BIGINT,
    outcome       TEXT,
    cause         BIGINT                    -- Q.850
);
CREATE INDEX callback_attempts_by_callback ON callback_attempts (callback, id);

-- Calls that the office made.
ALTER TABLE calls ADD COLUMN outgoing BIGINT;
