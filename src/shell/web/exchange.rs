//! Tables of clients and orders in and out, what is known of one client, and its erasure. For administrators.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use crate::domain::client::Command;
use crate::domain::history::{ActorKind, By, Source};
use crate::domain::ids::ClientId;
use crate::engine::event::Actor;
use crate::shell::clock;
use crate::shell::exchange::{ExchangeError, Part, Report, Wish, clients, orders, personal};
use crate::shell::recordings::erase::remove_erased;
use crate::shell::store::Store;
use crate::shell::store::author::Author;

use super::WebState;
use super::access::Identity;
use super::extract::{Path, Query};
use super::intake::LARGEST_TABLE;
use super::problem::Problem;
use super::writer::Writer;

/// Lines that are written within one request; more take longer than a request may.
const MOST_LINES: u64 = 2000;

/// What is to be done with a table.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Check only, and list everything that is wrong.
    #[serde(default)]
    dry_run: bool,
    /// Write the good lines of a table that has bad ones.
    #[serde(default)]
    skip_bad: bool,
}

impl From<ExchangeError> for Problem {
    fn from(error: ExchangeError) -> Problem {
        match error {
            ExchangeError::Store(error) => error.into(),
            error @ ExchangeError::Write(_) => Problem::internal(&error),
        }
    }
}

/// Whoever imports a table; what it says holds for whatever version there is.
fn importer(identity: &Identity) -> Author {
    let named = identity.named();
    let name = match &named {
        Actor::Person(name) | Actor::Program(name) => name.clone(),
        Actor::Agent(_) | Actor::Engine => String::new(),
    };
    let by = By::new(ActorKind::Office, name, Source::Import);
    Author { by, actor: named, address: identity.address.to_string() }
}

pub(super) async fn table(request: Request) -> Result<Bytes, Problem> {
    let body = axum::body::to_bytes(request.into_body(), LARGEST_TABLE).await;
    body.map_err(|cause| Problem::bad_request("broken_body", format!("the body could not be read: {cause}")))
}

/// Which table.
#[derive(Clone, Copy)]
enum Which {
    Clients,
    Orders,
}

impl Which {
    async fn import(self, store: &Store, table: &[u8], wish: Wish, by: &Author) -> Result<Report, ExchangeError> {
        match self {
            Which::Clients => clients::import(store, table, wish, by, clock::wall()).await,
            Which::Orders => orders::import(store, table, wish, by, clock::wall()).await,
        }
    }

    async fn export(self, store: &Store, cursor: Option<&str>) -> Result<Part, ExchangeError> {
        match self {
            Which::Clients => clients::export(store, cursor).await,
            Which::Orders => orders::export(store, cursor).await,
        }
    }

    /// Actions of the audit: imported, exported.
    fn actions(self) -> (&'static str, &'static str) {
        match self {
            Which::Clients => ("clients_imported", "clients_exported"),
            Which::Orders => ("orders_imported", "orders_exported"),
        }
    }
}

/// Checks first, so that nothing is written of a table that is too long or bad.
async fn import(
    state: &WebState,
    identity: &Identity,
    which: Which,
    wanted: Wanted,
    request: Request,
) -> Result<axum::Json<Report>, Problem> {
    let (body, author) = (table(request).await?, importer(identity));
    let wish = Wish { dry_run: wanted.dry_run, skip_bad: wanted.skip_bad };
    let checked = which.import(&state.store, &body, Wish { dry_run: true, ..wish }, &author).await?;
    if wish.dry_run {
        return Ok(axum::Json(checked));
    }
    if let (Some(first), false) = (checked.faults.first(), wish.skip_bad) {
        return Err(Problem::unprocessable(format!(
            "nothing was imported: {} of {} lines are bad, the first: {first}. Ask with dry_run=true for all of them, \
             or import the rest with skip_bad=true",
            checked.faults.len(),
            checked.lines
        )));
    }
    if checked.new > MOST_LINES {
        return Err(Problem::unprocessable(format!(
            "nothing was imported: a request takes at most {MOST_LINES} new lines, these are {}; divide the table, or \
             use `perezvon clients import` or `perezvon orders import`",
            checked.new
        )));
    }
    let report = which.import(&state.store, &body, wish, &author).await?;
    if report.done {
        let detail = json!({"new": report.new, "known": report.known});
        state.audit(identity.named(), which.actions().0, "table", detail, identity.address).await?;
    }
    Ok(axum::Json(report))
}

