-- Stretches of the recording in which nothing was kept: `from-to` in milliseconds of it, with commas between.
ALTER TABLE recordings ADD COLUMN pauses TEXT NOT NULL DEFAULT '';
