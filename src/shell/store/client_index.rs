//! What clients are found by, written beside each card in the same transaction: all its words as one text, and each of
//! them as a row of its own with the cards that it stands on, the newest first. Numbers are found in `client_phones`.

use std::collections::BTreeSet;

use crate::domain::client::{Client, Kind};
use crate::domain::hint::Kind as StreetKind;
use crate::domain::ids::ClientId;
use crate::domain::search::{canonical_plate, fold};

use super::agents::from_json;
use super::table::Value;
use super::{Columns as _, Result, Sql, Store, Tx};

/// The shortest middle of a word that is looked for, in letters.
pub(super) const SHORTEST_PART: usize = 3;
/// Rows that are written at once; SQLite takes 32766 values in a statement.
const AT_ONCE: usize = 5_000;
/// Cards that are written at once after an upgrade.
const REBUILT_AT_ONCE: i64 = 500;

/// What a card is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Document {
    /// Its words, folded, each once, with a space before and after; empty for a card that is not to be found.
    pub(super) text: String,
    /// Those that are names: they are found by their middle as well.
    names: BTreeSet<String>,
}

impl Document {
    /// Of what now stands on the card. Numbers are no part of it, unless the card's id is one that it does not have.
    pub(super) fn of(card: &Client) -> Document {
        let mut document = Document { text: String::new(), names: BTreeSet::new() };
        if card.merged_into.is_some() || card.erased_at.is_some() {
            return document;
        }
        document.text.push(' ');
        document.name(&card.name.full());
        if let Kind::Corporate { company } = &card.kind {
            document.name(company);
        }
        if !card.phones.iter().any(|phone| phone.number == card.code) {
            document.add(&fold(&card.code));
        }
        document.add(&fold(&card.email));
        for phone in &card.phones {
            document.name(&phone.label);
        }
        if let Some(address) = &card.address {
            for part in [&address.city, &address.street, &address.house] {
                document.add(&fold(part));
            }
        }
        for car in &card.cars {
            let plate = plate_word(&car.car.plate);
            // «123вс77» is how people tell it as well.
            let digits = plate.trim_start_matches(char::is_alphabetic);
            for part in [&plate, digits, &fold(&car.vin), &fold(&car.car.make), &fold(&car.car.model)] {
                document.add(part);
            }
        }
        document
    }

    fn name(&mut self, text: &str) {
        let folded = fold(text);
        self.add(&folded);
        self.names.extend(folded.split(' ').map(str::to_owned));
    }

    fn add(&mut self, folded: &str) {
        for word in folded.split(' ').filter(|word| !word.is_empty()) {
            if !self.text.contains(&format!(" {word} ")) {
                self.text.push_str(word);
                self.text.push(' ');
            }
        }
    }
}

/// The words of a document that have rows of their own.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| tells(word) && !StreetKind::shown_words().any(|kind| kind == *word))
}

/// Whether cards can be looked for by this word alone: it has two letters, or is longer than the number of a house.
pub(super) fn tells(word: &str) -> bool {
    let length = word.chars().count();
    length > 2 || (length == 2 && !word.chars().all(|c| c.is_ascii_digit()))
}

/// The middles of a name by which it is found, down to its last three letters.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    let starts = word.char_indices().skip(1).map(|(start, _)| start);
    starts.filter_map(|start| word.get(start..)).filter(|part| part.chars().count() >= SHORTEST_PART)
}

/// The marks of a card's words. A card that has a word which begins so has all [`marks`] of the beginning; of those
/// that have none few do (superimposed coding: Knuth, The Art of Computer Programming, 6.5).
fn marks_of(text: &str) -> i64 {
    text.split(' ').fold(0, |all, word| all | marks(word))
}

/// The marks of a word or of the beginning of one: its first two letters, the first three, of a number the first one.
pub(super) fn marks(word: &str) -> i64 {
    let start = |letters: usize| word.char_indices().nth(letters - 1).and_then(|(at, c)| word.get(..at + c.len_utf8()));
    let number = word.starts_with(|c: char| c.is_ascii_digit());
    let starts = [start(1).filter(|_| number), start(2), start(3).filter(|_| !number)];
    starts.into_iter().flatten().fold(0, |all, start| all | 1 << (hash(start) % 63))
}

