-- What was said, by an outside recogniser: the work to be done and its results.
CREATE TABLE transcripts (
    recording     OWN_KEY,                  -- of recordings
    call          BIGINT NOT NULL,          -- that of the recording
    state         TEXT NOT NULL,            -- waiting, running, done, failed
    attempts      BIGINT NOT NULL,
    due_at        BIGINT NOT NULL,          -- of one that waits
    problem       TEXT NOT NULL,
    words         TEXT NOT NULL,            -- JSON, empty until done
    changed_at    BIGINT NOT NULL
);
CREATE INDEX transcripts_due ON transcripts (state, due_at);
CREATE INDEX recordings_by_storing ON recordings (stored_at);

-- The words of a talk, each once, as the search sees them; by the newest calls.
CREATE TABLE transcript_index (
    word          BYTE_TEXT NOT NULL,
    call          BIGINT NOT NULL,
    recording     BIGINT NOT NULL,
    PRIMARY KEY (word, call, recording)
) CLUSTERED;
CREATE INDEX transcript_index_of ON transcript_index (recording);
