-- SMS out and in. What goes out is queued in the transaction of what it tells of.
CREATE TABLE sms (
    id             AUTO_KEY,
    direction      TEXT NOT NULL,            -- out, in
    key            TEXT UNIQUE,              -- what goes out under one key goes out once; none: as often as it is written
    number         TEXT NOT NULL,            -- the other side's, canonical; empty once the client is erased
    text           TEXT NOT NULL,
    client         BIGINT REFERENCES clients (id),
    order_id       BIGINT REFERENCES orders (id),
    reason         TEXT NOT NULL,            -- out: assigned, … agent, answer; in: what was asked for
    author         TEXT NOT NULL,            -- who wrote it, for people; empty: the engine
    state          TEXT NOT NULL,            -- out: queued, sent, delivered, failed, expired, superseded; in: received, answered
    parts          BIGINT NOT NULL,          -- messages that the network counts; 0 before it is sent
    provider       TEXT NOT NULL,            -- name of the gateway that took it or that it came by
    attempts       BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    due_at         BIGINT,                   -- of the next attempt; none when nothing more is to be done
    expires_at     BIGINT,                   -- afterwards it is of no use
    sent_at        BIGINT,
    ended_at       BIGINT,
    error          TEXT NOT NULL,            -- why the last attempt failed
    answer         BIGINT                    -- of one that came in: what was answered
);
CREATE INDEX sms_due ON sms (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX sms_by_time ON sms (created_at, id);
CREATE INDEX sms_by_client ON sms (client, created_at, id);
CREATE INDEX sms_by_number ON sms (number, created_at, id);
CREATE INDEX sms_by_order ON sms (order_id, id);

-- What gateways call the parts of what they took. A report may come before we know whose it is.
CREATE TABLE sms_parts (
    provider       TEXT NOT NULL,
    reference      TEXT NOT NULL,            -- the gateway's own id
    sms            BIGINT REFERENCES sms (id) ON DELETE CASCADE,
    state          TEXT NOT NULL,            -- sent, delivered, failed, expired
    error          TEXT NOT NULL,
    at             BIGINT NOT NULL,
    PRIMARY KEY (provider, reference)
) CLUSTERED;
CREATE INDEX sms_parts_by_sms ON sms_parts (sms);
