//! Agents: what the office decides about them, and what they declare.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::engine::event::{Actor, Event, Request};
use crate::engine::ids::{AgentId, NodeId};
use crate::engine::view::{AgentState, AgentView, Status};
use crate::shell::asterisk::NodeHandle;
use crate::shell::asterisk::provision::PhoneAccount;
use crate::shell::clock;
use crate::shell::store::agents::{AgentChange, AgentRow, NewAgent, PhoneKind};

use super::access::Identity;
use super::dto::{Agent, StatusDto, pause};
use super::extract::{Json, OptionalJson, Path};
use super::problem::Problem;
use super::{NodeHealth, Phones, WebState};

/// The phone of an agent, as Asterisk is told.
#[must_use]
pub fn phone_account(agent: &AgentRow) -> PhoneAccount {
    PhoneAccount {
        endpoint: agent.endpoint.clone(),
        password: agent.sip_password.reveal().to_owned(),
        webrtc: agent.phone == PhoneKind::Browser,
        contact: None,
        // A tab that was closed or a computer that sleeps says nothing; desk phones register again by themselves.
        qualify: if agent.phone == PhoneKind::Browser { 5 } else { 0 },
    }
}

/// The nodes, in the order of the configuration, with their names.
impl Phones for Vec<(String, NodeHandle)> {
    fn put(&self, agent: &AgentRow) {
        if let Some((_, node)) = self.get(usize::from(agent.node.0)) {
            node.put_phone(phone_account(agent));
        }
    }

    fn remove(&self, agent: &AgentRow) {
        if let Some((_, node)) = self.get(usize::from(agent.node.0)) {
            node.remove_phone(&agent.endpoint);
        }
    }

    fn nodes(&self) -> Vec<NodeHealth> {
        let health = |(name, node): &(String, NodeHandle)| {
            let stats = node.stats();
            let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            NodeHealth {
                name: name.clone(),
                up: stats.up.load(Ordering::Relaxed),
                fenced: stats.fenced.load(Ordering::Relaxed),
                connections: number(&stats.connections),
                frames: [number(&stats.frames), number(&stats.unknown_frames), number(&stats.malformed_frames)],
                requests: [number(&stats.requests), number(&stats.refused)],
            }
        };
        self.iter().map(health).collect()
    }
}

/// All agents.
#[derive(Serialize, ToSchema)]
pub(super) struct Agents {
    items: Vec<Agent>,
}

/// All agents by name, the disabled ones too.
#[utoipa::path(get, path = "/api/v1/agents", tag = "agents", responses((status = 200, body = Agents)))]
pub(super) async fn list(State(state): State<WebState>) -> Result<axum::Json<Agents>, Problem> {
    let rows = state.store.list_agents().await?;
    // The list is of use without the engine too.
    let view = state.board.view(&state.requests, Duration::ZERO).await.ok();
    let now = |id| view.as_ref().and_then(|view| view.agents.iter().find(|agent| agent.agent == id));
    Ok(axum::Json(Agents { items: rows.iter().map(|row| Agent::of(row, &state, now(row.id))).collect() }))
}

/// Somebody whom a caller can be put through to.
#[derive(Serialize, ToSchema)]
pub(super) struct Colleague {
    id: u32,
    name: String,
    /// At work, with nothing in hand: an offer would ring at once.
    free: bool,
}

/// Those at work.
#[derive(Serialize, ToSchema)]
pub(super) struct Colleagues {
    items: Vec<Colleague>,
}

/// Whom a caller can be put through to: the others who are at work, by name.
#[utoipa::path(get, path = "/api/v1/agents/colleagues", tag = "agents", responses((status = 200, body = Colleagues)))]
pub(super) async fn colleagues(
    State(state): State<WebState>,
    identity: Identity,
) -> Result<axum::Json<Colleagues>, Problem> {
    let view = state.board.view(&state.requests, Duration::from_secs(1)).await?;
    let others = view.agents.iter().filter(|agent| Some(agent.agent) != identity.agent());
    let at_work = others.filter(|agent| agent.status != Status::Offline);
    let colleague = |agent: &AgentView| Colleague {
        id: agent.agent.0,
        name: agent.name.clone(),
        free: agent.status == Status::Ready && agent.state == AgentState::Idle && agent.reachable != Some(false),
    };
    let mut items: Vec<_> = at_work.map(colleague).collect();
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(axum::Json(Colleagues { items }))
}

