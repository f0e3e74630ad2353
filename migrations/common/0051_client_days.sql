-- Birthdays and other days of the cards, to find those of one day of the year: month * 100 + day.
CREATE TABLE client_days (
    day           BIGINT NOT NULL,
    client        BIGINT NOT NULL REFERENCES clients (id),
    PRIMARY KEY (day, client)
) CLUSTERED;
CREATE INDEX client_days_by_client ON client_days (client);