/// Make cards out of a table (CSV in UTF-8; `;`, `,` or tab; at most 8 MiB).
///
/// Columns: phone, more_phones, code, surname, name, patronymic, company, city, street, house, entrance,
/// address_comment, email, note, birthday, tags, conflict, tariff, group; or their Russian names. Cards that are there
/// already (by code or any number) stay as they are.
#[utoipa::path(post, path = "/api/v1/clients/import", tag = "clients", params(Wanted),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = Report), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn import_clients(
    State(state): State<WebState>,
    identity: Identity,
    Query(wanted): Query<Wanted>,
    request: Request,
) -> Result<axum::Json<Report>, Problem> {
    import(&state, &identity, Which::Clients, wanted, request).await
}

/// Take orders out of a table (CSV in UTF-8; `;`, `,` or tab; at most 8 MiB).
///
/// Columns: phone, passenger, from_city, from_street, from_house, from_entrance, from_comment, the same with to_,
/// wanted_at (RFC 3339), lead_minutes, tariff, payment, comment, estimate (roubles); or their Russian names. The same line is
/// taken once within 24 hours.
#[utoipa::path(post, path = "/api/v1/orders/import", tag = "orders", params(Wanted),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = Report), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn import_orders(
    State(state): State<WebState>,
    identity: Identity,
    Query(wanted): Query<Wanted>,
    request: Request,
) -> Result<axum::Json<Report>, Problem> {
    import(&state, &identity, Which::Orders, wanted, request).await
}

/// All cards as a table (CSV) that can be imported again.
#[utoipa::path(get, path = "/api/v1/clients/export", tag = "clients",
    responses((status = 200, body = String, content_type = "text/csv")))]
pub(super) async fn export_clients(State(state): State<WebState>, identity: Identity) -> Result<Response, Problem> {
    export(state, &identity, Which::Clients).await
}

/// All orders as a table (CSV).
#[utoipa::path(get, path = "/api/v1/orders/export", tag = "orders",
    responses((status = 200, body = String, content_type = "text/csv")))]
pub(super) async fn export_orders(State(state): State<WebState>, identity: Identity) -> Result<Response, Problem> {
    export(state, &identity, Which::Orders).await
}

/// Part after part, as fast as the reader takes them.
async fn export(state: WebState, identity: &Identity, which: Which) -> Result<Response, Problem> {
    state.audit(identity.named(), which.actions().1, "all", json!({}), identity.address).await?;
    let first = which.export(&state.store, None).await?;
    let rest = stream::try_unfold(first.next, move |cursor| {
        let store = state.store.clone();
        async move {
            let Some(cursor) = cursor else { return Ok(None) };
            let part = which.export(&store, Some(&cursor)).await?;
            Ok::<_, ExchangeError>(Some((Bytes::from(part.bytes), part.next)))
        }
    });
    let parts = stream::once(async move { Ok(Bytes::from(first.bytes)) }).chain(rest);
    let name = match which {
        Which::Clients => "attachment; filename=\"clients.csv\"",
        Which::Orders => "attachment; filename=\"orders.csv\"",
    };
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// Everything that is kept about one client: card, history, merged cards, orders, money, calls, places.
#[utoipa::path(get, path = "/api/v1/clients/{id}/personal-data", tag = "clients", params(("id" = i64, Path)),
    responses((status = 200, body = Object), (status = 404, body = Problem)))]
pub(super) async fn personal_data(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
) -> Result<axum::Json<Value>, Problem> {
    let data = personal::export(&state.store, ClientId(id)).await?;
    let data = data.ok_or_else(|| {
        Problem::not_found(format!("there is no client {id}")).in_russian(format!("Клиента № {id} нет."))
    })?;
    state.audit(identity.named(), "personal_data_exported", &id.to_string(), json!({}), identity.address).await?;
    Ok(axum::Json(data))
}

/// Erase what is known of a client, on that client's request: card, names and numbers in orders and calls, the sound of
/// talks. Times, sums and counters stay. This cannot be undone.
///
/// Refused with 409 while an order or a call of the client is not over (`open_order`, `open_call`), or a talk is not
/// archived yet (`unarchived_talk`).
#[utoipa::path(post, path = "/api/v1/clients/{id}/erase", tag = "clients", params(("id" = i64, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn erase(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    let author = writer.author(None)?;
    let erased = state.store.change_client(ClientId(id), Command::Erase, &author, clock::wall()).await;
    erased.map_err(|error| writer.refused(&author, error))?;
    if let Err(cause) = remove_erased(&state.store, &state.vault).await {
        // It is decided and written; the sound is looked for again every hour.
        tracing::warn!(%cause, client = id, "the sound of a client who was erased is removed later");
    }
    Ok(StatusCode::NO_CONTENT)
}
