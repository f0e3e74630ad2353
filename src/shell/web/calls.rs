//! Calls: those in progress, and what can be done with them.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::phone::Phone;
use crate::engine::event::{Request, Target, TransferMode};
use crate::engine::ids::{AgentId, CallId};

use super::WebState;
use super::access::Identity;
use super::dto::CallNow;
use super::extract::{Json, Path};
use super::problem::Problem;
use super::queue::ask_calls;

/// A pause of a recording is written down within this time, or the one who asks is told.
const WRITTEN: Duration = Duration::from_secs(5);

/// Calls in progress.
#[derive(Serialize, ToSchema)]
pub(super) struct LiveCalls {
    items: Vec<CallNow>,
}

/// Calls in progress, at most 500. Agents see their own.
#[utoipa::path(get, path = "/api/v1/calls/live", tag = "calls", responses((status = 200, body = LiveCalls)))]
pub(super) async fn live(State(state): State<WebState>, identity: Identity) -> Result<axum::Json<LiveCalls>, Problem> {
    let only = if identity.sees_all() { None } else { Some(identity.own_agent()?) };
    let calls = ask_calls(&state.requests).await?;
    let seen = calls.iter().filter(|call| only.is_none_or(|me| call.agents.contains(&me)));
    Ok(axum::Json(LiveCalls { items: seen.map(|call| CallNow::seen(call, &state, &identity)).collect() }))
}

/// Reads the id of a call in a path.
pub(super) fn call_id(text: &str) -> Result<CallId, Problem> {
    let id = CallId::parse(text);
    id.ok_or_else(|| Problem::not_found(format!("{text:?} is not the id of a call: that has 16 hexadecimal digits")))
}

/// Put the caller on hold.
#[utoipa::path(post, path = "/api/v1/calls/{id}/hold", tag = "calls", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn hold(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    act(&state, &identity, "call_held", &id, json!({}), Request::Hold).await
}

/// Take the caller back from hold.
#[utoipa::path(post, path = "/api/v1/calls/{id}/resume", tag = "calls", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn resume(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    act(&state, &identity, "call_resumed", &id, json!({}), Request::Resume).await
}

/// Do not keep what is said from now on: the recording is silent there, on both sides. It ends with `…/resume`, with the
/// talk, or after `limits.recording_pause_seconds`.
#[utoipa::path(post, path = "/api/v1/calls/{id}/recording/pause", tag = "calls", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn pause_recording(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let done = act(&state, &identity, "recording_paused", &id, json!({}), Request::PauseRecording).await?;
    // The archive finds the pause there, whatever happens to the engine meanwhile.
    if state.journal.flush(WRITTEN).await {
        Ok(done)
    } else {
        Err(Problem::unavailable(
            "the recording is paused, but that could not be written down yet: do not restart the engine",
        ))
    }
}

/// Keep what is said from now on again.
#[utoipa::path(post, path = "/api/v1/calls/{id}/recording/resume", tag = "calls", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn resume_recording(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    act(&state, &identity, "recording_resumed", &id, json!({}), Request::ResumeRecording).await
}

/// End the call.
#[utoipa::path(post, path = "/api/v1/calls/{id}/hangup", tag = "calls", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn hang_up(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    act(&state, &identity, "call_ended", &id, json!({}), Request::HangUp).await
}

/// Where the caller is to go: exactly one of the three.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct To {
    /// A certain agent, by id.
    #[serde(default)]
    agent: Option<u32>,
    /// A queue, by name; the caller keeps the time of arrival.
    #[serde(default)]
    queue: Option<String>,
    /// An outside number, if it is among the allowed destinations.
    #[serde(default)]
    number: Option<String>,
}

/// Where to, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Transfer {
    to: To,
    /// `blind`: at once; `attended`: the agent talks with the target first.
    mode: String,
}

/// Send the caller on.
#[utoipa::path(post, path = "/api/v1/calls/{id}/transfer", tag = "calls", params(("id" = String, Path)),
    request_body = Transfer, responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
pub(super) async fn transfer(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<String>,
    Json(body): Json<Transfer>,
) -> Result<StatusCode, Problem> {
    let mode = match body.mode.as_str() {
        "blind" => TransferMode::Blind,
        "attended" => TransferMode::Attended,
        other => return Err(Problem::unprocessable(format!("mode {other:?}: use blind or attended"))),
    };
    let (to, told) = target(&state, body.to)?;
    let detail = json!({"to": told, "mode": body.mode});
    act(&state, &identity, "call_transferred", &id, detail, |call| Request::Transfer { call, to, mode }).await
}

/// The engine's target, and what the audit is told of it.
fn target(state: &WebState, to: To) -> Result<(Target, Value), Problem> {
    match to {
        To { agent: Some(agent), queue: None, number: None } => {
            Ok((Target::Agent(AgentId(agent)), json!({"agent": agent})))
        }
        To { agent: None, queue: Some(name), number: None } => match state.queue_id(&name) {
            Some(queue) => Ok((Target::Queue(queue), json!({"queue": name}))),
            None => Err(Problem::unprocessable(format!("there is no queue {name:?}"))),
        },
        To { agent: None, queue: None, number: Some(number) } => match Phone::parse(&number) {
            Phone::Hidden => Err(Problem::unprocessable(format!("{number:?} is not a telephone number"))),
            phone @ (Phone::Internal(_) | Phone::Full(_)) => {
                Ok((Target::Number(phone.as_str().to_owned()), json!({"number": phone.as_str()})))
            }
        },
        To { .. } => Err(Problem::unprocessable("`to` needs exactly one of agent, queue and number")),
    }
}

/// Complete an attended transfer: join the caller with the one who was asked.
#[utoipa::path(post, path = "/api/v1/calls/{id}/transfer/complete", tag = "calls", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn complete_transfer(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    act(&state, &identity, "transfer_completed", &id, json!({}), Request::CompleteTransfer).await
}

/// Give up an attended transfer: back to the caller.
#[utoipa::path(post, path = "/api/v1/calls/{id}/transfer/cancel", tag = "calls", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn cancel_transfer(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    act(&state, &identity, "transfer_cancelled", &id, json!({}), Request::CancelTransfer).await
}

/// Asks the engine. What an agent does with the own call stands in the call's own timeline; what others do, in the
/// audit too.
async fn act(
    state: &WebState,
    identity: &Identity,
    action: &'static str,
    id: &str,
    detail: Value,
    request: impl FnOnce(CallId) -> Request,
) -> Result<StatusCode, Problem> {
    let call = call_id(id)?;
    state.requests.ask(identity.actor()?, request(call)).await?;
    if identity.sees_all() {
        state.audit(identity.named(), action, &call.to_string(), detail, identity.address).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
