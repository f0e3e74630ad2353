-- The words of cards, those of one word by the newest card first. `marks` tell mostly, without a look at the card,
-- whether another word stands on it too.
CREATE TABLE client_words (
    word          TEXT COLLATE "C" NOT NULL,
    client        BIGINT NOT NULL,
    marks         BIGINT NOT NULL
);
CREATE UNIQUE INDEX client_words_key ON client_words (word, client DESC) INCLUDE (marks);
