//! Calls counted on the cards of those who called, many at once; who calls for the first time gets a card. Not on the
//! caller's path: calls do not wait for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::client::Tally;
use crate::domain::group::Group;
use crate::domain::history::{ActorKind, By, Source};
use crate::domain::ids::{ClientId, GroupId};
use crate::domain::phone::Phone;
use crate::engine::ids::CallId;
use crate::engine::time::Wall;

use super::author::{Author, ChangeError};
use super::change::{call_key, guessed_arrival};
use super::clients::{COLUMNS, ClientRow, FROM, audit_line, client_row, first_card};
use super::many::{records, texts};
use super::table::Value;
use super::{Columns as _, Result, Sql, Store, Tx};

/// Cards by their rows, and which of them a number leads to.
#[derive(Default)]
struct Cards {
    rows: BTreeMap<ClientId, ClientRow>,
    of: BTreeMap<String, ClientId>,
}

impl Store {
    /// These calls came from these numbers: counts each on the card of its number, once for one moment, and makes the
    /// cards of numbers that are new. All of it, or nothing. Answers whose call it was; nobody's with a hidden number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note_calls(
        &self,
        calls: &[(CallId, String)],
    ) -> Result<Vec<Option<ClientId>>, ChangeError<ClientRow>> {
        let moment = |call: &CallId| Wall(guessed_arrival(call_key(*call)));
        let calls: Vec<_> = calls.iter().map(|(call, number)| (moment(call), Phone::parse(number))).collect();
        // In the order of the numbers: two transactions never wait for each other.
        let mut first: BTreeMap<&str, (&Phone, Wall)> = BTreeMap::new();
        for (at, phone) in calls.iter().filter(|(_, phone)| !phone.as_str().is_empty()) {
            let (_, earliest) = first.entry(phone.as_str()).or_insert((phone, *at));
            *earliest = (*earliest).min(*at);
        }
        if first.is_empty() {
            return Ok(vec![None; calls.len()]);
        }
        let mut tx = self.begin().await?;
        let mut cards = tx.cards_of(&first).await?;
        tx.add_missing(&mut cards, &first).await?;
        let mut in_time: Vec<_> = calls.iter().collect();
        in_time.sort_by_key(|(at, _)| *at);
        let mut counted = BTreeSet::new();
        for (at, phone) in in_time {
            let row = cards.of.get(phone.as_str()).and_then(|id| cards.rows.get_mut(id));
            // After a restart the engine asks for the cards of calls that it takes over.
            let Some(row) = row.filter(|row| row.counters.last_call.is_none_or(|last| last < *at)) else { continue };
            row.counters = row.counters.with(Tally::Called { at: *at });
            counted.insert(row.id);
        }
        let counted: Vec<&ClientRow> = counted.iter().filter_map(|id| cards.rows.get(id)).collect();
        tx.count_calls(&counted).await?;
        tx.commit().await?;
        counted.iter().for_each(|row| self.announce(row.update()));
        Ok(calls.iter().map(|(_, phone)| cards.of.get(phone.as_str()).copied()).collect())
    }
}

impl Tx {
    /// The cards of numbers that have one; nobody else changes them until this transaction ends.
    async fn cards_of(&mut self, numbers: &BTreeMap<&str, (&Phone, Wall)>) -> Result<Cards> {
        for number in numbers.keys() {
            self.lock_number(number).await?;
        }
        let sql = Sql::new(format!(
            "SELECT {COLUMNS}, p.number AS called_from{FROM}JOIN client_phones p ON p.client = c.id AND p.until IS NULL \
             WHERE p.number IN {}{}",
            texts(self.1),
            self.1.for_update()
        ))
        .with_json(&numbers.keys().collect::<Vec<_>>());
        let mut cards = Cards::default();
        for row in self.rows(sql).await? {
            let number = row.text("called_from")?;
            let row = client_row(&row)?;
            cards.of.insert(number, row.id);
            cards.rows.insert(row.id, row);
        }
        Ok(cards)
    }

