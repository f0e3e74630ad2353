//! Why clients come: the office's list, with specialists, queue and greeting of each.

use axum::extract::State;
use axum::response::IntoResponse;

use crate::domain::contact::Purpose;
use crate::domain::rejected::{Problem as Wrong, Rejected};
use crate::engine::event::Event;

use super::WebState;
use super::extract::{Json, Path};
use super::problem::Problem;
use super::tariffs::{ChangeItem, ListedItem, ListedItems, added, changed, item, listed};
use super::writer::{Writer, tagged};

/// All purposes by name, those that are not in use any more too.
#[utoipa::path(get, path = "/api/v1/purposes", tag = "journal", responses((status = 200, body = ListedItems<Purpose>)))]
pub(super) async fn purposes(State(state): State<WebState>) -> Result<axum::Json<ListedItems<Purpose>>, Problem> {
    listed(&state).await
}

/// One purpose.
#[utoipa::path(get, path = "/api/v1/purposes/{id}", tag = "journal", params(("id" = i64, Path)),
    responses((status = 200, body = ListedItem<Purpose>), (status = 404, body = Problem)))]
pub(super) async fn purpose(State(state): State<WebState>, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    let item = item::<Purpose>(&state, id).await?;
    Ok(tagged(item.version, ListedItem::from(item)))
}

/// Add a purpose. No purpose is a default.
#[utoipa::path(post, path = "/api/v1/purposes", tag = "journal", request_body = Purpose,
    responses((status = 201, body = ListedItem<Purpose>), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn add_purpose(
    State(state): State<WebState>,
    writer: Writer,
    Json(body): Json<Purpose>,
) -> Result<impl IntoResponse, Problem> {
    check(&state, &writer, &body).await?;
    let answer = added(&state, &writer, body).await?;
    greet_anew(&state).await?;
    Ok(answer)
}

/// Change a purpose, or retire it. Contacts that have it keep it.
#[utoipa::path(patch, path = "/api/v1/purposes/{id}", tag = "journal", params(("id" = i64, Path)),
    request_body = ChangeItem<Purpose>, responses((status = 200, body = ListedItem<Purpose>),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change_purpose(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    Json(body): Json<ChangeItem<Purpose>>,
) -> Result<impl IntoResponse, Problem> {
    if let Some(purpose) = &body.value {
        check(&state, &writer, purpose).await?;
    }
    let answer = changed(&state, &writer, id, body).await?;
    greet_anew(&state).await?;
    Ok(answer)
}

/// The engine says from now on what stands in the purposes.
async fn greet_anew(state: &WebState) -> Result<(), Problem> {
    let greetings = state.store.greetings().await?;
    state.requests.tell(Event::Greetings(greetings)).await?;
    Ok(())
}

/// Queue and specialists must exist.
async fn check(state: &WebState, writer: &Writer, purpose: &Purpose) -> Result<(), Problem> {
    let refuse = |field| writer.rejected(&Rejected::Field { field, problem: Wrong::NoSuch });
    if !purpose.queue.is_empty() && !state.settings.now().queues.iter().any(|queue| queue.name == purpose.queue) {
        return Err(refuse("queue"));
    }
    // Of more than there may be nobody looks at each.
    purpose.check().map_err(|rejected| writer.rejected(&rejected))?;
    match state.store.stranger_among(&purpose.specialists).await? {
        Some(_) => Err(refuse("specialists")),
        None => Ok(()),
    }
}
