//! Supervisors hear talks as they go on: by their own phone, which rings first. Who may is decided by
//! `web.live_listening`; who did stands in the audit, from when to when and in which mode.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use chrono::{DateTime, Utc};

use crate::engine::event::{MonitorMode, Request};
use crate::engine::ids::AgentId;
use crate::engine::view::MonitorView;

use super::WebState;
use super::access::Identity;
use super::calls::call_id;
use super::dto::time;
use super::extract::{Json, Path, Query};
use super::problem::Problem;

/// How the talk is to be heard.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Monitor {
    /// `listen`: nobody hears you; `whisper`: the agent does; `join`: both do; `take_over`: you take the agent's place.
    mode: String,
    /// By whose phone: for programs; else the own one.
    #[serde(default)]
    agent: Option<u32>,
}

/// Whose listening.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// By whose phone: for programs; else the own one.
    #[serde(default)]
    agent: Option<u32>,
}

/// A supervisor who hears a talk.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, ToSchema)]
pub(super) struct MonitorNow {
    /// By whose phone.
    pub(super) agent: u32,
    /// `listen`, `whisper`, `join` or `take_over`.
    pub(super) mode: &'static str,
    /// Since when; absent while the phone rings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<DateTime<Utc>>,
}

impl MonitorNow {
    pub(super) fn of(view: &MonitorView) -> MonitorNow {
        MonitorNow { agent: view.agent.0, mode: view.mode.as_str(), since: view.since.map(time) }
    }
}

impl Identity {
    /// May hear talks as they go on, and see who does.
    pub(super) fn may_monitor(&self, state: &WebState) -> bool {
        state.config.live_listening.is_some_and(|least| self.role >= least)
    }

    fn listens(&self, state: &WebState, agent: Option<u32>) -> Result<AgentId, Problem> {
        if !self.may_monitor(state) {
            return Err(Problem::forbidden("nobody of this role hears talks as they go on (web.live_listening)")
                .in_russian("С этой ролью разговоры не слушают (web.live_listening)."));
        }
        match (agent.map(AgentId), self.agent()) {
            (Some(agent), own) if own.is_some_and(|own| own != agent) => {
                Err(Problem::forbidden("agent: only your own phone can be rung"))
            }
            (Some(agent), _) => Ok(agent),
            (None, Some(own)) => Ok(own),
            (None, None) => Err(Problem::unprocessable("agent: this login has no phone of its own; say by whose")
                .in_russian("У этого логина нет своего телефона: укажите, чей зазвонит (agent).")),
        }
    }
}

/// Hear a talk: your own phone rings. Asked for again, the mode changes without another ring.
#[utoipa::path(post, path = "/api/v1/calls/{id}/monitor", tag = "calls", params(("id" = String, Path)),
    request_body = Monitor, responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn monitor(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<String>,
    Json(body): Json<Monitor>,
) -> Result<StatusCode, Problem> {
    let agent = identity.listens(&state, body.agent)?;
    let mode = MonitorMode::parse(&body.mode).ok_or_else(|| {
        let words = MonitorMode::ALL.map(MonitorMode::as_str).join(", ");
        Problem::unprocessable(format!("mode {:?}: use one of {words}", body.mode))
    })?;
    let call = call_id(&id)?;
    state.requests.ask(identity.named(), Request::Monitor { call, agent, mode }).await?;
    // What comes of it, from when to when, is told by the journal; that it was asked for is written at once.
    let detail = json!({"mode": mode.as_str(), "listener": agent.0});
    state.audit(identity.named(), "call_monitor_asked", &call.to_string(), detail, identity.address).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Do not hear the talk any more. Harmless when that is so already.
#[utoipa::path(delete, path = "/api/v1/calls/{id}/monitor", tag = "calls", params(("id" = String, Path), Whose),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn stop(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<String>,
    Query(whose): Query<Whose>,
) -> Result<StatusCode, Problem> {
    let agent = identity.listens(&state, whose.agent)?;
    let call = call_id(&id)?;
    state.requests.ask(identity.named(), Request::StopMonitor { call, agent }).await?;
    Ok(StatusCode::NO_CONTENT)
}
