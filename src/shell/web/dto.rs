//! The shapes of JSON. The engine's own types know nothing of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::address::{Address, Car};
use crate::domain::ids::{ClientId, OrderId};
use crate::domain::order::State;
use crate::engine::event::CallerOrder;
use crate::engine::ids::{AgentId, NodeId, QueueId};
use crate::engine::ivr::Choice;
use crate::engine::view::{AgentState, AgentView, CallView, PauseReason, QueueView, Status, WaitingView};
use crate::shell::store::agents::AgentRow;
use crate::shell::store::users::{Role, UserRow};

use super::access::Identity;
use super::monitor::MonitorNow;
use super::problem::Problem;
use super::{Parts, WebState};

pub(super) use crate::shell::shapes::{time, wall};

/// Tells `null` from absence, for fields that a PATCH can empty.
pub(super) fn given<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Lines on a page when the request does not say.
pub(super) const PAGE: u32 = 50;

/// Names for numbers of the engine.
impl Parts {
    pub(super) fn node_name(&self, node: NodeId) -> String {
        self.nodes.get(usize::from(node.0)).cloned().unwrap_or_else(|| format!("node {}", node.0))
    }

    pub(super) fn queue_name(&self, queue: QueueId) -> String {
        let settings = self.settings.now();
        let queue_settings = settings.queues.get(usize::from(queue.0));
        queue_settings.map_or_else(|| format!("queue {}", queue.0), |settings| settings.name.clone())
    }

    pub(super) fn queue_id(&self, name: &str) -> Option<QueueId> {
        let place = self.settings.now().queues.iter().position(|queue| queue.name == name)?;
        u16::try_from(place).ok().map(QueueId)
    }

    pub(super) fn node_id(&self, name: &str) -> Option<NodeId> {
        let place = self.nodes.iter().position(|node| node == name)?;
        u16::try_from(place).ok().map(NodeId)
    }
}

/// What a person or the engine declared for an agent.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusDto {
    /// `ready`, `pause` or `offline`.
    pub(super) status: String,
    /// Why paused: the office's own word, or `no_answer`, `rejected`, `unreachable` when the engine paused the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

impl StatusDto {
    pub(super) fn of(status: &Status) -> StatusDto {
        let (status, reason) = match status {
            Status::Ready => ("ready", None),
            Status::Pause(reason) => ("pause", Some(reason.as_str().to_owned())),
            Status::Offline => ("offline", None),
        };
        StatusDto { status: status.to_owned(), reason }
    }

    pub(super) fn read(self) -> Result<Status, Problem> {
        match self.status.as_str() {
            "ready" => Ok(Status::Ready),
            "pause" => pause(self.reason),
            "offline" => Ok(Status::Offline),
            other => Err(Problem::unprocessable(format!("status {other:?}: use ready, pause or offline"))),
        }
    }
}

/// A pause for this reason.
pub(super) fn pause(reason: Option<String>) -> Result<Status, Problem> {
    let reason = reason.unwrap_or_else(|| "break".to_owned());
    if reason.is_empty() || reason.chars().count() > 60 || reason.chars().any(char::is_control) {
        return Err(Problem::unprocessable("the reason of a pause has 1 to 60 letters"));
    }
    Ok(Status::Pause(PauseReason::Declared(reason)))
}

/// An agent at this moment.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, ToSchema)]
pub(super) struct AgentNow {
    pub(super) id: u32,
    pub(super) name: String,
    /// PJSIP endpoint of the phone.
    pub(super) endpoint: String,
    #[serde(flatten)]
    pub(super) status: StatusDto,
    /// `idle`, `offered`, `talking`, `releasing`, `wrap_up`, `dialling` or `reserved`: kept for a client who is being
    /// called back, the phone rings when the client has answered.
    pub(super) state: &'static str,
    /// The call offered or talked in, or the attempt to call the client back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) call: Option<String>,
    /// When after-call work ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wrap_up_until: Option<DateTime<Utc>>,
    /// The phone answers; absent when nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reachable: Option<bool>,
    pub(super) idle_since: DateTime<Utc>,
    /// Calls taken since the last log-in.
    pub(super) calls_taken: u32,
}

impl AgentNow {
    pub(super) fn of(view: &AgentView) -> AgentNow {
        let (call, wrap_up_until) = match &view.state {
            AgentState::Offered(call)
            | AgentState::Talking(call)
            | AgentState::Releasing(call)
            | AgentState::Reserved(call) => (Some(call.to_string()), None),
            AgentState::WrapUp { until } => (None, Some(time(*until))),
            AgentState::Idle | AgentState::Dialling => (None, None),
        };
        AgentNow {
            id: view.agent.0,
            name: view.name.clone(),
            endpoint: view.endpoint.clone(),
            status: StatusDto::of(&view.status),
            state: view.state.as_str(),
            call,
            wrap_up_until,
            reachable: view.reachable,
            idle_since: time(view.idle_since),
            calls_taken: view.calls_taken,
        }
    }
}

