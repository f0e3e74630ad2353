-- Who talked in a call: not only those whom it was offered to, also who was asked for, took it over, or dialled.
ALTER TABLE legs ADD COLUMN talked_at BIGINT;   -- the first time that the two were together
UPDATE legs SET talked_at = answered_at WHERE answered_at IS NOT NULL AND agent IS NOT NULL AND (
    EXISTS (SELECT 1 FROM offers o WHERE o.call = legs.call AND o.offer = legs.leg AND o.outcome = 'ANSWERED')
    OR EXISTS (SELECT 1 FROM calls c WHERE c.id = legs.call AND c.agent = legs.agent AND c.bridged_at IS NOT NULL));
CREATE INDEX legs_talked ON legs (agent, call) WHERE talked_at IS NOT NULL;
