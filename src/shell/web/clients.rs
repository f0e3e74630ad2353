//! Cards of clients: made, found, looked at, changed. Blocking, merging and the timeline are in `client_actions`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use crate::domain::client::{CheckRules, Command, attention, checks};
use crate::domain::ids::{ClientId, GroupId};
use crate::domain::time::Date;
use crate::shell::clock;
use crate::shell::store::client_list::ClientFilter;
use crate::shell::store::clients::ClientRow;

use super::WebState;
use super::client_dto::{CardToWrite, CheckHint, Client, ClientWithChecks, Clients};
use super::extract::{Json, Path, Query};
use super::listing::listing;
use super::problem::Problem;
use super::writer::{Writer, tagged};

listing! {
    /// Which cards; what is not given does not matter.
    {
        /// Any number, a part of a name, a plate or an address; every word must be on the card. The best come first, at
        /// most 100; the other filters and the cursor do not go with it.
        q: String,
        /// Whose number this is, in any form: one card or none.
        number: String,
        /// Blocked, or not.
        blocked: bool,
        /// Corporate, or personal.
        corporate: bool,
        /// Whose card names this group.
        group: i64,
        /// With this tag.
        tag: String,
        /// At least this level of conflict.
        conflict: u8,
        /// The erased ones too.
        erased: bool,
    }
}

/// Cards, newest first, or those that a search finds. Merged cards are not listed.
#[utoipa::path(get, path = "/api/v1/clients", tag = "clients", params(Wanted),
    responses((status = 200, body = Clients), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<WebState>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Clients>, Problem> {
    let [from, to] = wanted.span();
    let (cursor, limit) = wanted.page();
    let (rows, next) = match (&wanted.q, &wanted.number) {
        (Some(_), Some(_)) => {
            return Err(Problem::bad_request("wrong_query", "q and number: send one of them; q finds numbers too"));
        }
        (Some(query), None) => (state.store.search_clients(query, limit).await?, None),
        (None, Some(number)) => (state.store.client_of_number(number).await?.into_iter().collect(), None),
        (None, None) => {
            let filter = ClientFilter {
                from,
                to,
                blocked: wanted.blocked,
                corporate: wanted.corporate,
                group: wanted.group.map(GroupId),
                tag: wanted.tag.clone(),
                conflict: wanted.conflict,
                erased: wanted.erased.unwrap_or(false),
            };
            let page = state.store.list_clients(&filter, cursor, limit).await?;
            (page.items, page.next)
        }
    };
    Ok(axum::Json(Clients { items: rows.into_iter().map(Client::from).collect(), next }))
}

/// Make a card. It needs a number or a `code`.
#[utoipa::path(post, path = "/api/v1/clients", tag = "clients", request_body = CardToWrite, responses(
    (status = 201, body = Client), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn create(
    State(state): State<WebState>,
    writer: Writer,
    Json(body): Json<CardToWrite>,
) -> Result<impl IntoResponse, Problem> {
    let author = writer.author(None)?;
    let row = state.store.create_client(body.new_card()?, &author, clock::wall()).await;
    let row = row.map_err(|error| writer.refused(&author, error))?;
    Ok((StatusCode::CREATED, tagged(row.card.version, Client::from(row))))
}

/// A card, with what to ask the client about.
#[utoipa::path(get, path = "/api/v1/clients/{id}", tag = "clients", params(("id" = i64, Path)),
    responses((status = 200, body = ClientWithChecks), (status = 404, body = Problem)))]
pub(super) async fn one(State(state): State<WebState>, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    let row = known(&state, id).await?;
    let checks = checks(&row.card, &CheckRules::default(), clock::wall());
    let checks = checks.into_iter().map(CheckHint::from).collect();
    let offset = state.metering.utc_offset_minutes;
    let registered = Date::of(row.card.created_at, offset);
    let attention = attention(&row.card, registered, Date::of(clock::wall(), offset), 8);
    Ok(tagged(row.card.version, ClientWithChecks { client: row.into(), checks, attention }))
}

/// Change a card.
#[utoipa::path(patch, path = "/api/v1/clients/{id}", tag = "clients", params(("id" = i64, Path)),
    request_body = CardToWrite, responses((status = 200, body = Client), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    Json(body): Json<CardToWrite>,
) -> Result<impl IntoResponse, Problem> {
    let version = body.version;
    apply(&state, &writer, id, version, Command::Edit(body.changes()?)).await
}

/// Does something to a card and answers it as it is then.
pub(super) async fn apply(
    state: &WebState,
    writer: &Writer,
    id: i64,
    version: Option<u64>,
    command: Command,
) -> Result<impl IntoResponse + use<>, Problem> {
    let author = writer.author(version)?;
    let row = state.store.change_client(ClientId(id), command, &author, clock::wall()).await;
    let row = row.map_err(|error| writer.refused(&author, error))?;
    Ok(tagged(row.card.version, Client::from(row)))
}

/// The card, or why not.
pub(super) async fn known(state: &WebState, id: i64) -> Result<ClientRow, Problem> {
    let row = state.store.get_client(ClientId(id)).await?;
    row.ok_or_else(|| Problem::not_found(format!("there is no client {id}")).in_russian(format!("Клиента № {id} нет.")))
}
