//! Clients whom the office calls: what is pending, what came of it, and what people want of it.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::domain::ids::{ClientId, OrderId};
use crate::domain::phone::Phone;
use crate::engine::event::Actor;
use crate::engine::ids::CallbackId;
use crate::shell::clock;
use crate::shell::store::callback_list::{AttemptRow, CallbackFilter, CallbackRow, NewCallback};

use super::WebState;
use super::access::Identity;
use super::dto::{time, wall};
use super::extract::{Json, Path, Query};
use super::listing::listing;
use super::problem::Problem;

/// Letters of what a client is told.
const LONGEST_WORDS: usize = 500;

/// A client to be called, or who was.
#[derive(Serialize, ToSchema)]
pub(super) struct Callback {
    id: i64,
    /// `order`: something happened to an order; `lost`: hung up while waiting; `words`: the office wants to tell something;
    /// `attention`: a birthday or another day of the client's; `place`: does not wait on the line, the place in the queue is kept.
    kind: String,
    /// What happened to the order: `assigned`, `eta_changed`, `arrived`, `not_found`, `closed`, `cancelled`.
    occasion: Option<String>,
    order: Option<i64>,
    client: Option<i64>,
    /// Canonical number; empty once the client is erased.
    number: String,
    /// What is told, where it is the office's own.
    words: String,
    /// An SMS told it as well.
    by_sms: bool,
    /// Who wanted it; empty for the engine.
    author: String,
    /// `pending`, `delivered`, `superseded`, `cancelled`, `exhausted` (a task for the agents until it is closed), `listed`
    /// (for the agents alone).
    state: String,
    /// The client is being called now.
    calling: bool,
    /// Attempts that were made and count.
    attempts: u32,
    /// When the next attempt is due; `null` once it is over.
    due_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    /// How the last attempt ended: `delivered`, `hung_up`, `machine`, `busy`, `no_answer`, `rejected`, `unreachable`,
    /// `congestion`, `no_such_number`, `not_allowed`, `interrupted`, `given_up`.
    outcome: Option<String>,
    /// When somebody saw to one that is a task.
    closed_at: Option<DateTime<Utc>>,
    /// Who did.
    closed_by: String,
}

impl From<CallbackRow> for Callback {
    fn from(row: CallbackRow) -> Callback {
        Callback {
            id: row.id.0,
            kind: row.kind,
            occasion: row.occasion,
            order: row.order.map(|order| order.0),
            client: row.client.map(|client| client.0),
            number: row.number,
            words: row.words,
            by_sms: row.by_sms,
            author: row.author,
            calling: row.attempt.is_some(),
            attempts: row.attempts,
            due_at: (row.state == "pending").then(|| time(row.due)),
            state: row.state,
            created_at: time(row.created),
            ended_at: row.ended.map(time),
            outcome: row.outcome,
            closed_at: row.closed.map(time),
            closed_by: row.closed_by,
        }
    }
}

/// One attempt to reach a client.
#[derive(Serialize, ToSchema)]
pub(super) struct Attempt {
    /// Also the id of the call, where a person answered: see `GET /calls/{id}`.
    id: String,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    /// As in the callback.
    outcome: Option<String>,
    /// Q.850 cause; 0 where there is none.
    cause: Option<i64>,
}

impl From<AttemptRow> for Attempt {
    fn from(row: AttemptRow) -> Attempt {
        Attempt {
            id: row.id.to_string(),
            started_at: time(row.started),
            ended_at: row.ended.map(time),
            outcome: row.outcome,
            cause: row.cause,
        }
    }
}

/// A callback with all attempts.
#[derive(Serialize, ToSchema)]
pub(super) struct CallbackWithAttempts {
    #[serde(flatten)]
    callback: Callback,
    /// Oldest first.
    tries: Vec<Attempt>,
}

/// A page of callbacks, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Callbacks {
    items: Vec<Callback>,
    /// Cursor of the next page; `null` after the last.
    next: Option<String>,
}

listing! {
    /// Which callbacks, by when they were wanted.
    {
        /// In this state.
        state: String,
        /// Of this kind.
        kind: String,
        /// Those that the engine or somebody still has to see to.
        open: bool,
        /// Of this client.
        client: i64,
        /// About this order.
        order: i64,
        /// With this number, in any usual form.
        number: String,
    }
}

