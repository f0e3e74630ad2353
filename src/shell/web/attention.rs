//! Days on which the staff should think of clients: today's and coming.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::client::Attention;
use crate::domain::time::Date;
use crate::shell::clock;
use crate::shell::store::attention::{AttentionRow, Days};

use super::WebState;
use super::dto::PAGE;
use super::extract::Query;
use super::problem::Problem;

/// Days of a list at most.
const MOST_DAYS: u16 = 366;

/// Which days.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The first day; the office's today when absent.
    from: Option<Date>,
    /// How many days with it, at most 366; 7 when absent.
    #[param(minimum = 1, maximum = 366)]
    days: Option<u16>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Clients on the page, at most 500; 50 when absent.
    limit: Option<u32>,
}

/// A client to think of on a day.
#[derive(Serialize, ToSchema)]
pub(super) struct ClientToThinkOf {
    on: Date,
    client: i64,
    title: String,
    /// The main number; empty if there is none.
    phone: String,
    /// Birthday, a named day of the card, so many years a client.
    why: Vec<Attention>,
}

impl From<AttentionRow> for ClientToThinkOf {
    fn from(row: AttentionRow) -> ClientToThinkOf {
        let card = &row.client.card;
        let phone = card.phone().to_owned();
        ClientToThinkOf { on: row.on, client: row.client.id.0, title: card.title(), phone, why: row.why }
    }
}

/// A page of clients to think of, by day.
#[derive(Serialize, ToSchema)]
pub(super) struct ClientsToThinkOf {
    items: Vec<ClientToThinkOf>,
    /// New Year, if it is one of these days: that of every client.
    new_year: Option<Date>,
    /// Cursor of the next page; `null` after the last.
    next: Option<String>,
}

/// Clients to think of today and in the coming days: birthdays, other days of their cards, years as a client.
#[utoipa::path(get, path = "/api/v1/clients/attention", tag = "clients", params(Wanted),
    responses((status = 200, body = ClientsToThinkOf), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<WebState>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<ClientsToThinkOf>, Problem> {
    let utc_offset_minutes = state.metering.utc_offset_minutes;
    let from = wanted.from.unwrap_or_else(|| Date::of(clock::wall(), utc_offset_minutes));
    let count = wanted.days.unwrap_or(7);
    if !(1..=MOST_DAYS).contains(&count) {
        return Err(Problem::bad_request("wrong_query", format!("days {count}: 1 to {MOST_DAYS}")));
    }
    let days = Days { from, count, utc_offset_minutes };
    let page = state.store.attention(days, wanted.cursor.as_deref(), wanted.limit.unwrap_or(PAGE)).await?;
    let year = if (from.month(), from.day()) == (1, 1) { from.year() } else { from.year().saturating_add(1) };
    let new_year = Date::new(year, 1, 1).filter(|day| day.days() - from.days() < i64::from(count));
    let items = page.items.into_iter().map(ClientToThinkOf::from).collect();
    Ok(axum::Json(ClientsToThinkOf { items, new_year, next: page.next }))
}
