//! New cards, one or many: a few statements, however many cards there are.

use std::collections::BTreeSet;

use serde_json::json;

use crate::domain::client::{self, Client, Create, Event, Kind};
use crate::domain::history::Entry;
use crate::domain::ids::ClientId;
use crate::engine::time::Wall;

use super::agents::json;
use super::attention::{DAYS, day_rows};
use super::author::{Author, ChangeError};
use super::catalogue::whole;
use super::change::reversed;
use super::client_index::Document;
use super::clients::ClientRow;
use super::many::{insert_of, texts};
use super::table::Value;
use super::{Columns as _, Result, Sql, Store, StoreError, Tx};

/// Cards that are written at once: half a megabyte.
const AT_ONCE: usize = 500;

/// A card that no row has yet, with its history.
pub(super) type NewCard = (Client, Vec<Entry<Event>>);

impl Store {
    /// Makes many cards: all of them, or none. The audit gets one line for all; the screens are not told. For lists that
    /// were checked beforehand and for generated data.
    ///
    /// # Errors
    /// [`ChangeError::Rejected`]; [`StoreError::Taken`] when an id or a number is another card's already.
    pub async fn import_clients(
        &self,
        cards: Vec<Create>,
        author: &Author,
        now: Wall,
    ) -> Result<Vec<ClientId>, ChangeError<ClientRow>> {
        let cards = cards.into_iter().map(|card| client::create(card, &author.by, now));
        let cards = cards.collect::<Result<Vec<_>, _>>()?;
        let mut tx = self.begin().await?;
        let ids = tx.insert_clients(&cards).await?;
        let detail = json!({ "clients": ids.len(), "first": ids.first(), "last": ids.last() });
        author.audit(&mut tx, "client.import", "", detail, now).await?;
        tx.commit().await?;
        Ok(ids)
    }
}

impl Tx {
    /// New rows, with accounts, numbers, tags, history, and what they are found by. Answers their numbers in the order
    /// of the cards.
    pub(super) async fn insert_clients(&mut self, cards: &[NewCard]) -> Result<Vec<ClientId>> {
        let mut ids = Vec::with_capacity(cards.len());
        for cards in cards.chunks(AT_ONCE) {
            ids.extend(self.insert_chunk(cards).await?);
        }
        let found: Vec<_> = ids.iter().zip(cards).map(|(id, (card, _))| (*id, Document::of(card))).collect();
        self.insert_documents(&found).await?;
        Ok(ids)
    }

    async fn insert_chunk(&mut self, cards: &[NewCard]) -> Result<Vec<ClientId>> {
        let columns = "version, code, kind, client_group, blocked, conflict, created_at, changed_at, erased_at, body";
        let mut rows = Vec::with_capacity(cards.len());
        for (card, _) in cards {
            rows.push(vec![
                Value::Int(whole(card.version)?),
                code(card).map_or(Value::Null, Value::Text),
                Value::Text(kind_word(&card.kind).to_owned()),
                card.group.map_or(Value::Null, |group| Value::Int(group.0)),
                Value::Int(i64::from(card.blocked.is_some())),
                Value::Int(i64::from(card.conflict)),
                Value::Int(card.created_at.0),
                Value::Int(card.created_at.0),
                card.erased_at.map_or(Value::Null, |at| Value::Int(at.0)),
                Value::Text(json(card)?),
            ]);
        }
        let mut sql = insert_of(self.1, "clients", columns, &rows);
        sql.push(" RETURNING id");
        let ids = self.rows(sql).await?.iter().map(|row| row.int("id")).collect::<Result<Vec<_>>>()?;
        if ids.len() != cards.len() {
            return Err(StoreError::Failed(format!("{} cards became {} rows", cards.len(), ids.len())));
        }
        let ids: Vec<ClientId> = ids.into_iter().map(ClientId).collect();
        let balances = ids.iter().map(|id| vec![Value::Int(id.0), Value::Int(0), Value::Int(0), Value::Int(0)]);
        let balances = balances.collect();
        self.insert_into("ledger_balances", "client, account, bonus, entries", balances, "").await?;
        self.insert_phones(&ids, cards).await?;
        let all = || ids.iter().zip(cards);
        let tags = all()
            .flat_map(|(id, (card, _))| card.tags.iter().map(|tag| vec![Value::Text(tag.clone()), Value::Int(id.0)]));
        let tags = tags.collect();
        self.insert_into("client_tags", "tag, client", tags, "").await?;
        let days = all().flat_map(|(id, (card, _))| day_rows(*id, card)).collect();
        self.insert_into("client_days", DAYS, days, "").await?;
        let mut history = Vec::with_capacity(cards.len());
        for (id, (_, entries)) in all() {
            for entry in entries {
                history.push(history_row(*id, entry)?);
            }
        }
        self.insert_into("client_history", HISTORY, history, "").await?;
        Ok(ids)
    }

