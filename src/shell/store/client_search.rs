//! Clients found by whatever the dispatcher remembers of them: a part of a number, a name, a plate, an address.
//!
//! Numbers are found through indexes of their last digits, words through the rows of `client_index`: those of the word
//! on the fewest cards are read in the order of the index until enough cards are found, and `marks` tell without a look
//! at the card that the other words are not on it. Of a word on very many cards no search reads more than `ROWS`.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use sqlx::any::AnyRow;

use crate::domain::client::Client;
use crate::domain::hint::Kind as StreetKind;
use crate::domain::ids::ClientId;
use crate::domain::phone::Phone;
use crate::domain::search::readings;

use super::client_index::{Document, SHORTEST_PART, marks, plate_word, tells};
use super::clients::{COLUMNS, ClientRow, FROM, client_row};
use super::{Columns as _, Dialect, Result, Sql, Store};

/// Cards that are looked at for the best ones. A search that finds more says too little to choose by.
const LOOKED_AT: u32 = 100;
/// Rows of one word, or of words that begin alike, that are read for a search.
const ROWS: i64 = 30_000;
/// Rows of each word that are looked at to know which one to read.
const COUNTED: i64 = 3_000;
/// Words that are read one after another, if each is on very many cards and few of those have the others.
const MOST_LEADS: usize = 2;
/// Names that are tried for a middle of a name.
const NAMES: i64 = 100;
/// Words of a query that are looked for.
const MOST_WORDS: usize = 8;
/// Letters of a query that are looked for.
const LONGEST: usize = 100;
/// Behind all words that begin alike.
const LAST: char = '\u{10ffff}';
/// Behind all numbers that begin alike.
const LAST_DIGITS: &str = "99999999999999999999";
/// Last digits of numbers that there are indexes of.
const LAST_OF_NUMBER: std::ops::RangeInclusive<usize> = 3..=9;

/// What a query may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    /// Digits of a number, or a card's id.
    Number { digits: String, typed: String },
    /// These all stand on the card, or words that begin so.
    Words(Vec<String>),
}

/// A word that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    text: String,
    /// How many rows of words begin so, up to [`COUNTED`]; none if they were not counted.
    rows: Option<i64>,
    /// How many of those rows have the marks of the other words.
    fitting: i64,
}

