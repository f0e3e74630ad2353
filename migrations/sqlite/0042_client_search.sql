-- What clients are found by, as src/shell/store/search.rs writes it: any three letters in a row find their card. The
-- row's number is the client's. The text itself is not kept twice.
CREATE VIRTUAL TABLE client_search USING fts5(
    text, content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1'
);
