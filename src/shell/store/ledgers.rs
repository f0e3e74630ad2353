//! Clients' accounts and bonus accounts. The database itself sees to it that lines are only added and that balances
//! are their sum.

use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::group::Group;
use crate::domain::history::Source;
use crate::domain::ids::{ClientId, OrderId};
use crate::domain::ledger::{self, Balances, Book, EntryKind, LedgerEntry, Limits, Method, Post};
use crate::domain::money::Kopecks;
use crate::engine::time::Wall;

use super::agents::{from_json, json};
use super::author::{Author, ChangeError};
use super::calls::{narrow_time, page_of};
use super::catalogue::whole;
use super::clients::ClientRow;
use super::page::Place;
use super::{Columns as _, Page, Result, Sql, Store, StoreError, Tx};

/// A line of a ledger with its place in the office's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// Number of the row.
    pub id: i64,
    /// In whose ledger.
    pub client: ClientId,
    /// The line.
    pub entry: LedgerEntry,
}

/// Which lines to list or to add up; what is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerFilter {
    /// Of this client, and of the cards that were merged into it.
    pub client: Option<ClientId>,
    /// At this moment or later.
    pub from: Option<Wall>,
    /// Before this moment.
    pub to: Option<Wall>,
    /// Of this account.
    pub book: Option<Book>,
    /// Of this kind.
    pub kind: Option<EntryKind>,
    /// That came this way.
    pub method: Option<Method>,
    /// For this number, canonical.
    pub phone: Option<String>,
    /// For this trip.
    pub order: Option<OrderId>,
}

/// What lines of one book, kind and method add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerTotal {
    /// Of which account.
    pub book: Book,
    /// Of which kind.
    pub kind: EntryKind,
    /// By which way.
    pub method: Method,
    /// How many lines.
    pub entries: u64,
    /// Their sum; below zero when more was taken than added.
    pub sum: Kopecks,
}

impl Store {
    /// Enters something into a client's ledger; into that of the card it ended up in, if it was merged. With a version
    /// expected, it is the number of the last line that the author saw.
    ///
    /// # Errors
    /// [`ChangeError::Stale`], [`ChangeError::Rejected`], [`StoreError::NotFound`].
    pub async fn post_ledger(
        &self,
        client: ClientId,
        post: Post,
        author: &Author,
        now: Wall,
    ) -> Result<(ClientRow, LedgerEntry), ChangeError<ClientRow>> {
        let mut tx = self.begin().await?;
        let mut row = tx.root_locked(client).await?.ok_or(StoreError::NotFound("client"))?;
        let (book, order) = (post.book, post.order);
        let limits = tx.limits(&row, book, order).await?;
        let (balances, entry) = ledger::post(&row.balances, post, &limits, &author.by, now)
            .map_err(|refused| ChangeError::of(refused, &row))?;
        tx.insert_line(row.id, &entry, author).await?;
        tx.commit().await?;
        row.balances = balances;
        self.announce(row.update());
        Ok((row, entry))
    }

    /// A page of lines, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or when the database does not answer.
    pub async fn list_ledger(
        &self,
        filter: &LedgerFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<LedgerRow>> {
        let mut sql = Sql::new(
            "SELECT id, client, number, book, kind, method, amount, balance, order_id, phone, comment, at, actor, \
             source FROM ledger_entries WHERE 1 = 1",
        );
        narrow(&mut sql, filter);
        page_of(&mut sql, "at", "id", cursor, limit)?;
        let lines = self.rows(sql).await?.iter().map(ledger_row).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(lines, limit, |line| Place { at: line.entry.at.0, id: line.id }))
    }

    /// What the lines add up to, by book, kind and method.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ledger_totals(&self, filter: &LedgerFilter) -> Result<Vec<LedgerTotal>> {
        let mut sql = Sql::new(
            "SELECT book, kind, method, COUNT(*) AS entries, CAST(SUM(amount) AS BIGINT) AS total \
             FROM ledger_entries WHERE 1 = 1",
        );
        narrow(&mut sql, filter);
        sql.push(" GROUP BY book, kind, method ORDER BY book, kind, method");
        let total = |row: &AnyRow| {
            Ok(LedgerTotal {
                book: word(row, "book", Book::parse)?,
                kind: word(row, "kind", EntryKind::parse)?,
                method: word(row, "method", Method::parse)?,
                entries: row.small("entries")?,
                sum: Kopecks(row.int("total")?),
            })
        };
        self.rows(sql).await?.iter().map(total).collect()
    }
}

