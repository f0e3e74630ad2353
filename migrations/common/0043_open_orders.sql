-- A caller's open orders, while the caller waits: without walking through all that a company ever ordered.
CREATE INDEX orders_open ON orders (client, created_at) WHERE ended_at IS NULL;