/// FNV-1a with the last steps of SplitMix64. It is kept in databases: it must stay as it is.
fn hash(text: &str) -> u64 {
    let fnv = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mixed = (fnv ^ (fnv >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed ^ (mixed >> 32)
}

/// A plate as one word.
pub(super) fn plate_word(text: &str) -> String {
    canonical_plate(text).to_lowercase()
}

impl Store {
    /// Writes what cards from before an upgrade are found by. It goes on where it was stopped.
    pub(super) async fn finish_client_search(&self) -> Result<()> {
        loop {
            let mut tx = self.begin().await?;
            let todo = tx.row_locked(Sql::new("SELECT upto FROM client_search_todo")).await?;
            let Some(upto) = todo.map(|row| row.int("upto")).transpose()? else { return Ok(()) };
            let sql = Sql::new(
                "SELECT c.id, c.body FROM clients c WHERE c.id <= $1 AND NOT EXISTS \
                 (SELECT 1 FROM client_search s WHERE s.client = c.id) ORDER BY c.id DESC LIMIT $2",
            );
            let rows = tx.rows(sql.with(upto).with(REBUILT_AT_ONCE)).await?;
            let mut cards = Vec::with_capacity(rows.len());
            for row in &rows {
                cards.push((ClientId(row.int("id")?), Document::of(&from_json(&row.text("body")?)?)));
            }
            tx.insert_documents(&cards).await?;
            match cards.last() {
                Some((id, _)) => {
                    tx.execute(Sql::new("UPDATE client_search_todo SET upto = $1").with(id.0 - 1)).await?;
                    tracing::info!(left = id.0 - 1, "the search for clients is being brought up to date");
                }
                None => drop(tx.execute(Sql::new("DELETE FROM client_search_todo")).await?),
            }
            tx.commit().await?;
        }
    }
}

impl Tx {
    /// Makes a card found by what now stands on it. Nothing is written when that is what it is found by already.
    pub(super) async fn index_client(&mut self, id: ClientId, card: &Client) -> Result<()> {
        let sql = Sql::new("SELECT text FROM client_search WHERE client = $1").with(id.0);
        let before = self.row(sql).await?.map(|row| row.text("text")).transpose()?.unwrap_or_default();
        let document = Document::of(card);
        if before == document.text {
            return Ok(());
        }
        self.execute(Sql::new("DELETE FROM client_search WHERE client = $1").with(id.0)).await?;
        for word in words(&before) {
            let sql = Sql::new("DELETE FROM client_words WHERE word = $1 AND client = $2");
            self.execute(sql.with(word.to_owned()).with(id.0)).await?;
        }
        for word in words(&before).filter(|word| !document.text.contains(&format!(" {word} "))) {
            self.forget_name(word).await?;
        }
        self.insert_documents(&[(id, document)]).await
    }

    /// New rows for cards that have none.
    pub(super) async fn insert_documents(&mut self, cards: &[(ClientId, Document)]) -> Result<()> {
        let found = || cards.iter().filter(|(_, document)| !document.text.is_empty());
        let texts: Vec<_> = found().collect();
        for texts in texts.chunks(AT_ONCE) {
            let row =
                |(id, document): &&(ClientId, Document)| vec![Value::Int(id.0), Value::Text(document.text.clone())];
            self.insert_into("client_search", "client, text", texts.iter().map(row).collect(), "").await?;
        }
        let mut rows = BTreeSet::new();
        for (id, document) in found() {
            let marks = marks_of(&document.text);
            rows.extend(words(&document.text).map(|word| (word, std::cmp::Reverse(id.0), marks)));
        }
        let rows: Vec<_> = rows.into_iter().collect();
        for rows in rows.chunks(AT_ONCE) {
            let row = |(word, id, marks): &(&str, std::cmp::Reverse<i64>, i64)| {
                vec![Value::Text((*word).to_owned()), Value::Int(id.0), Value::Int(*marks)]
            };
            self.insert_into("client_words", "word, client, marks", rows.iter().map(row).collect(), "").await?;
        }
        // In one order, whoever writes: two that wait for each other would wait for ever.
        let names: BTreeSet<_> = found().flat_map(|(_, document)| &document.names).collect();
        let parts: BTreeSet<_> = names.into_iter().flat_map(|word| parts(word).map(move |part| (part, word))).collect();
        let parts: Vec<_> = parts.into_iter().collect();
        for parts in parts.chunks(AT_ONCE) {
            let row =
                |(part, word): &(&str, &String)| vec![Value::Text((*part).to_owned()), Value::Text((*word).clone())];
            let parts = parts.iter().map(row).collect();
            self.insert_into("name_parts", "part, word", parts, " ON CONFLICT (part, word) DO NOTHING").await?;
        }
        Ok(())
    }

    /// A word that stands on no card any more is not kept: it may have been a name, and the only one of its kind.
    async fn forget_name(&mut self, word: &str) -> Result<()> {
        for part in parts(word) {
            let sql = Sql::new(
                "DELETE FROM name_parts WHERE part = $1 AND word = $2 \
                 AND NOT EXISTS (SELECT 1 FROM client_words w WHERE w.word = $2)",
            );
            self.execute(sql.with(part.to_owned()).with(word.to_owned())).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::clients::tests::{named, new, olga, phones};
    use super::super::testing::on_both;
    use super::*;
    use crate::domain::client::Command;
    use crate::engine::time::Wall;

    async fn count(store: &Store, table: &str) -> i64 {
        let sql = Sql::new(format!("SELECT COUNT(*) AS many FROM {table}"));
        store.row(sql).await.unwrap().unwrap().int("many").unwrap()
    }

    proptest! {
        #[test]
        fn a_card_has_all_marks_of_what_one_of_its_words_begins_with(words in "[а-я0-9]{1,9}( [а-я0-9]{1,9}){0,7}", at in 0..8_usize, letters in 1..9_usize) {
            let all: Vec<&str> = words.split(' ').collect();
            let begun: String = all[at % all.len()].chars().take(letters).collect();
            prop_assert_eq!(marks_of(&format!(" {words} ")) & marks(&begun), marks(&begun));
        }
    }

    #[test]
    fn marks_stay_what_they_are_in_databases() {
        assert_eq!([marks("пушкина"), marks("12к2"), marks("7"), marks("я")], [2560, 562_949_953_683_456, 2, 0]);
    }

    #[test]
    fn middles_of_names_have_three_letters_and_more() {
        assert_eq!(parts("иванов").collect::<Vec<_>>(), ["ванов", "анов", "нов"]);
        assert_eq!(parts("ли").count(), 0);
    }

    #[tokio::test]
    async fn rows_of_words_follow_the_card_and_leave_with_it() {
        on_both(async |t| {
            let s = &t.store;
            let card = new(vec![phones(&["+79001234567"]), named("Щукин", "Пётр")]);
            let id = s.create_client(card, &olga(), Wall(1)).await.unwrap().id;
            assert_eq!((count(s, "client_words").await, count(s, "name_parts").await), (2, 3));
            let note = Command::Edit(vec![crate::domain::client::Detail::Note("шумный".into())]);
            s.change_client(id, note, &olga(), Wall(2)).await.unwrap();
            s.change_client(id, Command::Edit(vec![named("Ли", "Пётр")]), &olga(), Wall(3)).await.unwrap();
            assert_eq!((count(s, "client_words").await, count(s, "name_parts").await), (2, 1));
            s.change_client(id, Command::Erase, &olga(), Wall(4)).await.unwrap();
            for table in ["client_search", "client_words", "name_parts"] {
                assert_eq!(count(s, table).await, 0, "{table}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn cards_from_before_an_upgrade_are_found_after_it() {
        on_both(async |t| {
            let s = &t.store;
            for number in 0..3 {
                let card = new(vec![phones(&[&format!("+7900123456{number}")]), named("Щукин", "Пётр")]);
                s.create_client(card, &olga(), Wall(1)).await.unwrap();
            }
            // As the migration leaves it, with one card that was written since.
            for sql in [
                "DELETE FROM client_words WHERE client <> 2",
                "DELETE FROM client_search WHERE client <> 2",
                "DELETE FROM name_parts",
                "INSERT INTO client_search_todo (upto) SELECT MAX(id) FROM clients",
            ] {
                s.execute(Sql::new(sql)).await.unwrap();
            }
            assert_eq!(s.search_clients("щукин", 9).await.unwrap().len(), 1);
            let again = Store::open(&t.url).await.unwrap();
            assert_eq!(again.search_clients("щукин", 9).await.unwrap().len(), 3);
            assert_eq!(again.search_clients("укин", 9).await.unwrap().len(), 3);
            assert_eq!(count(&again, "client_search_todo").await, 0);
            again.close().await;
        })
        .await;
    }
}