/// A call in progress.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, ToSchema)]
pub(super) struct CallNow {
    pub(super) id: String,
    /// Name of the Asterisk that carries it.
    pub(super) node: String,
    /// Caller's number; empty when hidden.
    pub(super) number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    /// The caller's card, if there is one already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<ClientId>,
    /// The number or the client is blocked, and it became known too late to refuse the call.
    pub(super) blocked: bool,
    /// Level of conflict, from 0, none, to 3, dangerous.
    #[schema(maximum = 3)]
    pub(super) conflict: u8,
    /// Open orders, then the last ended ones, each newest first; a few.
    pub(super) orders: Vec<CallerOrderNow>,
    /// What the caller did with the keys, oldest first.
    pub(super) choices: Vec<ChoiceMade>,
    pub(super) dialled: String,
    /// `arriving`, `greeting`, `menu`, `waiting`, `offered`, `talking`, `held`, `consulting`, `transferring` or `ending`.
    pub(super) stage: &'static str,
    pub(super) queue: String,
    pub(super) arrived_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queued_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bridged_at: Option<DateTime<Utc>>,
    /// What is said is not kept, until then at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recording_paused_until: Option<DateTime<Utc>>,
    /// Agents to whom it is offered, or who talk.
    pub(super) agents: Vec<u32>,
    /// Supervisors who hear it; told only to those who may hear talks themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) monitors: Vec<MonitorNow>,
}

impl CallNow {
    pub(super) fn of(view: &CallView, parts: &Parts) -> CallNow {
        CallNow {
            id: view.call.to_string(),
            node: parts.node_name(view.node),
            number: view.number.clone(),
            name: view.name.clone(),
            note: view.note.clone(),
            client: view.client,
            blocked: view.blocked,
            conflict: view.conflict,
            orders: view.orders.iter().map(CallerOrderNow::of).collect(),
            choices: view.choices.iter().map(|choice| ChoiceMade::of(*choice)).collect(),
            dialled: view.dialled.clone(),
            stage: view.stage.as_str(),
            queue: parts.queue_name(view.queue),
            arrived_at: time(view.arrived),
            queued_at: view.queued.map(time),
            bridged_at: view.bridged.map(time),
            recording_paused_until: view.unkept_until.map(time),
            agents: view.agents.iter().map(|agent| agent.0).collect(),
            monitors: Vec::new(),
        }
    }

    /// As one sees it who may hear talks.
    pub(super) fn monitored(view: &CallView, parts: &Parts) -> CallNow {
        CallNow { monitors: view.monitors.iter().map(MonitorNow::of).collect(), ..CallNow::of(view, parts) }
    }

    /// As this one sees it.
    pub(super) fn seen(view: &CallView, state: &WebState, identity: &Identity) -> CallNow {
        if identity.may_monitor(state) { CallNow::monitored(view, state) } else { CallNow::of(view, state) }
    }
}

/// What a caller did with the keys.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, ToSchema)]
pub(super) struct ChoiceMade {
    /// `heard_status`, `repeated_status`, `wants_agent`, `asked_to_cancel`, `kept_order`, `cancelled_order`,
    /// `cannot_cancel`, `key`, `asked_for`, `wrong_key`, `no_key`, `heard_change`, `searches_again`, `wants_callback`,
    /// `kept_place`; or `called_back`, first: the office called, and `detail` says for what (an `occasion` or a `kind` of
    /// a callback).
    pub(super) what: &'static str,
    /// The order's number, the key, what for; empty when there is nothing to add.
    pub(super) detail: String,
}

impl ChoiceMade {
    fn of(choice: Choice) -> ChoiceMade {
        ChoiceMade { what: choice.as_str(), detail: choice.detail() }
    }
}

/// An order of a caller, as far as the agent needs it at once.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, ToSchema)]
pub(super) struct CallerOrderNow {
    pub(super) id: OrderId,
    pub(super) state: State,
    pub(super) created_at: DateTime<Utc>,
    pub(super) from: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) car: Option<Car>,
    /// When the car is to be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) eta_at: Option<DateTime<Utc>>,
    /// Since when it waits for the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arrived_at: Option<DateTime<Utc>>,
}

impl CallerOrderNow {
    fn of(order: &CallerOrder) -> CallerOrderNow {
        CallerOrderNow {
            id: order.order,
            state: order.state,
            created_at: time(order.created_at),
            from: order.from.clone(),
            to: order.to.clone(),
            car: order.car.clone(),
            eta_at: order.eta.map(|eta| time(eta.at())),
            arrived_at: order.arrived_at.map(time),
        }
    }
}

