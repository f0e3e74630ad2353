-- Whose entries close when any of the client's numbers rings in, or is reached.
CREATE INDEX callbacks_lost_of_client ON callbacks (client) WHERE kind = 'lost' AND closed_at IS NULL;
