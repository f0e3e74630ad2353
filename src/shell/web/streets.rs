//! The list of streets that address hints are made of.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::domain::hint::Street;
use crate::shell::clock;
use crate::shell::import::streets::Streets;
use crate::shell::store::streets::{SettlementRow, StreetRow};

use super::WebState;
use super::access::Identity;
use super::dto::PAGE;
use super::exchange::table;
use super::extract::{Json, Path, Query};
use super::problem::Problem;

/// Lines of a table that are bad, in the answer.
const MOST_BAD: usize = 100;

/// Which streets.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Parts of the name, in any letter case.
    #[serde(default)]
    q: String,
    /// Of this city, town or village; empty for the office's own.
    settlement: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Streets on the page, at most 500; 50 when absent.
    limit: Option<u32>,
}

/// A street of the list.
#[derive(Serialize, ToSchema)]
pub(super) struct StreetItem {
    id: i64,
    /// City, town or village; empty for the office's own.
    settlement: String,
    /// With its kind: «улица Ленина».
    title: String,
}

impl From<StreetRow> for StreetItem {
    fn from(row: StreetRow) -> StreetItem {
        StreetItem { id: row.id, title: row.street.title(), settlement: row.street.settlement }
    }
}

/// A page of streets by settlement and name.
#[derive(Serialize, ToSchema)]
pub(super) struct StreetPage {
    items: Vec<StreetItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The list of streets, by settlement and name.
#[utoipa::path(get, path = "/api/v1/streets", tag = "streets", params(Wanted),
    responses((status = 200, body = StreetPage), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<WebState>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<StreetPage>, Problem> {
    let bad = || Problem::bad_request("bad_cursor", "cursor: send `next` of the page before, or leave it out");
    let after = match &wanted.cursor {
        Some(cursor) => {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
            let text = String::from_utf8(bytes).map_err(|_| bad())?;
            // A database takes no text with a zero in it.
            Some(text).filter(|text| !text.contains('\0')).map_or_else(|| Err(bad()), |text| Ok(Some(text)))?
        }
        None => None,
    };
    let (q, settlement) = (wanted.q.replace('\0', ""), wanted.settlement.map(|name| name.replace('\0', "")));
    let limit = wanted.limit.unwrap_or(PAGE);
    let (rows, next) = state.store.list_streets(&q, settlement.as_deref(), after.as_deref(), limit).await?;
    let items = rows.into_iter().map(StreetItem::from).collect();
    Ok(axum::Json(StreetPage { items, next: next.map(|key| URL_SAFE_NO_PAD.encode(key)) }))
}

/// How many streets a settlement has.
#[derive(Serialize, ToSchema)]
pub(super) struct StreetTown {
    /// Empty for the office's own.
    settlement: String,
    streets: u64,
}

/// The settlements, the largest first.
#[derive(Serialize, ToSchema)]
pub(super) struct StreetTowns {
    items: Vec<StreetTown>,
}

/// The cities, towns and villages of the list.
#[utoipa::path(get, path = "/api/v1/streets/settlements", tag = "streets",
    responses((status = 200, body = StreetTowns)))]
pub(super) async fn settlements(State(state): State<WebState>) -> Result<axum::Json<StreetTowns>, Problem> {
    let rows = state.store.list_settlements().await?;
    let items = rows.into_iter().map(|SettlementRow { settlement, streets }| StreetTown { settlement, streets });
    Ok(axum::Json(StreetTowns { items: items.collect() }))
}

/// A street to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewStreet {
    /// As people write it: «ул. Ленина», «Невский пр-т».
    street: String,
    /// City, town or village; empty for the office's own.
    #[serde(default)]
    settlement: String,
}

/// How many streets an import had.
#[derive(Serialize, ToSchema)]
pub(super) struct Imported {
    /// Lines that name a street.
    lines: u64,
    /// Different streets.
    streets: usize,
    /// Added; of a check, none.
    added: u64,
    /// Lines that cannot be used, the first 100.
    bad: Vec<String>,
    bad_total: usize,
}

/// Add a street. Hints know it within 5 seconds.
#[utoipa::path(post, path = "/api/v1/streets", tag = "streets", request_body = NewStreet,
    responses((status = 201, description = "added"), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn add(
    State(state): State<WebState>,
    identity: Identity,
    Json(body): Json<NewStreet>,
) -> Result<impl IntoResponse, Problem> {
    let street =
        Street::read(&body.street, &body.settlement).map_err(|error| Problem::unprocessable(error.to_string()))?;
    let title = street.title();
    if state.store.add_streets(&[street], clock::wall()).await? == 0 {
        return Err(Problem::conflict("taken", format!("{title:?} is in the list already")));
    }
    let detail = json!({ "settlement": body.settlement });
    state.audit(identity.named(), "street.add", &title, detail, identity.address).await?;
    Ok(StatusCode::CREATED)
}

/// Remove a street from the list. Orders and clients' places keep it.
#[utoipa::path(delete, path = "/api/v1/streets/{id}", tag = "streets", params(("id" = i64, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn remove(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    let removed = state.store.remove_street(id).await?;
    let street = removed.ok_or_else(|| Problem::not_found(format!("there is no street {id}")))?;
    let detail = json!({ "settlement": street.settlement });
    state.audit(identity.named(), "street.remove", &street.title(), detail, identity.address).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How a table is taken.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wish {
    /// For streets of which the table does not tell it.
    #[serde(default)]
    settlement: String,
    /// Check only.
    #[serde(default)]
    dry_run: bool,
    /// Add the good lines of a table that has bad ones.
    #[serde(default)]
    skip_bad: bool,
}

/// Add the streets of a table (CSV in UTF-8; `;`, `,` or tab; columns street, settlement, kind, or their Russian names;
/// at most 8 MiB). What is in the list already stays as it is.
#[utoipa::path(post, path = "/api/v1/streets/import", tag = "streets", params(Wish),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = Imported), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn import(
    State(state): State<WebState>,
    identity: Identity,
    Query(wish): Query<Wish>,
    request: Request,
) -> Result<axum::Json<Imported>, Problem> {
    let body = table(request).await?;
    let settlement = wish.settlement.clone();
    // Some ten thousand lines: not on the thread of the other requests.
    let read = tokio::task::spawn_blocking(move || Streets::from_csv(&body[..], &settlement)).await;
    let read = read.map_err(|error| Problem::internal(&error))?;
    let bad: Vec<String> = read.bad.iter().take(MOST_BAD).map(ToString::to_string).collect();
    if let (Some(first), false, false) = (bad.first(), wish.skip_bad, wish.dry_run) {
        let count = read.bad.len();
        return Err(Problem::unprocessable(format!(
            "nothing was added: {count} lines are bad, the first: {first}. Ask with dry_run=true for all of them, or add \
             the rest with skip_bad=true"
        )));
    }
    let added = if wish.dry_run { 0 } else { state.store.add_streets(&read.streets, clock::wall()).await? };
    if added > 0 {
        state.audit(identity.named(), "street.import", "table", json!({ "added": added }), identity.address).await?;
    }
    let (lines, streets, bad_total) = (read.read, read.streets.len(), read.bad.len());
    Ok(axum::Json(Imported { lines, streets, added, bad, bad_total }))
}
