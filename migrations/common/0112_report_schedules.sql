-- Reports that are sent by e-mail, and each time that one was or is to be sent.
CREATE TABLE report_schedules (
    id          AUTO_KEY,
    name        TEXT NOT NULL UNIQUE,
    body        TEXT NOT NULL,              -- JSON: what, to whom, when
    enabled     BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    changed_by  TEXT NOT NULL,              -- login or key
    changed_at  BIGINT NOT NULL             -- what was due before is not sent
);

CREATE TABLE report_mailings (
    id          AUTO_KEY,
    schedule    BIGINT NOT NULL REFERENCES report_schedules (id),
    due_at      BIGINT NOT NULL,            -- the moment of the schedule, or of the wish to try it
    state       TEXT NOT NULL,              -- pending, sent, failed
    attempts    BIGINT NOT NULL,
    next_at     BIGINT NOT NULL,            -- of the next attempt
    ended_at    BIGINT,
    last_error  TEXT NOT NULL,
    UNIQUE (schedule, due_at)
);
CREATE INDEX report_mailings_pending ON report_mailings (next_at) WHERE state = 'pending';
