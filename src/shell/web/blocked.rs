//! Numbers whose calls are refused.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::engine::event::Actor;
use crate::shell::clock;
use crate::shell::store::callers::BlockedNumber;

use super::WebState;
use super::access::Identity;
use super::dto::{PAGE, time};
use super::extract::{Json, Path, Query};
use super::problem::Problem;

/// A number whose calls are refused unanswered.
#[derive(Serialize, ToSchema)]
pub(super) struct Blocked {
    /// Canonical number.
    number: String,
    reason: String,
    /// Who blocked it.
    by: String,
    at: DateTime<Utc>,
}

impl From<BlockedNumber> for Blocked {
    fn from(row: BlockedNumber) -> Blocked {
        Blocked { number: row.number, reason: row.reason, by: row.by, at: time(row.at) }
    }
}

/// A page of blocked numbers, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct BlockedNumbers {
    items: Vec<Blocked>,
    /// Cursor of the next page; `null` after the last.
    next: Option<String>,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Numbers on the page, at most 500; 50 when absent.
    limit: Option<u32>,
}

/// Blocked numbers, newest first.
#[utoipa::path(get, path = "/api/v1/blocked-numbers", tag = "blocked numbers", params(Wanted),
    responses((status = 200, body = BlockedNumbers), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<WebState>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<BlockedNumbers>, Problem> {
    let page = state.store.list_blocked(wanted.cursor.as_deref(), wanted.limit.unwrap_or(PAGE)).await?;
    Ok(axum::Json(BlockedNumbers { items: page.items.into_iter().map(Blocked::from).collect(), next: page.next }))
}

/// A number to block.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    /// In any usual form.
    number: String,
    /// Why, for people.
    #[serde(default)]
    reason: String,
}

/// Block a number.
#[utoipa::path(post, path = "/api/v1/blocked-numbers", tag = "blocked numbers", request_body = Block,
    responses((status = 201, body = Blocked), (status = 422, body = Problem)))]
pub(super) async fn block(
    State(state): State<WebState>,
    identity: Identity,
    Json(body): Json<Block>,
) -> Result<(StatusCode, axum::Json<Blocked>), Problem> {
    if body.reason.chars().count() > 200 {
        return Err(Problem::unprocessable("the reason has at most 200 letters"));
    }
    let by = match identity.named() {
        Actor::Person(name) | Actor::Program(name) => name,
        Actor::Agent(_) | Actor::Engine => String::new(),
    };
    let row = state.store.block_number(&body.number, &body.reason, &by, clock::wall()).await?;
    let detail = json!({"reason": row.reason});
    state.audit(identity.named(), "number_blocked", &row.number, detail, identity.address).await?;
    Ok((StatusCode::CREATED, axum::Json(row.into())))
}

/// Let a number call again.
#[utoipa::path(delete, path = "/api/v1/blocked-numbers/{number}", tag = "blocked numbers",
    params(("number" = String, Path)), responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn unblock(
    State(state): State<WebState>,
    identity: Identity,
    Path(number): Path<String>,
) -> Result<StatusCode, Problem> {
    state.store.unblock_number(&number).await?;
    state.audit(identity.named(), "number_unblocked", &number, json!({}), identity.address).await?;
    Ok(StatusCode::NO_CONTENT)
}
