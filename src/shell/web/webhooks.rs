//! Outgoing webhooks: which outside programs are told what, and how they fare. For administrators.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::shell::clock;
use crate::shell::store::webhooks::{EndpointChange, EndpointId, EndpointRow, PendingRow};
use crate::shell::webhooks::target;

use super::WebState;
use super::access::Identity;
use super::dto::{PAGE, time};
use super::extract::{Json, Path, Query};
use super::problem::Problem;

/// A program outside that is told of orders and calls.
///
/// Each event is one POST of JSON, `{"type", "timestamp", "data"}` (`data` has the order or call as a GET shows it; see
/// the section `webhooks` of this description), signed as the Standard Webhooks specification says:
/// `webhook-id` (the same in every attempt: take each id once), `webhook-timestamp` (seconds since 1970, of the attempt:
/// refuse what is older than 5 minutes), `webhook-signature` (`v1,` and the base64 of HMAC-SHA256 over
/// `<webhook-id>.<webhook-timestamp>.<body>` with the bytes that follow `whsec_` in base64). Any 2xx within the time-out
/// means that it was taken; anything else is tried again after 2 s, 4 s, 8 s and so on, for as long as it takes. Events of
/// one order come one after another, in their order; those of different orders do not wait for each other. 410 disables
/// the endpoint. Redirects are not followed.
#[derive(Serialize, ToSchema)]
pub(super) struct Webhook {
    id: i64,
    url: String,
    description: String,
    /// `order.assigned`, `call.ended`, …; `order.*`, `call.*` and `*` stand for all of a kind.
    events: BTreeSet<String>,
    /// Nothing is sent to it, and what happens meanwhile is not kept for it; what waited before stays.
    disabled: bool,
    created_at: DateTime<Utc>,
    /// `whsec_…`; shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Messages that it took since it was made.
    delivered: u64,
    delivered_at: Option<DateTime<Utc>>,
    /// Attempts that failed since then; more than 0 means trouble.
    failures: u64,
    /// Why the last one failed.
    last_error: Option<String>,
    last_error_at: Option<DateTime<Utc>>,
    /// Messages that wait.
    pending: u64,
    /// When the oldest of them was made.
    oldest_pending_at: Option<DateTime<Utc>>,
    /// For a careful PATCH.
    version: i64,
}

impl Webhook {
    fn of(row: &EndpointRow, with_secret: bool) -> Webhook {
        let health = &row.health;
        Webhook {
            id: row.id.0,
            url: row.url.clone(),
            description: row.description.clone(),
            events: row.events.clone(),
            disabled: row.disabled,
            created_at: time(row.created),
            secret: with_secret.then(|| row.secret.reveal().to_owned()),
            delivered: health.delivered,
            delivered_at: health.delivered_at.map(time),
            failures: health.failures,
            last_error: Some(health.last_error.clone()).filter(|text| !text.is_empty()),
            last_error_at: health.last_error_at.map(time),
            pending: health.pending,
            oldest_pending_at: health.oldest.map(time),
            version: row.version,
        }
    }
}

/// All of them.
#[derive(Serialize, ToSchema)]
pub(super) struct Webhooks {
    items: Vec<Webhook>,
}

/// All webhooks, the oldest first, with how they fare.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks", responses((status = 200, body = Webhooks)))]
pub(super) async fn list(State(state): State<WebState>) -> Result<axum::Json<Webhooks>, Problem> {
    let rows = state.store.list_endpoints().await?;
    Ok(axum::Json(Webhooks { items: rows.iter().map(|row| Webhook::of(row, false)).collect() }))
}

/// One webhook.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = i64, Path)),
    responses((status = 200, body = Webhook), (status = 404, body = Problem)))]
pub(super) async fn one(State(state): State<WebState>, Path(id): Path<i64>) -> Result<axum::Json<Webhook>, Problem> {
    Ok(axum::Json(Webhook::of(&known(&state, id).await?, false)))
}

/// A webhook to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddWebhook {
    /// `https://…` or `http://…`, at most 2000 letters, without a log-in.
    url: String,
    /// At most 500 letters.
    #[serde(default)]
    description: String,
    events: BTreeSet<String>,
    #[serde(default)]
    disabled: bool,
}

/// Add a webhook. The answer shows its secret, this once.
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "webhooks", request_body = AddWebhook,
    responses((status = 201, body = Webhook), (status = 422, body = Problem)))]
pub(super) async fn add(
    State(state): State<WebState>,
    identity: Identity,
    Json(body): Json<AddWebhook>,
) -> Result<(StatusCode, axum::Json<Webhook>), Problem> {
    target(&body.url).map_err(Problem::unprocessable)?;
    let new = EndpointChange {
        url: Some(body.url),
        description: Some(body.description),
        events: Some(body.events),
        disabled: Some(body.disabled),
        new_secret: true,
    };
    let row = state.store.add_endpoint(new, clock::wall()).await?;
    audit(&state, &identity, "webhook_added", &row, false).await?;
    Ok((StatusCode::CREATED, axum::Json(Webhook::of(&row, true))))
}

