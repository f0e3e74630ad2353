//! Clients' accounts and bonus accounts: entered, listed, added up. Amounts are kopecks.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::history::{Actor, Source};
use crate::domain::ids::{ClientId, OrderId};
use crate::domain::ledger::{Balances, Book, EntryKind, LedgerEntry, Method, Post};
use crate::domain::money::Kopecks;
use crate::domain::phone::Phone;
use crate::shell::clock;
use crate::shell::store::ledgers::{LedgerFilter, LedgerRow, LedgerTotal};

use super::WebState;
use super::clients::known;
use super::dto::time;
use super::extract::{Json, Path, Query};
use super::listing::listing;
use super::problem::Problem;
use super::writer::{Writer, tagged};

/// A line of a ledger; never changed, never removed.
#[derive(Serialize, ToSchema)]
pub(super) struct LedgerLine {
    /// In whose ledger: the client's, or that of a card that was merged into it.
    client: i64,
    /// 1, 2, 3, … for each client, over both books.
    number: u64,
    book: Book,
    kind: EntryKind,
    method: Method,
    /// What was added, kopecks; below zero for what was taken.
    amount: Kopecks,
    /// What is in this book after it.
    balance: Kopecks,
    /// For which trip.
    order: Option<i64>,
    /// For which number: a company's employees are told apart by it.
    phone: String,
    comment: String,
    at: DateTime<Utc>,
    actor: Actor,
    source: Source,
}

impl LedgerLine {
    pub(super) fn of(client: ClientId, entry: LedgerEntry) -> LedgerLine {
        LedgerLine {
            client: client.0,
            number: entry.number,
            book: entry.book,
            kind: entry.kind,
            method: entry.method,
            amount: entry.amount,
            balance: entry.balance,
            order: entry.order.map(|order| order.0),
            phone: entry.phone,
            comment: entry.comment,
            at: time(entry.at),
            actor: entry.actor,
            source: entry.source,
        }
    }
}

impl From<LedgerRow> for LedgerLine {
    fn from(row: LedgerRow) -> LedgerLine {
        LedgerLine::of(row.client, row.entry)
    }
}

listing! {
    /// Which lines; what is not given does not matter.
    {
        #[param(inline)]
        book: Book,
        #[param(inline)]
        kind: EntryKind,
        #[param(inline)]
        method: Method,
        /// For this number, in any form.
        phone: String,
        /// For this trip.
        order: i64,
    }
}

impl Wanted {
    fn filter(&self, client: Option<ClientId>) -> LedgerFilter {
        let [from, to] = self.span();
        LedgerFilter {
            client,
            from,
            to,
            book: self.book,
            kind: self.kind,
            method: self.method,
            phone: self.phone.as_deref().map(|phone| Phone::parse(phone).as_str().to_owned()),
            order: self.order.map(OrderId),
        }
    }
}

/// A page of lines, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct LedgerLines {
    items: Vec<LedgerLine>,
    /// Cursor of the next page; `null` after the last.
    next: Option<String>,
}

/// What came to and went from a client's accounts, newest first.
#[utoipa::path(get, path = "/api/v1/clients/{id}/ledger", tag = "ledgers", params(("id" = i64, Path), Wanted),
    responses((status = 200, body = LedgerLines), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn of_client(
    State(state): State<WebState>,
    Path(id): Path<i64>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<LedgerLines>, Problem> {
    let client = known(&state, id).await?.id;
    page(&state, &wanted, Some(client)).await
}

/// What came to and went from all clients' accounts, newest first.
#[utoipa::path(get, path = "/api/v1/ledger", tag = "ledgers", params(Wanted),
    responses((status = 200, body = LedgerLines), (status = 400, body = Problem)))]
pub(super) async fn of_all(
    State(state): State<WebState>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<LedgerLines>, Problem> {
    page(&state, &wanted, None).await
}

async fn page(state: &WebState, wanted: &Wanted, client: Option<ClientId>) -> Result<axum::Json<LedgerLines>, Problem> {
    let (cursor, limit) = wanted.page();
    let page = state.store.list_ledger(&wanted.filter(client), cursor, limit).await?;
    Ok(axum::Json(LedgerLines { items: page.items.into_iter().map(LedgerLine::from).collect(), next: page.next }))
}

/// What lines of one book, kind and method add up to.
#[derive(Serialize, ToSchema)]
pub(super) struct LedgerSum {
    book: Book,
    kind: EntryKind,
    method: Method,
    /// How many lines.
    entries: u64,
    /// Kopecks; below zero when more was taken than added.
    sum: Kopecks,
}

impl From<LedgerTotal> for LedgerSum {
    fn from(total: LedgerTotal) -> LedgerSum {
        let LedgerTotal { book, kind, method, entries, sum } = total;
        LedgerSum { book, kind, method, entries, sum }
    }
}

/// Sums.
#[derive(Serialize, ToSchema)]
pub(super) struct LedgerSums {
    items: Vec<LedgerSum>,
}

/// What the lines of all clients add up to, by book, kind and method.
#[utoipa::path(get, path = "/api/v1/ledger/totals", tag = "ledgers", params(Wanted),
    responses((status = 200, body = LedgerSums), (status = 400, body = Problem)))]
