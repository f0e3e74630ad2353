-- The journal of contacts: calls, which enter by themselves, and visits; why clients come; who is told of what. Moments
-- are milliseconds since 1970 UTC. A person is written as agent:7 or user:7.

CREATE TABLE purposes (
    id            AUTO_KEY,
    name          TEXT NOT NULL UNIQUE,     -- with its section
    is_default    BIGINT NOT NULL,          -- never: a contact whose purpose is not known has none
    retired       BIGINT NOT NULL,          -- offered no more; kept for the contacts that have it
    body          TEXT NOT NULL,            -- JSON, with specialists, queue and greeting
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL
);

CREATE TABLE contacts (
    id            AUTO_KEY,
    version       BIGINT NOT NULL,
    kind          TEXT NOT NULL,            -- call_in, call_out, visit
    state         TEXT NOT NULL,            -- new, waiting, in_work, done, ignored
    purpose       BIGINT REFERENCES purposes (id),
    client        BIGINT REFERENCES clients (id),
    phone         TEXT NOT NULL,            -- canonical or empty
    description   TEXT NOT NULL,
    comment       TEXT NOT NULL,
    responsible   TEXT,
    in_call       BIGINT NOT NULL,          -- ends with its call
    ignored       TEXT,                     -- why
    outcome       TEXT NOT NULL,
    call          BIGINT,                   -- no reference: a call may be written after what is told of it
    created_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL,
    ended_at      BIGINT,
    waiting_since BIGINT,
    reminded_at   BIGINT                    -- of one that waits: when the office was told last
);
CREATE UNIQUE INDEX contacts_of_call ON contacts (call) WHERE call IS NOT NULL;
CREATE INDEX contacts_by_time ON contacts (created_at, id);
-- Nearly all are calls that came in and are done: by those, the line of time is the index.
CREATE INDEX contacts_open ON contacts (state, created_at, id) WHERE ended_at IS NULL;
CREATE INDEX contacts_ignored ON contacts (created_at, id) WHERE ignored IS NOT NULL;
CREATE INDEX contacts_not_called_in ON contacts (kind, created_at, id) WHERE kind <> 'call_in';
CREATE INDEX contacts_by_purpose ON contacts (purpose, created_at, id) WHERE purpose IS NOT NULL;
CREATE INDEX contacts_by_responsible ON contacts (responsible, created_at, id) WHERE responsible IS NOT NULL;
CREATE INDEX contacts_by_client ON contacts (client, created_at, id) WHERE client IS NOT NULL;
CREATE INDEX contacts_by_phone ON contacts (phone, created_at, id) WHERE phone <> '';
CREATE INDEX contacts_to_remind ON contacts (reminded_at) WHERE state = 'waiting';

CREATE TABLE contact_history (
    id            AUTO_KEY,
    contact       BIGINT NOT NULL REFERENCES contacts (id),
    version       BIGINT NOT NULL,          -- that the entry made
    at            BIGINT NOT NULL,
    kind          TEXT NOT NULL,
    entry         TEXT NOT NULL,            -- JSON
    UNIQUE (contact, version)
);

-- Documents in other systems.
CREATE TABLE contact_references (
    contact       BIGINT NOT NULL REFERENCES contacts (id),
    place         BIGINT NOT NULL,
    document      TEXT NOT NULL,            -- worksheet, appointment, visit, work_order, order
    number        TEXT NOT NULL,
    link          TEXT NOT NULL,
    PRIMARY KEY (contact, document, number)
) CLUSTERED;
CREATE INDEX contact_references_by_number ON contact_references (number, contact);

CREATE TABLE notifications (
    id            AUTO_KEY,
    person        TEXT NOT NULL,
    contact       BIGINT NOT NULL REFERENCES contacts (id),
    why           TEXT NOT NULL,            -- responsible, purpose, reminder
    told_at       BIGINT NOT NULL,          -- last: a reminder tells again
    times         BIGINT NOT NULL,
    seen_at       BIGINT,
    closed_at     BIGINT                    -- somebody sees to the contact, or nobody has to
);
CREATE UNIQUE INDEX notifications_open ON notifications (contact, person) WHERE closed_at IS NULL;
CREATE INDEX notifications_by_person ON notifications (person, told_at, id) WHERE closed_at IS NULL;
CREATE INDEX notifications_closed ON notifications (closed_at) WHERE closed_at IS NOT NULL;