/// An agent to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddAgent {
    name: String,
    /// PJSIP endpoint of the phone: 1 to 40 of a-z, 0-9 and `-`. `agent-<number>` is a good name.
    endpoint: String,
    /// A random one is made and answered when none is given.
    #[serde(default)]
    sip_password: Option<String>,
    /// `desk`, a telephone or softphone, or `browser`, the console; `desk` when absent.
    #[serde(default)]
    phone: Option<String>,
    /// Name of the Asterisk on which the phone registers; the first when absent.
    #[serde(default)]
    node: Option<String>,
    /// Queues served; all when absent or empty.
    #[serde(default)]
    queues: BTreeSet<String>,
    /// Skills with their levels, 1 to 10.
    #[serde(default)]
    skills: BTreeMap<String, u8>,
}

/// Add an agent. The phone can register at once; no file of Asterisk needs an edit.
#[utoipa::path(post, path = "/api/v1/agents", tag = "agents", request_body = AddAgent, responses(
    (status = 201, body = Agent), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn add(
    State(state): State<WebState>,
    identity: Identity,
    Json(body): Json<AddAgent>,
) -> Result<(StatusCode, axum::Json<Agent>), Problem> {
    check_endpoint(&body.endpoint)?;
    check_queues(&state, &body.queues)?;
    check_password(body.sip_password.as_deref())?;
    let node = node(&state, body.node.as_deref())?.unwrap_or_default();
    let new = NewAgent {
        name: body.name,
        endpoint: body.endpoint,
        sip_password: body.sip_password,
        phone: body.phone.as_deref().map(phone_kind).transpose()?.unwrap_or_default(),
        node,
        queues: body.queues,
        skills: body.skills,
    };
    let row = state.store.add_agent(new, clock::wall()).await?;
    state.phones.put(&row);
    let detail = json!({"name": row.name, "endpoint": row.endpoint});
    state.audit(identity.named(), "agent_added", &row.id.0.to_string(), detail, identity.address).await?;
    let mut agent = Agent::of(&row, &state, None);
    agent.sip_password = Some(row.sip_password.reveal().to_owned());
    state.requests.tell(Event::AgentChanged(row.into_profile())).await?;
    Ok((StatusCode::CREATED, axum::Json(agent)))
}

/// What to change of an agent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeAgent {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    endpoint: Option<String>,
    #[serde(default)]
    sip_password: Option<String>,
    /// `desk` or `browser`.
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    node: Option<String>,
    #[serde(default)]
    queues: Option<BTreeSet<String>>,
    #[serde(default)]
    skills: Option<BTreeMap<String, u8>>,
    /// Takes no part any more; kept for the history.
    #[serde(default)]
    disabled: Option<bool>,
    /// Change only if this is still the version.
    #[serde(default)]
    version: Option<i64>,
}