/// A caller in the queue.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, ToSchema)]
pub(super) struct Waiting {
    pub(super) call: CallNow,
    /// Place in the queue, from 1.
    pub(super) position: u32,
    /// Estimated wait from now.
    pub(super) estimate_seconds: u64,
}

impl Waiting {
    fn of(view: &WaitingView, parts: &Parts) -> Waiting {
        Waiting {
            call: CallNow::of(&view.call, parts),
            position: view.position,
            estimate_seconds: view.estimate.as_secs(),
        }
    }
}

/// How many wait in a queue.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, ToSchema)]
pub(super) struct QueueCount {
    pub(super) name: String,
    pub(super) waiting: u32,
}

/// The queue board.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, ToSchema)]
pub(super) struct QueueBoard {
    /// Waiting callers by queue and place, at most 500. Agents see the counts only.
    pub(super) waiting: Vec<Waiting>,
    /// How many wait in all.
    pub(super) waiting_total: u32,
    pub(super) queues: Vec<QueueCount>,
    /// All agents; an agent sees the own entry only.
    pub(super) agents: Vec<AgentNow>,
}

impl QueueBoard {
    /// The board as this one may see it: `None` sees everything.
    pub(super) fn of(view: &QueueView, parts: &Parts, only: Option<AgentId>) -> QueueBoard {
        let waiting = view.waiting.iter().filter(|waiting| only.is_none_or(|me| waiting.call.agents.contains(&me)));
        let agents = view.agents.iter().filter(|agent| only.is_none_or(|me| agent.agent == me));
        QueueBoard {
            waiting: waiting.map(|waiting| Waiting::of(waiting, parts)).collect(),
            waiting_total: view.waiting_total,
            queues: QueueBoard::counts(view),
            agents: agents.map(AgentNow::of).collect(),
        }
    }

    pub(super) fn counts(view: &QueueView) -> Vec<QueueCount> {
        let count = |(_, name, waiting): &(QueueId, String, u32)| QueueCount { name: name.clone(), waiting: *waiting };
        view.queues.iter().map(count).collect()
    }
}

/// A console user.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, ToSchema)]
pub(super) struct User {
    pub(super) id: i64,
    pub(super) login: String,
    /// `agent`, `supervisor` or `administrator`.
    pub(super) role: &'static str,
    /// As which agent the user takes calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) agent: Option<u32>,
    pub(super) disabled: bool,
    /// Logs in with a code as well.
    pub(super) second_factor: bool,
    pub(super) created_at: DateTime<Utc>,
}

impl From<&UserRow> for User {
    fn from(row: &UserRow) -> User {
        User {
            id: row.id.0,
            login: row.login.clone(),
            role: row.role.as_str(),
            agent: row.agent.map(|agent| agent.0),
            disabled: row.disabled,
            second_factor: row.second_factor,
            created_at: time(row.created),
        }
    }
}

/// Reads a role's name.
pub(super) fn role(name: &str) -> Result<Role, Problem> {
    Role::parse(name).ok_or_else(|| {
        let all = Role::ALL.map(Role::as_str).join(", ");
        Problem::unprocessable(format!("role {name:?}: use one of {all}"))
    })
}

/// An agent as the office describes one.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, ToSchema)]
pub(super) struct Agent {
    pub(super) id: u32,
    pub(super) name: String,
    /// PJSIP endpoint of the phone; also its user name.
    pub(super) endpoint: String,
    /// Given once: in the answer to the request that set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sip_password: Option<String>,
    /// `desk`, a telephone or softphone that registers by itself, or `browser`, the console.
    pub(super) phone: &'static str,
    /// Name of the Asterisk on which the phone registers.
    pub(super) node: String,
    /// Queues served; empty for all.
    pub(super) queues: BTreeSet<String>,
    /// Skills with their levels, 1 to 10.
    pub(super) skills: BTreeMap<String, u8>,
    /// The console user who works as this agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<i64>,
    pub(super) disabled: bool,
    #[serde(flatten)]
    pub(super) status: StatusDto,
    pub(super) status_since: DateTime<Utc>,
    /// What the engine knows at this moment; absent when the agent is disabled or the engine does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) now: Option<AgentNow>,
    /// For a careful PATCH.
    pub(super) version: i64,
}

impl Agent {
    pub(super) fn of(row: &AgentRow, parts: &Parts, now: Option<&AgentView>) -> Agent {
        Agent {
            id: row.id.0,
            name: row.name.clone(),
            endpoint: row.endpoint.clone(),
            sip_password: None,
            phone: row.phone.as_str(),
            node: parts.node_name(row.node),
            queues: row.queues.clone(),
            skills: row.skills.clone(),
            user: row.user.map(|user| user.0),
            disabled: row.disabled,
            // The engine knows sooner than the journal.
            status: StatusDto::of(now.map_or(&row.status, |now| &now.status)),
            status_since: time(row.status_since),
            now: now.map(AgentNow::of),
            version: row.version,
        }
    }
}
