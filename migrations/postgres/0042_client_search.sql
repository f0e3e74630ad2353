-- What clients are found by, as src/shell/store/search.rs writes it: any three letters in a row find their card.
--
-- pg_trgm takes for letters what the database's locale does, and with locale C that is nothing outside ASCII. So the
-- index sees each Cyrillic letter as an ASCII one; what that mixes up is told apart by the text itself.
CREATE TABLE client_search (
    client        BIGINT PRIMARY KEY,
    text          TEXT COLLATE "C" NOT NULL
);

DO $$
DECLARE
    place text;
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
    SELECT n.nspname INTO place FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_trgm';
    EXECUTE format(
        'CREATE INDEX client_search_trigrams ON client_search USING gin (
            translate(text, ''абвгдежзийклмнопрстуфхцчшщъыьэюя'', ''abvgdejziyklmnoprstufhcqwwxyxeua'') %I.gin_trgm_ops
        ) WITH (fastupdate = off)', place);
END $$;
