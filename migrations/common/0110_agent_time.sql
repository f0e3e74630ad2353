-- What reports of the agents' time and of the told wait are made of.
ALTER TABLE legs ADD COLUMN wrapped_at BIGINT;  -- end of the agent's after-call work
ALTER TABLE calls ADD COLUMN told_at BIGINT;    -- when the caller was first told how long it takes
ALTER TABLE calls ADD COLUMN told_ms BIGINT;    -- and what was said