pub(super) async fn totals(
    State(state): State<WebState>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<LedgerSums>, Problem> {
    let sums = state.store.ledger_totals(&wanted.filter(None)).await?;
    Ok(axum::Json(LedgerSums { items: sums.into_iter().map(LedgerSum::from).collect() }))
}

/// Something to be entered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEntry {
    /// Kopecks, above zero.
    #[schema(minimum = 1)]
    amount: i64,
    /// Which account, where both have it (pay, write off, refund); `account` when absent.
    #[serde(default)]
    book: Option<Book>,
    /// By which way; `manual` when absent.
    #[serde(default)]
    method: Option<Method>,
    /// For which trip; a payment and a refund need one.
    #[serde(default)]
    order: Option<i64>,
    /// For which number, in any usual form.
    #[serde(default)]
    #[schema(max_length = 120)]
    phone: String,
    /// Why, for people.
    #[serde(default)]
    #[schema(max_length = 2000)]
    comment: String,
    /// Only if the ledger still has so many entries (`balances.entries` of the card).
    #[serde(default)]
    version: Option<u64>,
}

/// What was entered, and what is on the accounts now.
#[derive(Serialize, ToSchema)]
pub(super) struct Entered {
    entry: LedgerLine,
    balances: Balances,
}

macro_rules! entering {
    ($(#[$doc:meta])* $name:ident, $path:literal, $kind:expr) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "ledgers", params(("id" = i64, Path)), request_body = NewEntry,
            responses((status = 201, body = Entered), (status = 404, body = Problem), (status = 409, body = Problem),
            (status = 422, body = Problem)))]
        pub(super) async fn $name(
            State(state): State<WebState>,
            writer: Writer,
            Path(id): Path<i64>,
            Json(body): Json<NewEntry>,
        ) -> Result<impl IntoResponse, Problem> {
            enter(&state, &writer, id, $kind, body).await
        }
    };
}

entering! {
    /// Put money on the account.
    top_up, "/api/v1/clients/{id}/ledger/top-up", EntryKind::TopUp
}
entering! {
    /// Pay for a trip out of an account.
    pay, "/api/v1/clients/{id}/ledger/pay", EntryKind::Payment
}
entering! {
    /// Give bonuses.
    accrue, "/api/v1/clients/{id}/ledger/accrue", EntryKind::Accrual
}
entering! {
    /// Take bonuses off; money: for supervisors.
    write_off, "/api/v1/clients/{id}/ledger/write-off", EntryKind::WriteOff
}
entering! {
    /// Give back what was paid for a trip: for supervisors.
    refund, "/api/v1/clients/{id}/ledger/refund", EntryKind::Refund
}

async fn enter(
    state: &WebState,
    writer: &Writer,
    id: i64,
    kind: EntryKind,
    body: NewEntry,
) -> Result<impl IntoResponse + use<>, Problem> {
    // Each of the first two has one book only.
    let usual = match kind {
        EntryKind::Accrual | EntryKind::Referral => Book::Bonus,
        EntryKind::TopUp | EntryKind::Payment | EntryKind::Refund | EntryKind::WriteOff | EntryKind::Transfer => {
            Book::Account
        }
    };
    let book = body.book.unwrap_or(usual);
    if kind == EntryKind::WriteOff && book == Book::Account {
        writer.supervisor()?;
    }
    let phone = match body.phone.trim() {
        "" => String::new(),
        phone => Phone::entered("phone", phone).map_err(|why| writer.rejected(&why))?.as_str().to_owned(),
    };
    let post = Post {
        book,
        kind,
        method: body.method.unwrap_or(Method::Manual),
        amount: Kopecks(body.amount),
        order: body.order.map(OrderId),
        phone,
        comment: body.comment,
    };
    let author = writer.author(body.version)?;
    let entered = state.store.post_ledger(ClientId(id), post, &author, clock::wall()).await;
    let (row, entry) = entered.map_err(|error| writer.refused(&author, error))?;
    let answer = Entered { entry: LedgerLine::of(row.id, entry), balances: row.balances };
    Ok((StatusCode::CREATED, tagged(answer.balances.entries, answer)))
}