    async fn insert_phones(&mut self, ids: &[ClientId], cards: &[NewCard]) -> Result<()> {
        let numbers = || {
            let cards = ids.iter().zip(cards);
            cards.flat_map(|(id, (card, _))| card.phones.iter().map(move |phone| (*id, card, phone.number.as_str())))
        };
        let asked: Vec<&str> = numbers().map(|(_, _, number)| number).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let text = format!("SELECT DISTINCT number FROM client_phones WHERE number IN {}", texts(self.1));
        let asked = Sql::new(text).with_json(&asked);
        let had = self.rows(asked).await?.iter().map(|row| row.text("number")).collect::<Result<BTreeSet<_>>>()?;
        let row = |(id, card, number): (ClientId, &Client, &str)| {
            // Calls from before the card are its owner's, unless somebody else had the number then.
            let since = if had.contains(number) { card.created_at.0 } else { 0 };
            let number_rev = Value::Text(reversed(number));
            vec![Value::Int(id.0), Value::Text(number.to_owned()), number_rev, Value::Int(since)]
        };
        self.insert_into("client_phones", "client, number, number_rev, since", numbers().map(row).collect(), "").await
    }

    /// Adds entries to the history of a card that is there.
    pub(super) async fn insert_history(&mut self, id: ClientId, entries: &[Entry<Event>]) -> Result<()> {
        let rows = entries.iter().map(|entry| history_row(id, entry)).collect::<Result<Vec<_>>>()?;
        self.insert_into("client_history", HISTORY, rows, "").await
    }

    /// Adds rows to one of our tables, with `end` at the end of the statement; of no rows nothing comes.
    pub(super) async fn insert_into(
        &mut self,
        table: &str,
        columns: &str,
        rows: Vec<Vec<Value>>,
        end: &str,
    ) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut sql = insert_of(self.1, table, columns, &rows);
        sql.push(end);
        self.execute(sql).await.map(drop)
    }
}

const HISTORY: &str = "client, version, at, kind, entry";

fn history_row(id: ClientId, entry: &Entry<Event>) -> Result<Vec<Value>> {
    Ok(vec![
        Value::Int(id.0),
        Value::Int(whole(entry.version)?),
        Value::Int(entry.at.0),
        Value::Text(entry.event.kind().to_owned()),
        Value::Text(json(entry)?),
    ])
}

/// The card's id as the database keeps it: none once the card is merged or erased.
pub(super) fn code(card: &Client) -> Option<String> {
    let open = card.merged_into.is_none() && card.erased_at.is_none();
    Some(card.code.clone()).filter(|code| open && !code.is_empty())
}

pub(super) fn kind_word(kind: &Kind) -> &'static str {
    match kind {
        Kind::Personal => "personal",
        Kind::Corporate { .. } => "corporate",
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::demo::Office;

    use super::super::clients::tests::olga;
    use super::super::testing::on_both;
    use super::*;

    #[tokio::test]
    async fn a_thousand_cards_are_made_at_once_or_not_at_all() {
        on_both(async |t| {
            let office = Office::new(7, 100);
            let cards = |count: u64| (0..count).map(|number| office.client(number)).collect::<Vec<_>>();
            let ids = t.store.import_clients(cards(1200), &olga(), Wall(5)).await.unwrap();
            assert_eq!(ids.len(), 1200);
            let last = t.store.get_client(ids[1199]).await.unwrap().unwrap();
            let number = last.card.phone().to_owned();
            assert_eq!(t.store.client_of_number(&number).await.unwrap(), Some(last.clone()));
            assert_eq!(client::restore(&t.store.client_history(last.id).await.unwrap()), Some(last.card.clone()));
            let found = t.store.search_clients(&last.card.title(), 100).await.unwrap();
            assert!(found.iter().any(|row| row.id == last.id));
            let again = (1201..1301).chain([7]).map(|number| office.client(number)).collect();
            let taken = t.store.import_clients(again, &olga(), Wall(6)).await.unwrap_err();
            assert!(matches!(taken, ChangeError::Store(StoreError::Taken(_))), "{taken}");
            let page = t.store.list_clients(&Default::default(), None, 1).await.unwrap();
            assert_eq!(page.items[0].id, ids[1199]);
        })
        .await;
    }
}