impl Tx {
    /// How far an entry into this book may go: credit by the client's group; for a refund, what was paid for the order
    /// and not given back yet.
    pub(super) async fn limits(&mut self, row: &ClientRow, book: Book, order: Option<OrderId>) -> Result<Limits> {
        let group = self.item_or_default::<Group>(row.card.group.map(|group| group.0)).await?;
        let credit = group.map_or(Kopecks::ZERO, |group| group.value.credit);
        let Some(order) = order else { return Ok(Limits { credit, refundable: Kopecks::ZERO }) };
        // The client may have paid by a card that was merged since.
        let sql = Sql::new(
            "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS paid FROM ledger_entries WHERE order_id = $1 \
             AND book = $2 AND kind IN ('payment', 'refund') \
             AND client IN (SELECT id FROM clients WHERE id = $3 OR root = $3)",
        )
        .with(order.0)
        .with(book.as_str().to_owned())
        .with(row.id.0);
        let paid = self.row(sql).await?.ok_or(StoreError::NotFound("answer"))?.int("paid")?;
        Ok(Limits { credit, refundable: -Kopecks(paid) })
    }

    /// Adds a line that the domain made; the database checks that it follows the last one.
    pub(super) async fn insert_line(&mut self, client: ClientId, entry: &LedgerEntry, author: &Author) -> Result<()> {
        let sql = Sql::new(
            "INSERT INTO ledger_entries (client, number, book, kind, method, amount, balance, order_id, phone, \
             comment, at, actor, source) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .with(client.0)
        .with(whole(entry.number)?)
        .with(entry.book.as_str().to_owned())
        .with(entry.kind.as_str().to_owned())
        .with(entry.method.as_str().to_owned())
        .with(entry.amount.0)
        .with(entry.balance.0)
        .with(entry.order.map(|order| order.0))
        .with(entry.phone.clone())
        .with(entry.comment.clone())
        .with(entry.at.0)
        .with(json(&entry.actor)?)
        .with(json(&entry.source)?);
        self.execute(sql).await?;
        let detail = json!({
            "number": entry.number, "book": entry.book, "kind": entry.kind, "method": entry.method,
            "amount": entry.amount, "balance": entry.balance, "order": entry.order,
        });
        author.audit(self, format!("ledger.{}", entry.kind.as_str()), client, detail, entry.at).await
    }
}

/// From the columns `account`, `bonus`, `entries`.
pub(super) fn balances(row: &AnyRow) -> Result<Balances> {
    Ok(Balances {
        account: Kopecks(row.int("account")?),
        bonus: Kopecks(row.int("bonus")?),
        entries: row.small("entries")?,
    })
}

fn narrow(sql: &mut Sql, filter: &LedgerFilter) {
    if let Some(client) = filter.client {
        sql.push(" AND client IN (SELECT id FROM clients WHERE id = ");
        sql.push_value(client.0);
        sql.push(" OR root = ");
        sql.push_value(client.0);
        sql.push(")");
    }
    narrow_time(sql, "at", filter.from, filter.to);
    for (column, word) in [
        ("book", filter.book.map(|book| book.as_str().to_owned())),
        ("kind", filter.kind.map(|kind| kind.as_str().to_owned())),
        ("method", filter.method.map(|method| method.as_str().to_owned())),
        ("phone", filter.phone.clone()),
    ] {
        if let Some(word) = word {
            sql.push(&format!(" AND {column} = "));
            sql.push_value(word);
        }
    }
    if let Some(order) = filter.order {
        sql.push(" AND order_id = ");
        sql.push_value(order.0);
    }
}

/// A word of ours from a column.
pub(super) fn word<T>(row: &AnyRow, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
    let text = row.text(column)?;
    parse(&text).ok_or_else(|| StoreError::Unreadable(format!("{column} is {text:?}")))
}

pub(super) fn ledger_row(row: &AnyRow) -> Result<LedgerRow> {
    Ok(LedgerRow {
        id: row.int("id")?,
        client: ClientId(row.int("client")?),
        entry: LedgerEntry {
            number: row.small("number")?,
            book: word(row, "book", Book::parse)?,
            kind: word(row, "kind", EntryKind::parse)?,
            method: word(row, "method", Method::parse)?,
            amount: Kopecks(row.int("amount")?),
            balance: Kopecks(row.int("balance")?),
            order: row.int_opt("order_id")?.map(OrderId),
            phone: row.text("phone")?,
            comment: row.text("comment")?,
            at: Wall(row.int("at")?),
            actor: from_json(&row.text("actor")?)?,
            source: from_json::<Source>(&row.text("source")?)?,
        },
    })
}