    /// Makes the cards of the numbers that have none.
    async fn add_missing(
        &mut self,
        cards: &mut Cards,
        numbers: &BTreeMap<&str, (&Phone, Wall)>,
    ) -> Result<(), ChangeError<ClientRow>> {
        let missing: Vec<_> = numbers.iter().filter(|(number, _)| !cards.of.contains_key(**number)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let author = Author { by: By::new(ActorKind::Engine, "", Source::Call), ..Author::engine() };
        let group = self.default_of::<Group>().await?.map(|group| GroupId(group.id));
        let new = missing.iter().map(|(_, (phone, at))| first_card(phone, group, &author, *at));
        let new = new.collect::<Result<Vec<_>, _>>()?;
        let ids = self.insert_clients(&new).await?;
        let mut lines = Vec::with_capacity(ids.len());
        for ((number, (_, at)), (id, (card, entries))) in missing.into_iter().zip(ids.into_iter().zip(new)) {
            lines.extend(entries.iter().map(|entry| audit_line(id, entry, &author, *at)));
            cards.of.insert((*number).to_owned(), id);
            let row = ClientRow { id, card, counters: Default::default(), balances: Default::default() };
            cards.rows.insert(id, row);
        }
        Ok(self.append_audits(lines).await?)
    }

    /// Sets how often these clients called, and when last.
    async fn count_calls(&mut self, rows: &[&ClientRow]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let columns = "id, calls, last_call";
        let values = rows.iter().map(|row| {
            let last = row.counters.last_call.map_or(0, |at| at.0);
            [row.id.0, i64::from(row.counters.calls), last].map(Value::Int)
        });
        let text = format!(
            "UPDATE clients SET calls = r.calls, last_call = r.last_call FROM {} WHERE clients.id = r.id",
            records(self.1, "clients", columns)
        );
        let sql = Sql::new(text).with_records(columns, &values.collect::<Vec<_>>());
        self.execute(sql).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::super::clients::tests::{new, olga, phones};
    use super::super::testing::on_both;
    use super::*;

    fn call(at: u64, number: &str) -> (CallId, String) {
        (CallId(at << 20), number.to_owned())
    }

    #[tokio::test]
    async fn the_first_call_makes_the_card_and_each_call_is_counted_once() {
        on_both(async |t| {
            let s = &t.store;
            assert_eq!(s.note_calls(&[call(1, "anonymous")]).await.unwrap(), [None]);
            let id = s.note_calls(&[call(1, "+79001234567")]).await.unwrap()[0].unwrap();
            assert_eq!(s.note_calls(&[call(5, "8 900 123-45-67")]).await.unwrap(), [Some(id)]);
            // Told again after a restart.
            assert_eq!(s.note_calls(&[call(5, "+79001234567")]).await.unwrap(), [Some(id)]);
            let row = s.get_client(id).await.unwrap().unwrap();
            assert_eq!((row.counters.calls, row.counters.last_call), (2, Some(Wall(5))));
            assert_eq!((row.card.version, row.card.source), (1, Source::Call));
        })
        .await;
    }

    #[tokio::test]
    async fn calls_of_many_numbers_are_counted_together() {
        on_both(async |t| {
            let s = &t.store;
            let anna =
                s.create_client(new(vec![phones(&["+79001234567", "+79007654321"])]), &olga(), Wall(1)).await.unwrap();
            let calls = [
                call(7, "+79007654321"),
                call(5, "+79001234567"),
                call(6, ""),
                call(8, "+79990000001"),
                call(9, "+79990000001"),
                call(8, "+79990000002"),
            ];
            let whose = s.note_calls(&calls).await.unwrap();
            assert_eq!(whose[..3], [Some(anna.id), Some(anna.id), None]);
            assert_eq!(whose[3], whose[4]);
            assert_ne!(whose[4], whose[5]);
            for (id, calls, last) in [(whose[0], 2, 7), (whose[3], 2, 9), (whose[5], 1, 8)] {
                let row = s.get_client(id.unwrap()).await.unwrap().unwrap();
                assert_eq!((row.counters.calls, row.counters.last_call), (calls, Some(Wall(last))));
            }
        })
        .await;
    }

    #[tokio::test]
    async fn of_many_first_calls_at_once_one_makes_the_card() {
        on_both(async |t| {
            let mut tasks = tokio::task::JoinSet::new();
            for n in 0..8 {
                let store = t.store.clone();
                let calls = [call(n, "+79001234567"), call(n, "+79001234568")];
                tasks.spawn(async move { store.note_calls(&calls).await.unwrap() });
            }
            let cards: BTreeSet<_> = tasks.join_all().await.into_iter().collect();
            assert_eq!(cards.len(), 1);
        })
        .await;
    }
}
