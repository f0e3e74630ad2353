-- Days on which a client is to be thought of (callbacks of the kind `attention`): a task for the staff, or a call.
ALTER TABLE callbacks ADD COLUMN attention_on BIGINT;    -- the day, in days since 1970
CREATE UNIQUE INDEX callbacks_of_attention ON callbacks (client, attention_on) WHERE attention_on IS NOT NULL;
