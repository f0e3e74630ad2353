//! Clients found by whatever the dispatcher remembers of them: a part of a number, a name, a plate, an address.
//!
//! Each card has one line of text, folded ([`fold`]); any three letters of it in a row find it. SQLite keeps it in an
//! FTS5 table of trigrams, PostgreSQL in an index of `pg_trgm`.

use crate::domain::client::{Client, Kind};
use crate::domain::ids::ClientId;
use crate::domain::phone::Phone;
use crate::domain::search::{canonical_plate, fold, readings};

use super::clients::{COLUMNS, ClientRow, FROM, client_row};
use super::{Dialect, Result, Sql, Store, Tx};

/// Cards that are looked at for the best ones. A search that finds more says too little to choose by.
const LOOKED_AT: i64 = 100;
/// Words of a query that are looked for.
const MOST_WORDS: usize = 8;
/// Letters of a query that are looked for.
const LONGEST: usize = 100;
/// The letters that PostgreSQL's index sees as ASCII ones, and those: the same as in its migration.
const CYRILLIC: &str = "абвгдежзийклмнопрстуфхцчшщъыьэюя";
const AS_ASCII: &str = "abvgdejziyklmnoprstufhcqwwxyxeua";

impl Store {
    /// Cards by any number, a part of a name, a plate or an address, the best first: every word of the query stands in
    /// the card. Words of less than three letters are found at the beginning of words only; one letter finds nothing.
    /// Typed with the wrong keyboard layout it is found as well. Merged and erased cards are not found.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn search_clients(&self, query: &str, limit: u32) -> Result<Vec<ClientRow>> {
        let query: String = query.chars().take(LONGEST).collect();
        let most = usize::try_from(limit.clamp(1, 100)).unwrap_or(1);
        for words in meanings(&query) {
            let mut found = self.cards_with(&words).await?;
            if !found.is_empty() {
                found.sort_by_cached_key(|row| std::cmp::Reverse((score(&row.card, &words), row.counters.last_call)));
                found.truncate(most);
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    async fn cards_with(&self, words: &[String]) -> Result<Vec<ClientRow>> {
        let rows = match self.dialect() {
            Dialect::Sqlite => {
                let sql = format!(
                    "SELECT {COLUMNS}{FROM}WHERE c.id IN \
                     (SELECT rowid FROM client_search WHERE client_search MATCH $1 ORDER BY rowid DESC LIMIT $2)"
                );
                // Words hold nothing but letters, digits and a space in front.
                let phrases: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                self.rows(Sql::new(sql).with(phrases.join(" AND ")).with(LOOKED_AT)).await?
            }
            Dialect::Postgres => {
                let mut sql = Sql::new(format!(
                    "SELECT {COLUMNS}{FROM}WHERE c.id IN (SELECT client FROM client_search WHERE 1 = 1"
                ));
                for word in words {
                    sql.push(&format!(" AND translate(text, '{CYRILLIC}', '{AS_ASCII}') LIKE "));
                    sql.push_value(format!("%{}%", as_ascii(word)));
                    sql.push(" AND text LIKE ");
                    sql.push_value(format!("%{word}%"));
                }
                sql.push(" LIMIT ");
                sql.push_value(LOOKED_AT);
                sql.push(")");
                // Reading all cards until enough are found is fast for some words and slow for others; nobody can know
                // before for which.
                let mut tx = self.begin().await?;
                tx.execute(Sql::new("SET LOCAL enable_seqscan = off")).await?;
                tx.rows(sql).await?
            }
        };
        rows.iter().map(client_row).collect()
    }
}

impl Tx {
    /// Makes a card found by what now stands on it.
    pub(super) async fn index_client(&mut self, id: ClientId, card: &Client) -> Result<()> {
        let text = document(card);
        let sql = match (text.is_empty(), self.1) {
            (true, Dialect::Sqlite) => Sql::new("DELETE FROM client_search WHERE rowid = $1").with(id.0),
            (true, Dialect::Postgres) => Sql::new("DELETE FROM client_search WHERE client = $1").with(id.0),
            (false, Dialect::Sqlite) => {
                Sql::new("INSERT OR REPLACE INTO client_search (rowid, text) VALUES ($1, $2)").with(id.0).with(text)
            }
            (false, Dialect::Postgres) => Sql::new(
                "INSERT INTO client_search (client, text) VALUES ($1, $2) \
                 ON CONFLICT (client) DO UPDATE SET text = excluded.text WHERE client_search.text <> excluded.text",
            )
            .with(id.0)
            .with(text),
        };
        self.execute(sql).await.map(drop)
    }
}

/// All that a card is found by, folded, with a space before and after; empty for a card that is not to be found.
pub(super) fn document(card: &Client) -> String {
    if card.merged_into.is_some() || card.erased_at.is_some() {
        return String::new();
    }
    let mut parts = vec![fold(&card.name.full()), fold(&card.code), fold(&card.email)];
    if let Kind::Corporate { company } = &card.kind {
        parts.push(fold(company));
    }
    parts.extend(card.phones.iter().map(|phone| format!("{} {}", fold(&phone.number), fold(&phone.label))));
    if let Some(address) = &card.address {
        parts.extend([&address.city, &address.street, &address.house].map(|part| fold(part)));
    }
    for car in &card.cars {
        parts.extend([plate_word(&car.car.plate), fold(&car.vin), fold(&car.car.make), fold(&car.car.model)]);
    }
    let mut text = String::from(" ");
    for word in parts.iter().flat_map(|part| part.split(' ')).filter(|word| !word.is_empty()) {
        // The id mostly is the number: once is enough.
        if !text.contains(&format!(" {word} ")) {
            text.push_str(word);
            text.push(' ');
        }
    }
    text
}

fn plate_word(text: &str) -> String {
    canonical_plate(text).to_lowercase()
}

/// What the query may mean, the likeliest first, each as the words that must all be there.
fn meanings(query: &str) -> Vec<Vec<String>> {
    let mut meanings = Vec::new();
    let letters = query.chars().filter(|letter| letter.is_alphabetic()).count();
    let digits: String = query.chars().filter(char::is_ascii_digit).collect();
    if letters == 0 && digits.len() >= 3 {
        // «8 900 123-45-67» is one number. A house alone has less digits.
        let whole = Phone::parse(query);
        let number = if digits.len() >= 10 { whole.as_str().trim_start_matches('+') } else { digits.as_str() };
        meanings.push(vec![number.to_owned()]);
    }
    let plate = plate_word(query);
    if letters > 0 && !digits.is_empty() && (3..=9).contains(&plate.chars().count()) {
        meanings.push(vec![plate]);
    }
    for reading in readings(query) {
        let words = reading.split(' ').filter_map(|word| match word.chars().count() {
            0 | 1 => None,
            // A trigram with the space before it.
            2 => Some(format!(" {word}")),
            _ => Some(word.to_owned()),
        });
        meanings.push(words.take(MOST_WORDS).collect());
    }
    meanings.retain(|words| !words.is_empty());
    meanings.dedup();
    meanings
}

/// How well a card answers: whole words count most, then beginnings of words.
fn score(card: &Client, words: &[String]) -> u32 {
    let text = document(card);
    words.iter().fold(0, |score, word| {
        let word = word.trim();
        let better = if text.contains(&format!(" {word} ")) {
            4
        } else if text.contains(&format!(" {word}")) {
            2
        } else {
            0
        };
        score + better
    })
}

fn as_ascii(word: &str) -> String {
    let ascii = |letter: char| CYRILLIC.chars().zip(AS_ASCII.chars()).find(|(from, _)| *from == letter);
    word.chars().map(|letter| ascii(letter).map_or(letter, |(_, to)| to)).collect()
}