/// Clients to be called, and who were, newest first.
#[utoipa::path(get, path = "/api/v1/callbacks", tag = "callbacks", params(Wanted),
    responses((status = 200, body = Callbacks), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<WebState>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Callbacks>, Problem> {
    let [from, to] = wanted.span();
    let filter = CallbackFilter {
        from,
        to,
        state: wanted.state.clone(),
        kind: wanted.kind.clone(),
        open: wanted.open,
        client: wanted.client.map(ClientId),
        order: wanted.order.map(OrderId),
        number: wanted.number.clone(),
    };
    let (cursor, limit) = wanted.page();
    let page = state.store.list_callbacks(&filter, cursor, limit).await?;
    Ok(axum::Json(Callbacks { items: page.items.into_iter().map(Callback::from).collect(), next: page.next }))
}

/// One callback with its attempts.
#[utoipa::path(get, path = "/api/v1/callbacks/{id}", tag = "callbacks", params(("id" = i64, Path)),
    responses((status = 200, body = CallbackWithAttempts), (status = 404, body = Problem)))]
pub(super) async fn one(
    State(state): State<WebState>,
    Path(id): Path<i64>,
) -> Result<axum::Json<CallbackWithAttempts>, Problem> {
    let found = state.store.get_callback(CallbackId(id)).await?;
    let (row, attempts) = found.ok_or_else(|| Problem::not_found(format!("there is no callback {id}")))?;
    let tries = attempts.into_iter().map(Attempt::from).collect();
    Ok(axum::Json(CallbackWithAttempts { callback: row.into(), tries }))
}

/// A client to be called and told something.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCall {
    /// In any usual form; the client's main number when left out.
    #[serde(default)]
    number: Option<String>,
    /// Whom.
    #[serde(default)]
    client: Option<i64>,
    /// What is told, 1 to 500 letters; free words need a voice (see `[speech]` in the configuration).
    #[schema(min_length = 1, max_length = 500)]
    words: String,
    /// Not before this moment; and never outside the hours in which clients may be called.
    #[serde(default)]
    at: Option<DateTime<Utc>>,
}

/// Call a client and tell something, in allowed hours: a wish for a birthday, a change of the office's own.
#[utoipa::path(post, path = "/api/v1/callbacks", tag = "callbacks", request_body = NewCall,
    responses((status = 201, body = Callback), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn add(
    State(state): State<WebState>,
    identity: Identity,
    Json(body): Json<NewCall>,
) -> Result<(StatusCode, axum::Json<Callback>), Problem> {
    let words = body.words.trim().to_owned();
    if words.is_empty() || words.chars().count() > LONGEST_WORDS {
        return Err(Problem::unprocessable(format!("words: say 1 to {LONGEST_WORDS} letters")));
    }
    let client = match body.client {
        Some(id) => {
            let found = state.store.get_client(ClientId(id)).await?;
            Some(found.ok_or_else(|| Problem::not_found(format!("there is no client {id}")))?)
        }
        None => None,
    };
    let number = match (&body.number, &client) {
        (Some(number), _) => Phone::parse(number),
        (None, Some(client)) => Phone::parse(client.card.phone()),
        (None, None) => return Err(Problem::unprocessable("give a number or a client")),
    };
    if state.settings.now().outside(number.as_str()).is_none() {
        return Err(Problem::unprocessable(
            "the number is not among the allowed destinations (limits.allowed_numbers), or there is no trunk",
        ));
    }
    let new = NewCallback {
        number,
        client: client.map(|client| client.id),
        words,
        not_before: body.at.map(wall),
        author: named(&identity),
    };
    let row = state.store.add_callback(&new, clock::wall()).await?;
    state.audit(identity.named(), "callback_added", &row.id.0.to_string(), json!({}), identity.address).await?;
    Ok((StatusCode::CREATED, axum::Json(row.into())))
}

/// Do not call any more; one that is a task for the agents is done with.
#[utoipa::path(post, path = "/api/v1/callbacks/{id}/cancel", tag = "callbacks", params(("id" = i64, Path)),
    responses((status = 200, body = Callback), (status = 404, body = Problem)))]
pub(super) async fn cancel(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
) -> Result<axum::Json<Callback>, Problem> {
    let row = state.store.cancel_callback(CallbackId(id), &named(&identity), clock::wall()).await?;
    state.audit(identity.named(), "callback_cancelled", &id.to_string(), json!({}), identity.address).await?;
    Ok(axum::Json(row.into()))
}

/// Call now, as soon as a line and the client's number are free; one that is a task for the agents is called anew.
#[utoipa::path(post, path = "/api/v1/callbacks/{id}/now", tag = "callbacks", params(("id" = i64, Path)),
    responses((status = 200, body = Callback), (status = 404, body = Problem)))]
pub(super) async fn now(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
) -> Result<axum::Json<Callback>, Problem> {
    let row = state.store.hurry_callback(CallbackId(id), clock::wall()).await?;
    state.audit(identity.named(), "callback_hurried", &id.to_string(), json!({}), identity.address).await?;
    Ok(axum::Json(row.into()))
}

fn named(identity: &Identity) -> String {
    match identity.named() {
        Actor::Person(name) | Actor::Program(name) => name,
        Actor::Agent(_) | Actor::Engine => String::new(),
    }
}
