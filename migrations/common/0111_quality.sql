-- Grading of talks: forms, whose versions are all kept, and grades, which keep the version that they were given by.
CREATE TABLE quality_forms (
    id          AUTO_KEY,
    name        TEXT NOT NULL UNIQUE,
    version     BIGINT NOT NULL,            -- the one to grade by
    retired     BIGINT NOT NULL,
    changed_by  TEXT NOT NULL,              -- login or key
    changed_at  BIGINT NOT NULL
);

CREATE TABLE quality_form_versions (
    form        BIGINT NOT NULL REFERENCES quality_forms (id),
    version     BIGINT NOT NULL,
    sections    TEXT NOT NULL,              -- JSON
    PRIMARY KEY (form, version)
) CLUSTERED;

CREATE TABLE quality_grades (
    id           AUTO_KEY,
    recording    BIGINT NOT NULL,
    call         BIGINT NOT NULL,
    agent        BIGINT,                    -- who is graded: talked last
    form         BIGINT NOT NULL REFERENCES quality_forms (id),
    form_version BIGINT NOT NULL,
    score        BIGINT NOT NULL,           -- thousandths
    failed       BIGINT NOT NULL,           -- by a fatal question
    answers      TEXT NOT NULL,             -- JSON
    comment      TEXT NOT NULL,
    graded_by    TEXT NOT NULL,             -- login or key
    graded_at    BIGINT NOT NULL,
    UNIQUE (recording, form, graded_by)
);
CREATE INDEX quality_grades_by_time ON quality_grades (graded_at, id);
CREATE INDEX quality_grades_by_agent ON quality_grades (agent, graded_at, id);
