-- Clients, orders, money, tariffs and groups. `body` is the whole state as JSON, as the domain writes it; the columns
-- beside it are taken from it so that rows can be found. Sums are kopecks.

CREATE TABLE tariffs (
    id            AUTO_KEY,
    name          TEXT NOT NULL UNIQUE,
    is_default    BIGINT NOT NULL,
    retired       BIGINT NOT NULL,          -- offered no more; kept for the orders that name it
    body          TEXT NOT NULL,
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX tariffs_is_default ON tariffs (is_default) WHERE is_default = 1;

CREATE TABLE client_groups (
    id            AUTO_KEY,
    name          TEXT NOT NULL UNIQUE,
    is_default    BIGINT NOT NULL,
    retired       BIGINT NOT NULL,
    body          TEXT NOT NULL,
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX client_groups_is_default ON client_groups (is_default) WHERE is_default = 1;

CREATE TABLE clients (
    id            AUTO_KEY,
    version       BIGINT NOT NULL,
    code          TEXT,                     -- none once merged or erased: others may have it then
    kind          TEXT NOT NULL,
    client_group  BIGINT REFERENCES client_groups (id),
    blocked       BIGINT NOT NULL,
    conflict      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL,
    root          BIGINT REFERENCES clients (id), -- where a merged card ended up, however many merges later
    erased_at     BIGINT,
    body          TEXT NOT NULL,
    -- Counters; they change without a new version of the card.
    completed     BIGINT NOT NULL DEFAULT 0,
    false_orders  BIGINT NOT NULL DEFAULT 0,
    prize         BIGINT NOT NULL DEFAULT 0,
    cancelled     BIGINT NOT NULL DEFAULT 0,
    complaints    BIGINT NOT NULL DEFAULT 0,
    calls         BIGINT NOT NULL DEFAULT 0,
    last_call     BIGINT
);
CREATE UNIQUE INDEX clients_code ON clients (code) WHERE code IS NOT NULL;
CREATE INDEX clients_by_time ON clients (created_at, id);
CREATE INDEX clients_by_group ON clients (client_group, created_at, id);
CREATE INDEX clients_blocked ON clients (created_at, id) WHERE blocked = 1;
CREATE INDEX clients_by_root ON clients (root) WHERE root IS NOT NULL;

-- Which number led to which card, and when: a call belongs to whoever had the number at that time.
CREATE TABLE client_phones (
    id            AUTO_KEY,
    client        BIGINT NOT NULL REFERENCES clients (id),
    number        TEXT NOT NULL,            -- canonical
    number_rev    BYTE_TEXT NOT NULL,       -- as in calls
    since         BIGINT NOT NULL,          -- 0 for the first who had it: also the calls before the card
    until         BIGINT                    -- none while it is on the card
);
CREATE UNIQUE INDEX client_phones_number ON client_phones (number) WHERE until IS NULL;
CREATE INDEX client_phones_by_client ON client_phones (client);
CREATE INDEX client_phones_by_number ON client_phones (number);

CREATE TABLE client_tags (
    client        BIGINT NOT NULL REFERENCES clients (id),
    tag           TEXT NOT NULL,
    PRIMARY KEY (tag, client)
) CLUSTERED;
CREATE INDEX client_tags_by_client ON client_tags (client);

CREATE TABLE client_history (
    id            AUTO_KEY,
    client        BIGINT NOT NULL REFERENCES clients (id),
    version       BIGINT NOT NULL,          -- that the entry made
    at            BIGINT NOT NULL,
    kind          TEXT NOT NULL,
    entry         TEXT NOT NULL,            -- JSON
    UNIQUE (client, version)
);
CREATE INDEX client_history_by_time ON client_history (client, at, id);

CREATE TABLE orders (
    id            AUTO_KEY,
    version       BIGINT NOT NULL,
    state         TEXT NOT NULL,
    client        BIGINT REFERENCES clients (id),
    phone         TEXT NOT NULL,            -- canonical or empty
    tariff        BIGINT REFERENCES tariffs (id),
    source        TEXT NOT NULL,
    driver        TEXT NOT NULL,            -- the driver's code, empty without one
    callsign      TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    wanted_at     BIGINT NOT NULL,
    wake_at       BIGINT,                   -- while a pre-order sleeps
    ended_at      BIGINT,
    total         BIGINT,                   -- of the fare
    body          TEXT NOT NULL
);
CREATE INDEX orders_by_time ON orders (created_at, id);
CREATE INDEX orders_by_state ON orders (state, created_at, id);
CREATE INDEX orders_by_client ON orders (client, created_at, id);
CREATE INDEX orders_by_phone ON orders (phone, created_at, id);
CREATE INDEX orders_by_driver ON orders (driver, created_at, id) WHERE driver <> '';
CREATE INDEX orders_to_wake ON orders (wake_at, id) WHERE wake_at IS NOT NULL;

CREATE TABLE order_history (
    id            AUTO_KEY,
    order_id      BIGINT NOT NULL REFERENCES orders (id),
    version       BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    kind          TEXT NOT NULL,
    entry         TEXT NOT NULL,            -- JSON
    UNIQUE (order_id, version)
);

-- Where the car was during the trip: the fare can be reckoned again from them.
CREATE TABLE order_points (
    order_id      BIGINT NOT NULL REFERENCES orders (id),
    at            BIGINT NOT NULL,
    lat_e7        BIGINT NOT NULL,
    lon_e7        BIGINT NOT NULL,
    accuracy_m    BIGINT,
    PRIMARY KEY (order_id, at, lat_e7, lon_e7)
) CLUSTERED;

-- What is on a client's accounts. Only new lines of the ledger change it: see the triggers.
CREATE TABLE ledger_balances (
    client        BIGINT NOT NULL PRIMARY KEY REFERENCES clients (id),
    account       BIGINT NOT NULL,
    bonus         BIGINT NOT NULL,
    entries       BIGINT NOT NULL           -- the number of the last line
);

CREATE TABLE ledger_entries (
    id            AUTO_KEY,
    client        BIGINT NOT NULL REFERENCES clients (id),
    number        BIGINT NOT NULL,          -- 1, 2, 3, … for each client
    book          TEXT NOT NULL CHECK (book IN ('account', 'bonus')),
    kind          TEXT NOT NULL,
    method        TEXT NOT NULL,
    amount        BIGINT NOT NULL,
    balance       BIGINT NOT NULL,          -- of this book after it
    order_id      BIGINT REFERENCES orders (id),
    phone         TEXT NOT NULL,
    comment       TEXT NOT NULL,
    at            BIGINT NOT NULL,
    actor         TEXT NOT NULL,            -- JSON
    source        TEXT NOT NULL,
    UNIQUE (client, number)
);
CREATE INDEX ledger_by_time ON ledger_entries (at, id);
CREATE INDEX ledger_by_client ON ledger_entries (client, at, id);
CREATE INDEX ledger_by_order ON ledger_entries (order_id) WHERE order_id IS NOT NULL;
