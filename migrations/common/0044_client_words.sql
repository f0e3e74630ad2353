-- What clients are found by. The texts and words are folded as src/domain/search.rs does it, so the program fills these
-- tables, see src/shell/store/client_index.rs; after an upgrade it does so for the cards that are there already.
-- PostgreSQL's extension pg_trgm is needed no more; it stays, for it may be somebody else's too.
DROP TABLE client_search;

-- All words of a card. None for a card that was merged or erased.
CREATE TABLE client_search (
    client        OWN_KEY,
    text          BYTE_TEXT NOT NULL        -- a space before and after each word
);

-- Middles of words that stand in names: «ванов» of «иванов».
CREATE TABLE name_parts (
    part          BYTE_TEXT NOT NULL,
    word          BYTE_TEXT NOT NULL,
    PRIMARY KEY (part, word)
) CLUSTERED;

-- Cards up to this number are still to be written into the tables above; no row: none.
CREATE TABLE client_search_todo (
    upto          BIGINT NOT NULL
);
INSERT INTO client_search_todo (upto) SELECT MAX(id) FROM clients HAVING MAX(id) IS NOT NULL;

-- The last digits of a number, so many of them: whatever stands in them is the beginning of one of these.
CREATE INDEX client_phones_last_3 ON client_phones (substr(number, length(number) - 2)) WHERE until IS NULL;
CREATE INDEX client_phones_last_4 ON client_phones (substr(number, length(number) - 3)) WHERE until IS NULL;
CREATE INDEX client_phones_last_5 ON client_phones (substr(number, length(number) - 4)) WHERE until IS NULL;
CREATE INDEX client_phones_last_6 ON client_phones (substr(number, length(number) - 5)) WHERE until IS NULL;
CREATE INDEX client_phones_last_7 ON client_phones (substr(number, length(number) - 6)) WHERE until IS NULL;
CREATE INDEX client_phones_last_8 ON client_phones (substr(number, length(number) - 7)) WHERE until IS NULL;
CREATE INDEX client_phones_last_9 ON client_phones (substr(number, length(number) - 8)) WHERE until IS NULL;
