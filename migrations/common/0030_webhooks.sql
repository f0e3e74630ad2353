-- Programs outside that are told of orders and calls by HTTP.
CREATE TABLE webhook_endpoints (
    id             AUTO_KEY,
    url            TEXT NOT NULL,
    description    TEXT NOT NULL,
    secret         TEXT NOT NULL,            -- whsec_…; every message is signed with it, so a hash would be of no use
    disabled       BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    delivered      BIGINT NOT NULL,          -- messages since it was made
    delivered_at   BIGINT,                   -- last
    failures       BIGINT NOT NULL,          -- attempts since the last delivery
    last_error     TEXT NOT NULL,
    last_error_at  BIGINT
);

CREATE TABLE webhook_events (
    endpoint       BIGINT NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    event          TEXT NOT NULL,            -- order.assigned, order.*, call.*, *
    PRIMARY KEY (endpoint, event)
) CLUSTERED;

-- What is still to be delivered: one row for each event and endpoint, gone when the endpoint has taken it.
CREATE TABLE outbox (
    id             AUTO_KEY,                 -- within a lane the order of events
    endpoint       BIGINT NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    message        TEXT NOT NULL,            -- webhook-id, the same in every attempt
    lane           TEXT NOT NULL,            -- order:17: delivered one after another
    event          TEXT NOT NULL,
    body           TEXT NOT NULL,            -- JSON as it is signed and sent
    created_at     BIGINT NOT NULL,
    due_at         BIGINT NOT NULL,          -- of the next attempt
    attempts       BIGINT NOT NULL,
    last_error     TEXT NOT NULL,
    UNIQUE (endpoint, message)
);
CREATE INDEX outbox_due ON outbox (endpoint, due_at, id);
CREATE INDEX outbox_lanes ON outbox (endpoint, lane, id);
