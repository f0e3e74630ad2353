-- Clients who are called back instead of waiting (callbacks of the kind `place`): which place in line is kept.

ALTER TABLE callbacks ADD COLUMN place_call BIGINT;      -- the call in which it was asked for
ALTER TABLE callbacks ADD COLUMN place_node BIGINT;      -- on which Asterisk, by its place in the configuration
ALTER TABLE callbacks ADD COLUMN place_queue TEXT;       -- the queue, by name
ALTER TABLE callbacks ADD COLUMN place_priority BIGINT;  -- what the client's card added to the queue's priority
ALTER TABLE callbacks ADD COLUMN place_entered BIGINT;   -- when the client entered the queue

-- Nobody is called twice: a second wish joins the first.
CREATE UNIQUE INDEX callbacks_of_place ON callbacks (number) WHERE kind = 'place' AND state = 'pending';
