//! The journal of contacts: listed, looked at, entered, changed. What happens to them later is in `journal_actions`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use crate::domain::contact::{Command, DocumentKind, Kind, Person, State as ContactState};
use crate::domain::ids::{ClientId, ContactId, PurposeId};
use crate::shell::clock;
use crate::shell::store::contact_list::ContactFilter;
use crate::shell::store::contacts::ContactRow;

use super::WebState;
use super::access::Identity;
use super::calls::call_id;
use super::extract::{Json, Path, Query};
use super::journal_dto::{
    ChangeContact, ContactBoard, ContactHistories, ContactHistory, ContactShape, Contacts, NamedPerson, NewContact,
    People, persons_of,
};
use super::listing::listing;
use super::problem::Problem;
use super::writer::{Writer, tagged};

listing! {
    /// Which contacts; what is not given does not matter.
    {
        /// States with commas between: `new`, `waiting`, `in_work`, `done`, `ignored`; or `open` for what somebody still has
        /// to see to.
        state: String,
        /// `call_in`, `call_out` or `visit`.
        kind: String,
        /// With this purpose.
        purpose: i64,
        /// `me`, `agent:7` or `user:7`.
        responsible: String,
        /// Of this client, and of the cards that were merged into it.
        client: i64,
        /// From this number, in any form.
        phone: String,
        /// With a document of this number: `ЗН-17`, or `work_order:ЗН-17` for one kind of documents alone.
        document: String,
        /// Of this call.
        call: String,
        /// Words that begin like these stand in it: client, description, comment, outcome, purpose, document. A page may
        /// hold few then, or none, though `next` leads on.
        q: String,
    }
}

/// Contacts, newest first.
#[utoipa::path(get, path = "/api/v1/journal", operation_id = "list_contacts", tag = "journal", params(Wanted),
    responses((status = 200, body = Contacts), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<WebState>,
    identity: Identity,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Contacts>, Problem> {
    let [from, to] = wanted.span();
    let (cursor, limit) = wanted.page();
    let filter = ContactFilter {
        from,
        to,
        states: wanted.state.as_deref().map(states).transpose()?.unwrap_or_default(),
        kind: wanted.kind.as_deref().map(kind).transpose()?,
        purpose: wanted.purpose.map(PurposeId),
        responsible: wanted.responsible.as_deref().map(|text| human(text, &identity)).transpose()?.unwrap_or_default(),
        client: wanted.client.map(ClientId),
        phone: wanted.phone.clone(),
        document: wanted.document.as_deref().map(document),
        call: wanted.call.as_deref().map(call_id).transpose()?,
        words: wanted.q.clone().unwrap_or_default(),
    };
    let page = state.store.list_contacts(&filter, cursor, limit).await?;
    Ok(axum::Json(Contacts { items: page.items.into_iter().map(ContactShape::from).collect(), next: page.next }))
}

fn states(text: &str) -> Result<Vec<ContactState>, Problem> {
    if text == "open" {
        return Ok(ContactState::ALL.iter().copied().filter(|state| state.is_open()).collect());
    }
    let read = |word: &str| {
        ContactState::parse(word.trim()).ok_or_else(|| {
            let words = ContactState::ALL.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(", ");
            Problem::bad_request("wrong_query", format!("state {word:?}: use open, or some of {words}"))
        })
    };
    text.split(',').map(read).collect()
}

fn kind(text: &str) -> Result<Kind, Problem> {
    Kind::parse(text).ok_or_else(|| {
        let words = Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
        Problem::bad_request("wrong_query", format!("kind {text:?}: use one of {words}"))
    })
}

/// One human by all numbers that may stand in a contact.
fn human(text: &str, identity: &Identity) -> Result<Vec<Person>, Problem> {
    let wrong = || Problem::bad_request("wrong_query", format!("responsible {text:?}: use me, agent:7 or user:7"));
    match text {
        "me" => Ok(identity.persons()).and_then(|is| if is.is_empty() { Err(wrong()) } else { Ok(is) }),
        other => Ok(vec![Person::parse(other).ok_or_else(wrong)?]),
    }
}

fn document(text: &str) -> (Option<DocumentKind>, String) {
    let kind = text.split_once(':').and_then(|(kind, number)| Some((DocumentKind::parse(kind)?, number)));
    kind.map_or_else(|| (None, text.to_owned()), |(kind, number)| (Some(kind), number.to_owned()))
}

/// What nobody has taken yet: clients who wait, the longest first, and new contacts, the oldest first.
#[utoipa::path(get, path = "/api/v1/journal/board", operation_id = "contact_board", tag = "journal",
    responses((status = 200, body = ContactBoard)))]
