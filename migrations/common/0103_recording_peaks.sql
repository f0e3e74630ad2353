-- The picture of a recording, drawn once.
CREATE TABLE recording_peaks (
    recording     OWN_KEY,                  -- of recordings
    sha256        TEXT NOT NULL,            -- of the file that was drawn
    picture       TEXT NOT NULL             -- JSON
);
