-- Cards from before the table.
INSERT INTO client_days (day, client)
SELECT DISTINCT CAST(substr(date, 6, 2) || substr(date, 9, 2) AS INTEGER), id FROM (
    SELECT id, json_extract(body, '$.dates.birthday') AS date FROM clients
    UNION ALL
    SELECT c.id, json_extract(o.value, '$.date') FROM clients c, json_each(c.body, '$.dates.others') o
) WHERE date IS NOT NULL;