pub(super) async fn board(State(state): State<WebState>) -> Result<axum::Json<ContactBoard>, Problem> {
    let board = state.store.contact_board().await?;
    let shapes = |rows: Vec<ContactRow>| rows.into_iter().map(ContactShape::from).collect();
    Ok(axum::Json(ContactBoard { waiting: shapes(board.waiting), new: shapes(board.new) }))
}

/// Who may be responsible: agents, and users who take no calls.
#[utoipa::path(get, path = "/api/v1/journal/people", operation_id = "contact_people", tag = "journal",
    responses((status = 200, body = People)))]
pub(super) async fn people(State(state): State<WebState>) -> Result<axum::Json<People>, Problem> {
    let items = state.store.people_of_the_office().await?;
    let items = items.into_iter().map(|(person, name)| NamedPerson::of(person, Some(name))).collect();
    Ok(axum::Json(People { items }))
}

/// Enter a contact. Whom it concerns is told.
#[utoipa::path(post, path = "/api/v1/journal", operation_id = "create_contact", tag = "journal",
    request_body = NewContact, responses((status = 201, body = ContactShape), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
pub(super) async fn create(
    State(state): State<WebState>,
    writer: Writer,
    Json(body): Json<NewContact>,
) -> Result<impl IntoResponse, Problem> {
    let doer = writer.contact_author(None)?;
    let row = state.store.create_contact(body.read(), &doer, clock::wall()).await;
    let row = row.map_err(|error| writer.refused(&doer.author, error))?;
    Ok((StatusCode::CREATED, tagged(row.contact.version, ContactShape::from(row))))
}

/// One contact.
#[utoipa::path(get, path = "/api/v1/journal/{id}", operation_id = "one_contact", tag = "journal",
    params(("id" = i64, Path)), responses((status = 200, body = ContactShape), (status = 404, body = Problem)))]
pub(super) async fn one(State(state): State<WebState>, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    let row = known(&state, id).await?;
    Ok(tagged(row.contact.version, ContactShape::from(row)))
}

/// What happened to a contact, oldest first.
#[utoipa::path(get, path = "/api/v1/journal/{id}/history", operation_id = "contact_history", tag = "journal",
    params(("id" = i64, Path)), responses((status = 200, body = ContactHistories), (status = 404, body = Problem)))]
pub(super) async fn history(
    State(state): State<WebState>,
    Path(id): Path<i64>,
) -> Result<axum::Json<ContactHistories>, Problem> {
    let row = known(&state, id).await?;
    let entries = state.store.contact_history(row.id).await?;
    let names = state.store.person_names(&persons_of(&entries)).await?;
    let items = entries.into_iter().map(|entry| ContactHistory::of(entry, &names)).collect();
    Ok(axum::Json(ContactHistories { items }))
}

/// More, or better, is known of a contact. In every state, by everybody.
#[utoipa::path(patch, path = "/api/v1/journal/{id}", operation_id = "change_contact", tag = "journal",
    params(("id" = i64, Path)), request_body = ChangeContact, responses((status = 200, body = ContactShape),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    Json(body): Json<ChangeContact>,
) -> Result<impl IntoResponse, Problem> {
    let version = body.version;
    apply(&state, &writer, id, version, body.read()).await
}

/// Does something to a contact and answers it as it is then.
pub(super) async fn apply(
    state: &WebState,
    writer: &Writer,
    id: i64,
    version: Option<u64>,
    command: Command,
) -> Result<impl IntoResponse + use<>, Problem> {
    let doer = writer.contact_author(version)?;
    let row = state.store.change_contact(ContactId(id), command, &doer, clock::wall()).await;
    let row = row.map_err(|error| writer.refused(&doer.author, error))?;
    Ok(tagged(row.contact.version, ContactShape::from(row)))
}

async fn known(state: &WebState, id: i64) -> Result<ContactRow, Problem> {
    let row = state.store.get_contact(ContactId(id)).await?;
    row.ok_or_else(|| {
        Problem::not_found(format!("there is no contact {id}")).in_russian(format!("Обращения № {id} нет."))
    })
}