/// Change an agent.
#[utoipa::path(patch, path = "/api/v1/agents/{id}", tag = "agents", params(("id" = u32, Path)),
    request_body = ChangeAgent,
    responses((status = 200, body = Agent), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn change(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<u32>,
    Json(body): Json<ChangeAgent>,
) -> Result<axum::Json<Agent>, Problem> {
    let id = AgentId(id);
    let before = state.store.get_agent(id).await?;
    let before = before.ok_or_else(|| Problem::not_found(format!("there is no agent {}", id.0)))?;
    body.endpoint.as_deref().map(check_endpoint).transpose()?;
    body.queues.as_ref().map(|queues| check_queues(&state, queues)).transpose()?;
    check_password(body.sip_password.as_deref())?;
    let change = AgentChange {
        name: body.name,
        endpoint: body.endpoint,
        sip_password: body.sip_password,
        phone: body.phone.as_deref().map(phone_kind).transpose()?,
        node: node(&state, body.node.as_deref())?,
        queues: body.queues,
        skills: body.skills,
        disabled: body.disabled,
    };
    let new_password = change.sip_password.is_some();
    let row = state.store.update_agent(id, body.version, change).await?;
    if row.disabled || before.endpoint != row.endpoint || before.node != row.node {
        state.phones.remove(&before);
    }
    let mut agent = Agent::of(&row, &state, None);
    agent.sip_password = new_password.then(|| row.sip_password.reveal().to_owned());
    let detail = json!({
        "name": row.name, "endpoint": row.endpoint, "queues": row.queues, "skills": row.skills,
        "disabled": row.disabled, "new_password": new_password, "phone": row.phone.as_str(),
    });
    state.audit(identity.named(), "agent_changed", &id.0.to_string(), detail, identity.address).await?;
    if row.disabled {
        state.requests.tell(Event::AgentRemoved(id)).await?;
    } else {
        state.phones.put(&row);
        state.requests.tell(Event::AgentChanged(row.into_profile())).await?;
    }
    Ok(axum::Json(agent))
}

fn check_endpoint(endpoint: &str) -> Result<(), Problem> {
    if PhoneAccount::valid_name(endpoint) {
        return Ok(());
    }
    Err(Problem::unprocessable(format!("endpoint {endpoint:?}: use 1 to 40 of a-z, 0-9 and `-`")))
}

/// Reads the kind of a phone.
pub(super) fn phone_kind(word: &str) -> Result<PhoneKind, Problem> {
    PhoneKind::parse(word).ok_or_else(|| Problem::unprocessable(format!("phone {word:?}: use desk or browser")))
}

fn check_password(password: Option<&str>) -> Result<(), Problem> {
    if password.is_some_and(|password| password.contains('"')) {
        return Err(Problem::unprocessable("a SIP password cannot hold a quotation mark"));
    }
    Ok(())
}

fn check_queues(state: &WebState, queues: &BTreeSet<String>) -> Result<(), Problem> {
    match queues.iter().find(|name| state.queue_id(name).is_none()) {
        Some(name) => Err(Problem::unprocessable(format!("there is no queue {name:?}"))),
        None => Ok(()),
    }
}

fn node(state: &WebState, name: Option<&str>) -> Result<Option<NodeId>, Problem> {
    let Some(name) = name else { return Ok(None) };
    let found = state.node_id(name);
    let all = || state.nodes.join(", ");
    found.map(Some).ok_or_else(|| Problem::unprocessable(format!("there is no Asterisk {name:?}; there are {}", all())))
}

/// Take calls.
#[utoipa::path(post, path = "/api/v1/agents/me/ready", tag = "agents", responses((status = 204)))]
pub(super) async fn ready(State(state): State<WebState>, identity: Identity) -> Result<StatusCode, Problem> {
    set_own(&state, &identity, Status::Ready).await
}

/// Why one pauses.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pause {
    /// The office's own word: `lunch`, `training`; `break` when absent.
    #[serde(default)]
    reason: Option<String>,
}

/// Take no calls for a while. The body may be left out.
#[utoipa::path(post, path = "/api/v1/agents/me/pause", tag = "agents", request_body = Option<Pause>,
    responses((status = 204), (status = 422, body = Problem)))]
pub(super) async fn pause_me(
    State(state): State<WebState>,
    identity: Identity,
    OptionalJson(body): OptionalJson<Pause>,
) -> Result<StatusCode, Problem> {
    set_own(&state, &identity, pause(body.reason)?).await
}

/// Leave work.
#[utoipa::path(post, path = "/api/v1/agents/me/offline", tag = "agents", responses((status = 204)))]
pub(super) async fn offline(State(state): State<WebState>, identity: Identity) -> Result<StatusCode, Problem> {
    set_own(&state, &identity, Status::Offline).await
}

/// End after-call work before its time.
#[utoipa::path(post, path = "/api/v1/agents/me/end-wrap-up", tag = "agents", responses((status = 204)))]
pub(super) async fn end_wrap_up(State(state): State<WebState>, identity: Identity) -> Result<StatusCode, Problem> {
    let agent = identity.own_agent()?;
    state.requests.ask(Actor::Agent(agent), Request::EndWrapUp(agent)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_own(state: &WebState, identity: &Identity, status: Status) -> Result<StatusCode, Problem> {
    let agent = identity.own_agent()?;
    state.requests.ask(Actor::Agent(agent), Request::SetStatus { agent, status }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Declare for another: for supervisors.
#[utoipa::path(post, path = "/api/v1/agents/{id}/state", tag = "agents", params(("id" = u32, Path)),
    request_body = StatusDto, responses((status = 204), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn set_state(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<u32>,
    Json(body): Json<StatusDto>,
) -> Result<StatusCode, Problem> {
    let detail = json!(body);
    let request = Request::SetStatus { agent: AgentId(id), status: body.read()? };
    state.requests.ask(identity.named(), request).await?;
    state.audit(identity.named(), "agent_status_set", &id.to_string(), detail, identity.address).await?;
    Ok(StatusCode::NO_CONTENT)
}
