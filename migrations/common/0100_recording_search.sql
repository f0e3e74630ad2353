-- Recordings are found in the order of their calls, the newest first: a call's number grows with time. Each index below
-- has the recordings of one wish in that order, so that a page is read without the rest.
CREATE INDEX recordings_walk ON recordings (call, duration_ms);
DROP INDEX recordings_by_call;
CREATE INDEX recordings_of_state ON recordings (state, call);
CREATE INDEX recordings_by_length ON recordings (duration_ms, call);
CREATE INDEX calls_of_disposition ON calls (disposition, id);
CREATE INDEX contacts_calls_of_purpose ON contacts (purpose, call) WHERE call IS NOT NULL;

-- What people mark and say of a moment of a recording.
CREATE TABLE recording_marks (
    id            AUTO_KEY,
    recording     BIGINT NOT NULL REFERENCES recordings (id),
    call          BIGINT NOT NULL,          -- that of the recording
    at_ms         BIGINT NOT NULL,          -- from the recording's beginning
    kind          TEXT NOT NULL,            -- a word of the short list, or the office's own label
    text          TEXT NOT NULL,
    author        TEXT NOT NULL,            -- user:7 or key:name; who may edit it
    author_name   TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL
);
CREATE INDEX recording_marks_of ON recording_marks (recording, at_ms, id);
CREATE INDEX recording_marks_of_kind ON recording_marks (kind, call, recording);
