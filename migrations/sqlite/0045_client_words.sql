-- The words of cards, those of one word by the newest card first. `marks` tell mostly, without a look at the card,
-- whether another word stands on it too.
CREATE TABLE client_words (
    word          TEXT NOT NULL,
    client        INTEGER NOT NULL,
    marks         INTEGER NOT NULL,
    PRIMARY KEY (word, client DESC)
) WITHOUT ROWID;
