-- Cards from before the table.
INSERT INTO client_days (day, client)
SELECT DISTINCT (substr(date, 6, 2) || substr(date, 9, 2))::bigint, id FROM (
    SELECT id, body::jsonb -> 'dates' ->> 'birthday' AS date FROM clients
    UNION ALL
    SELECT c.id, o.value ->> 'date'
    FROM clients c, jsonb_array_elements(COALESCE(c.body::jsonb -> 'dates' -> 'others', '[]')) o
) dates WHERE date IS NOT NULL;