impl Store {
    /// Cards by a number, a part of a name, a plate or an address, the best first: every word of the query, or a word
    /// that begins so, stands on the card. Of a name the middle finds as well, where no word begins so or it is all
    /// that is asked for and finds too little. Of a number four digits find it wherever they stand, three at its end.
    /// Of very many cards the newest are found. Typed with the wrong keyboard layout all is found as well. Merged and
    /// erased cards are not found.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn search_clients(&self, query: &str, limit: u32) -> Result<Vec<ClientRow>> {
        let query: String = query.chars().take(LONGEST).collect();
        let most = usize::try_from(limit.clamp(1, 100)).unwrap_or(1);
        for meaning in meanings(&query) {
            let mut found = match &meaning {
                Meaning::Number { digits, typed } => self.cards(numbers(digits, typed, LOOKED_AT)).await?,
                Meaning::Words(words) => self.cards_with(words).await?,
            };
            if !found.is_empty() {
                found.sort_by_cached_key(|row| Reverse((meaning.score(&row.card), row.counters.last_call, row.id)));
                found.truncate(most);
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    async fn cards_with(&self, words: &[String]) -> Result<Vec<ClientRow>> {
        let (leads, others) = self.leads(words).await?;
        let Some(lead) = leads.first() else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for lead in leads.iter().filter(|lead| lead.rows != Some(0)).take(MOST_LEADS) {
            add_new(&mut found, self.cards(beginning(lead, &rest(&leads, &others, lead))).await?);
            // All cards with this word were read; of a word on more cards the next word may tell of others.
            if found.len() >= LOOKED_AT as usize || lead.rows < Some(COUNTED) {
                break;
            }
        }
        let rest = rest(&leads, &others, lead);
        let few = found.len() < LOOKED_AT as usize && rest.is_empty();
        if (few || lead.rows == Some(0)) && lead.text.chars().count() >= SHORTEST_PART {
            add_new(&mut found, self.cards(middle(lead, &rest)).await?);
        }
        Ok(found)
    }

    /// The words by which cards can be looked for, the best first: the one on the fewest cards, and of those on very
    /// many the one whose cards have the others too most often; and the words that are only to be there as well.
    async fn leads(&self, words: &[String]) -> Result<(Vec<Term>, Vec<Term>)> {
        let terms = words.iter().map(|word| Term { text: word.clone(), rows: None, fitting: 0 });
        let (mut leads, mut others): (Vec<_>, Vec<_>) = terms.partition(|term| tells(&term.text));
        // «ул», «пер» beside others are the kind of a street.
        let is_kind = |term: &Term| StreetKind::shown_words().any(|kind| kind.starts_with(term.text.as_str()));
        if leads.iter().any(|term| !is_kind(term)) {
            others.extend(leads.extract_if(.., |term| is_kind(term)));
        }
        if words.len() > 1 && !leads.is_empty() {
            self.count(&mut leads, &others).await?;
        }
        leads.sort_by_key(|term| (term.rows, Reverse(term.fitting), Reverse(term.text.len())));
        Ok((leads, others))
    }

    /// Counts the rows of each word that may lead.
    async fn count(&self, leads: &mut [Term], others: &[Term]) -> Result<()> {
        let mut sql = Sql::new("");
        for (at, lead) in leads.iter().enumerate() {
            let all = marks_of(&rest(leads, others, lead));
            sql.push(if at == 0 { "" } else { " UNION ALL " });
            sql.push(&format!("SELECT {at} AS term, COUNT(*) AS n, COUNT(*) FILTER (WHERE (marks & "));
            sql.push_value(all);
            sql.push(") = ");
            sql.push_value(all);
            sql.push(") AS fitting FROM (SELECT marks FROM client_words WHERE ");
            begins(&mut sql, "word", &lead.text);
            sql.push(&format!(" ORDER BY word LIMIT {COUNTED}) x{at}"));
        }
        for row in self.rows(sql).await? {
            if let Some(lead) = usize::try_from(row.int("term")?).ok().and_then(|at| leads.get_mut(at)) {
                (lead.rows, lead.fitting) = (Some(row.int("n")?), row.int("fitting")?);
            }
        }
        Ok(())
    }

    /// The cards whose numbers this statement answers as `client`.
    async fn cards(&self, ids: Sql) -> Result<Vec<ClientRow>> {
        let mut sql = ids;
        let rows = match self.dialect() {
            Dialect::Sqlite => {
                sql.surround(&format!("SELECT {COLUMNS}{FROM}WHERE c.id IN ("), ")");
                self.rows(sql).await?
            }
            // As an array: a sub-select it would rather ask of every card, where it takes it for short.
            Dialect::Postgres => {
                sql.surround(&format!("SELECT {COLUMNS}{FROM}WHERE c.id = ANY (ARRAY("), "))");
                self.rows_by_index(sql).await?
            }
        };
        rows.iter().map(client_row).collect()
    }

    /// PostgreSQL's rows in the order of an index, and of the joins as they are written. What is read so takes always
    /// the same time. The planner does not know how soon enough is found, and nobody can: it would rather read all of
    /// it for some searches.
    pub(super) async fn rows_by_index(&self, sql: Sql) -> Result<Vec<AnyRow>> {
        let mut tx = self.begin().await?;
        let settings = ["seqscan", "bitmapscan", "hashjoin", "mergejoin", "sort"]
            .map(|way| format!("set_config('enable_{way}', 'off', true) AS {way}"));
        // What is off is reckoned as very dear: dear statements would be compiled first, which takes far longer than they do.
        let order = "set_config('join_collapse_limit', '1', true) AS joins, set_config('jit', 'off', true) AS jit, \
                     set_config('max_parallel_workers_per_gather', '0', true) AS parallel";
        tx.rows(Sql::new(format!("SELECT {order}, {}", settings.join(", ")))).await?;
        tx.rows(sql).await
    }

    /// Cards with these digits in a number, the likeliest first.
    pub(super) async fn clients_with_digits(&self, typed: &str, most: u32) -> Result<Vec<ClientId>> {
        let digits: String = typed.chars().filter(char::is_ascii_digit).take(LONGEST).collect();
        if digits.len() < *LAST_OF_NUMBER.start() {
            return Ok(Vec::new());
        }
        let rows = self.rows(numbers(&digits, typed, most)).await?;
        rows.iter().map(|row| Ok(ClientId(row.int("client")?))).collect()
    }
}

/// All words but this one.
fn rest<'a>(leads: &'a [Term], others: &'a [Term], lead: &Term) -> Vec<&'a Term> {
    leads.iter().chain(others).filter(|term| term.text != lead.text).collect()
}

/// The marks of all these words that some card has.
fn marks_of(terms: &[&Term]) -> i64 {
    terms.iter().filter(|term| term.rows != Some(0)).fold(0, |all, term| all | marks(&term.text))
}

fn add_new(found: &mut Vec<ClientRow>, rows: Vec<ClientRow>) {
    let known: BTreeSet<_> = found.iter().map(|row| row.id).collect();
    found.extend(rows.into_iter().filter(|row| !known.contains(&row.id)));
}

/// Adds a condition: the column's word begins with this.
fn begins(sql: &mut Sql, column: &str, text: &str) {
    sql.push(&format!("{column} >= "));
    sql.push_value(text.to_owned());
    sql.push(&format!(" AND {column} < "));
    sql.push_value(format!("{text}{LAST}"));
}

/// Cards with a word that begins so, and the others.
fn beginning(lead: &Term, rest: &[&Term]) -> Sql {
    let mut sql = Sql::new("SELECT w.client FROM (SELECT client, marks FROM client_words WHERE ");
    begins(&mut sql, "word", &lead.text);
    sql.push(" ORDER BY word, client DESC LIMIT ");
    sql.push_value(ROWS);
    sql.push(") w WHERE ");
    narrow(&mut sql, rest);
    sql
}

/// Cards with this in the middle of a name, and the others.
fn middle(lead: &Term, rest: &[&Term]) -> Sql {
    let mut sql = Sql::new(
        "SELECT w.client FROM (SELECT w.client, w.marks FROM (SELECT DISTINCT part, word FROM name_parts WHERE ",
    );
    begins(&mut sql, "part", &lead.text);
    sql.push(" ORDER BY part, word LIMIT ");
    sql.push_value(NAMES);
    sql.push(") p CROSS JOIN client_words w WHERE w.word = p.word LIMIT ");
    sql.push_value(ROWS);
    sql.push(") w WHERE ");
    narrow(&mut sql, rest);
    sql
}

/// Ends a statement about rows `w`: only cards that have the other words too, and not more of them than are looked at.
fn narrow(sql: &mut Sql, rest: &[&Term]) {
    let all = marks_of(rest);
    sql.push("(w.marks & ");
    sql.push_value(all);
    sql.push(") = ");
    sql.push_value(all);
    if !rest.is_empty() {
        // Not joined: so it is asked last, and only for rows with the right marks.
        sql.push(" AND (SELECT CASE WHEN ");
        for (at, term) in rest.iter().enumerate() {
            sql.push(if at == 0 { "s.text LIKE " } else { " AND s.text LIKE " });
            // Words hold nothing but letters and digits. A word that no word begins with may stand in the middle.
            let space = if term.rows == Some(0) { "" } else { " " };
            sql.push_value(format!("%{space}{}%", term.text));
        }
        sql.push(" THEN 1 END FROM client_search s WHERE s.client = w.client) = 1");
    }
    sql.push(" LIMIT ");
    sql.push_value(i64::from(LOOKED_AT));
}

/// Cards with these digits in a number: first the very number or id, then those that end so, then the rest.
fn numbers(digits: &str, typed: &str, most: u32) -> Sql {
    let mut sql = Sql::new("SELECT client FROM (SELECT client FROM (SELECT id AS client FROM clients WHERE code = ");
    sql.push_value(typed.trim().to_owned());
    sql.push(") c0 UNION ALL SELECT client FROM (SELECT client FROM client_phones WHERE until IS NULL AND number = ");
    sql.push_value(Phone::parse(typed).as_str().to_owned());
    sql.push(") c1");
    let mut among = |expression: &str, from: String, branch: &str| {
        sql.push(" UNION ALL SELECT client FROM (SELECT client FROM client_phones WHERE until IS NULL AND ");
        sql.push(&format!("{expression} >= "));
        sql.push_value(from.clone());
        sql.push(&format!(" AND {expression} <= "));
        sql.push_value(from + LAST_DIGITS);
        sql.push(&format!(" ORDER BY {expression} LIMIT {most}) {branch}"));
    };
    // Three digits stand in too many numbers.
    let wherever = if digits.len() > *LAST_OF_NUMBER.start() { *LAST_OF_NUMBER.end() } else { digits.len() };
    for last in LAST_OF_NUMBER.filter(|last| (digits.len()..=wherever).contains(last)) {
        // As the index has it.
        among(&format!("substr(number, length(number) - {})", last - 1), digits.to_owned(), &format!("l{last}"));
    }
    if digits.len() > *LAST_OF_NUMBER.start() {
        among("number", format!("+7{digits}"), "n0");
        among("number", format!("+{digits}"), "n1");
        if let Some(rest) = digits.strip_prefix('8') {
            among("number", format!("+7{rest}"), "n2");
        }
    }
    sql.push(") found LIMIT ");
    sql.push_value(i64::from(most));
    sql
}

/// What the query may mean, the likeliest first.
fn meanings(query: &str) -> Vec<Meaning> {
    let mut meanings = Vec::new();
    let letters = query.chars().filter(|letter| letter.is_alphabetic()).count();
    let digits: String = query.chars().filter(char::is_ascii_digit).collect();
    if letters == 0 && digits.len() >= *LAST_OF_NUMBER.start() {
        // «8 900 123-45-67» is one number. A house alone has less digits.
        meanings.push(Meaning::Number { digits: digits.clone(), typed: query.to_owned() });
    }
    let plate = plate_word(query);
    if letters > 0 && !digits.is_empty() && (3..=9).contains(&plate.chars().count()) {
        meanings.push(Meaning::Words(vec![plate]));
    }
    for reading in readings(query) {
        let words: Vec<_> = reading.split(' ').take(MOST_WORDS).map(str::to_owned).collect();
        if words.iter().any(|word| tells(word)) {
            meanings.push(Meaning::Words(words));
        }
    }
    meanings.dedup();
    meanings
}

impl Meaning {
    /// How well a card answers: whole words count most, then beginnings of words; the end of a number most, then the
    /// rest of it.
    fn score(&self, card: &Client) -> u32 {
        match self {
            Meaning::Number { digits, typed } => {
                let whole = Phone::parse(typed);
                let score = |number: &str| match () {
                    () if number == whole.as_str() => 3,
                    () if number.ends_with(digits.as_str()) => 2,
                    () => 1,
                };
                card.phones.iter().map(|phone| score(&phone.number)).max().unwrap_or(0)
            }
            Meaning::Words(words) => {
                let Document { text, .. } = Document::of(card);
                let score = |word: &String| match () {
                    () if text.contains(&format!(" {word} ")) => 4,
                    () if text.contains(&format!(" {word}")) => 2,
                    () => 0,
                };
                words.iter().map(score).sum()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::clients::tests::{named, new, olga, phones};
    use super::super::testing::on_both;
    use super::*;
    use crate::domain::address::{Address, Car};
    use crate::domain::client::{CardCar, Command, Detail, Kind};
    use crate::engine::time::Wall;

    async fn found(store: &Store, query: &str) -> Vec<ClientId> {
        store.search_clients(query, 100).await.unwrap().iter().map(|row| row.id).collect()
    }

    #[tokio::test]
    async fn a_client_is_found_by_whatever_is_remembered() {
        on_both(async |t| {
            let s = &t.store;
            let car = CardCar {
                car: Car { plate: "А123ВС77".into(), make: "Lada".into(), ..Car::default() },
                ..CardCar::default()
            };
            let anna = new(vec![
                phones(&["+79001234567", "+74951112233"]),
                named("Семёнова-Ли", "Алёна"),
                Detail::Address(Some(Address::street("улица Пушкина", "12к2"))),
                Detail::Cars(vec![car]),
            ]);
            let anna = s.create_client(anna, &olga(), Wall(1)).await.unwrap().id;
            let peter = new(vec![
                phones(&["+79991112299", "+380441234599"]),
                named("Щукин", "Пётр"),
                Detail::Kind(Kind::Corporate { company: "ООО «Рассвет»".into() }),
                Detail::Address(Some(Address::street("улица Мира", "5"))),
            ]);
            let peter = s.create_client(peter, &olga(), Wall(2)).await.unwrap().id;
            for (query, client) in [
                ("8 (900) 123-45-67", anna),
                ("+7 900 123 45 67", anna),
                ("9001234567", anna),
                ("8900123", anna),
                ("7900123", anna),
                ("4567", anna),
                ("567", anna),
                ("34567", anna),
                ("00123", anna),
                ("495111", anna),
                ("2233", anna),
                ("380441234599", peter),
                ("3804412", peter),
                ("семенова", anna),
                ("СЕМЁН", anna),
                ("алёна семенова", anna),
                ("менова", anna),
                ("менова ал", anna),
                ("ал менов", anna),
                ("пушкина 12", anna),
                ("ул пушкина 12к2", anna),
                ("12к2", anna),
                ("ул мира 5", peter),
                ("мира, 5", peter),
                ("рассвет", peter),
                ("ассвет", peter),
                ("а123вс", anna),
                ("A123BC77", anna),
                ("123вс77", anna),
                ("ctv`yjdf", anna),
                ("ли", anna),
                ("lada", anna),
            ] {
                assert_eq!(found(s, query).await, [client], "{query}");
            }
            for query in
                ["", " ", "я", "%", "_", "\"", "семенова щукин", "000", "0000", "*", "' OR 1=1 --", "меново", "мира 6"]
            {
                assert!(found(s, query).await.is_empty(), "{query}");
            }
            s.change_client(anna, Command::Edit(vec![named("Иванова", "Алёна")]), &olga(), Wall(3)).await.unwrap();
            assert!(found(s, "семенова").await.is_empty());
            assert_eq!(found(s, "иванова").await, [anna]);
            assert_eq!(found(s, "ванова").await, [anna]);
            s.merge_clients(peter, anna, None, &olga(), Wall(4)).await.unwrap();
            assert!(found(s, "иванова").await.is_empty());
            assert_eq!(found(s, "9001234567").await, [peter]);
        })
        .await;
    }

    #[tokio::test]
    async fn the_very_word_comes_before_longer_ones_and_the_newest_of_too_many_are_found() {
        on_both(async |t| {
            let s = &t.store;
            let card = |number: u64| {
                let surname = if number == 0 { "Ли" } else { "Лисицын" };
                new(vec![phones(&[&format!("+7900{number:07}")]), named(surname, "Иван")]).details
            };
            let cards =
                (0..250).map(|number| crate::domain::client::Create { details: card(number), ..Default::default() });
            let ids = s.import_clients(cards.collect(), &olga(), Wall(1)).await.unwrap();
            assert_eq!(found(s, "ли").await[0], ids[0]);
            let newest: Vec<_> = ids[150..].iter().rev().copied().collect();
            assert_eq!(found(s, "лисицын").await, newest);
            assert_eq!(found(s, "иван лис").await, newest);
            // The others have one digit more behind.
            assert_eq!(found(s, "0000007").await[0], ids[7]);
        })
        .await;
    }

    #[tokio::test]
    async fn the_one_card_that_has_two_very_common_words_is_found() {
        on_both(async |t| {
            let common = u64::try_from(COUNTED).unwrap() + 10;
            let card = |number: u64| {
                let (surname, name) = match number {
                    0 => ("Лисицын", "Иван"),
                    number if number <= common => ("Лисицын", "Пётр"),
                    _ => ("Щукин", "Иван"),
                };
                let phone = phones(&[&format!("+7900{number:07}")]);
                crate::domain::client::Create { details: vec![phone, named(surname, name)], ..Default::default() }
            };
            let cards: Vec<_> = (0..=2 * common).map(card).collect();
            let ids = t.store.import_clients(cards, &olga(), Wall(1)).await.unwrap();
            assert_eq!(found(&t.store, "ива лис").await, ids[..1]);
            assert_eq!(found(&t.store, "лис ива").await, ids[..1]);
        })
        .await;
    }

    #[test]
    fn a_query_may_mean_a_number_a_plate_or_words_in_either_layout() {
        let words = |text: &str| Meaning::Words(text.split(' ').map(str::to_owned).collect());
        let number = |digits: &str, typed: &str| Meaning::Number { digits: digits.into(), typed: typed.into() };
        assert_eq!(meanings("123-45"), [number("12345", "123-45"), words("123 45")]);
        assert_eq!(meanings("а123вс"), [words("a123bc"), words("а123вс"), words("f123dc")]);
        assert_eq!(meanings("12"), []);
        assert_eq!(meanings("ли и"), [words("ли и"), words("kb b")]);
    }
}
