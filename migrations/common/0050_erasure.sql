-- When the caller's number was erased on that client's request; the row of the call stays.
ALTER TABLE calls ADD COLUMN erased_at BIGINT;
-- Outside numbers that were rung: those of one client are looked for when the client is erased.
CREATE INDEX legs_by_number ON legs (number) WHERE number IS NOT NULL;