/// What to change of a webhook.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeWebhook {
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    events: Option<BTreeSet<String>>,
    #[serde(default)]
    disabled: Option<bool>,
    /// `true` makes another secret, which the answer shows, and by which everything is signed from now on.
    #[serde(default)]
    new_secret: bool,
    /// Change only if this is still the version.
    #[serde(default)]
    version: Option<i64>,
}

/// Change a webhook. What waits for it is tried again at once.
#[utoipa::path(patch, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = i64, Path)),
    request_body = ChangeWebhook,
    responses((status = 200, body = Webhook), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn change(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
    Json(body): Json<ChangeWebhook>,
) -> Result<axum::Json<Webhook>, Problem> {
    body.url.as_deref().map(target).transpose().map_err(Problem::unprocessable)?;
    let change = EndpointChange {
        url: body.url,
        description: body.description,
        events: body.events,
        disabled: body.disabled,
        new_secret: body.new_secret,
    };
    let row = state.store.change_endpoint(EndpointId(id), change, body.version, clock::wall()).await?;
    audit(&state, &identity, "webhook_changed", &row, body.new_secret).await?;
    Ok(axum::Json(Webhook::of(&row, body.new_secret)))
}

/// Delete a webhook, and all that waits for it.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = i64, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn remove(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    let row = known(&state, id).await?;
    state.store.delete_endpoint(row.id).await?;
    audit(&state, &identity, "webhook_deleted", &row, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a message of the type `ping`, to try a webhook out. Its list shows what came of it.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/ping", tag = "webhooks", params(("id" = i64, Path)),
    responses((status = 202), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn ping(State(state): State<WebState>, Path(id): Path<i64>) -> Result<StatusCode, Problem> {
    if known(&state, id).await?.disabled {
        return Err(Problem::conflict("disabled", format!("webhook {id} is disabled: enable it first")));
    }
    state.store.ping_endpoint(EndpointId(id), clock::wall()).await?;
    Ok(StatusCode::ACCEPTED)
}

/// A message that waits.
#[derive(Serialize, ToSchema)]
pub(super) struct Pending {
    number: i64,
    /// `webhook-id`.
    message: String,
    /// Whose turn it is within: `order:17`.
    lane: String,
    event: String,
    at: DateTime<Utc>,
    /// When it is tried next, or may be once those before it are through.
    due_at: DateTime<Utc>,
    attempts: u32,
    /// Why the last attempt failed.
    last_error: Option<String>,
}

impl From<PendingRow> for Pending {
    fn from(row: PendingRow) -> Pending {
        Pending {
            number: row.id,
            message: row.message,
            lane: row.lane,
            event: row.event,
            at: time(row.created),
            due_at: time(row.due),
            attempts: row.attempts,
            last_error: Some(row.last_error).filter(|text| !text.is_empty()),
        }
    }
}

/// A page of messages that wait, the newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct PendingMessages {
    items: Vec<Pending>,
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
    /// Messages on the page, at most 500; 50 when absent.
    limit: Option<u32>,
}

/// What waits for a webhook, the newest first.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/pending", tag = "webhooks", params(("id" = i64, Path), Wanted),
    responses((status = 200, body = PendingMessages), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn pending(
    State(state): State<WebState>,
    Path(id): Path<i64>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<PendingMessages>, Problem> {
    let id = known(&state, id).await?.id;
    let page = state.store.list_pending(id, wanted.cursor.as_deref(), wanted.limit.unwrap_or(PAGE)).await?;
    Ok(axum::Json(PendingMessages { items: page.items.into_iter().map(Pending::from).collect(), next: page.next }))
}

/// Give up a message that the receiver will never take, so that those behind it go on.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}/pending/{number}", tag = "webhooks",
    params(("id" = i64, Path), ("number" = i64, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn give_up(
    State(state): State<WebState>,
    identity: Identity,
    Path((id, number)): Path<(i64, i64)>,
) -> Result<StatusCode, Problem> {
    let row = state.store.drop_pending(EndpointId(id), number, clock::wall()).await?;
    let detail = json!({"message": row.message, "event": row.event, "last_error": row.last_error});
    state.audit(identity.named(), "webhook_message_dropped", &id.to_string(), detail, identity.address).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn known(state: &WebState, id: i64) -> Result<EndpointRow, Problem> {
    let row = state.store.get_endpoint(EndpointId(id)).await?;
    row.ok_or_else(|| Problem::not_found(format!("there is no webhook {id}")))
}

async fn audit(
    state: &WebState,
    identity: &Identity,
    action: &'static str,
    row: &EndpointRow,
    new_secret: bool,
) -> Result<(), Problem> {
    // A query often holds a token of the receiver.
    let url = row.url.split('?').next().unwrap_or_default();
    let detail = json!({"url": url, "events": row.events, "disabled": row.disabled, "new_secret": new_secret});
    state.audit(identity.named(), action, &row.id.0.to_string(), detail, identity.address).await
}
