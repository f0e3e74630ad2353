//! What the core shows of itself: to the console, the API and the journal. Plain values, no behaviour.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::ids::ClientId;

use super::event::{CallerOrder, MonitorMode};
use super::ids::{AgentId, CallId, NodeId, QueueId};
use super::ivr::Choice;
use super::time::Wall;

/// What an agent declared. Apart from [`AgentState`], which the engine knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Takes calls.
    Ready,
    /// Takes no calls for a while.
    Pause(PauseReason),
    /// Not at work.
    #[default]
    Offline,
}

/// Why an agent pauses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PauseReason {
    /// Declared by the agent: lunch, break, training …; the text is the office's own.
    Declared(String),
    /// The phone rang and was not answered in the set time.
    NoAnswer,
    /// The phone rejected the call or was busy.
    Rejected,
    /// The phone did not start ringing in time, or could not be reached.
    Unreachable,
}

impl PauseReason {
    /// The word that the database and the API use.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            PauseReason::Declared(text) => text,
            PauseReason::NoAnswer => "no_answer",
            PauseReason::Rejected => "rejected",
            PauseReason::Unreachable => "unreachable",
        }
    }

    /// The reason that [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> PauseReason {
        match text {
            "no_answer" => PauseReason::NoAnswer,
            "rejected" => PauseReason::Rejected,
            "unreachable" => PauseReason::Unreachable,
            _ => PauseReason::Declared(text.to_owned()),
        }
    }
}

/// What the engine knows of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentState {
    /// Nothing in hand.
    Idle,
    /// A call is offered: the phone is being rung.
    Offered(CallId),
    /// In a talk.
    Talking(CallId),
    /// The talk or offer is over, the phone is not yet on the hook.
    Releasing(CallId),
    /// After-call work.
    WrapUp {
        /// When it ends by itself.
        until: Wall,
    },
    /// On the phone with the engine (a feature code).
    Dialling,
    /// Kept for a client who is being called back; the phone rings when the client has answered.
    Reserved(CallId),
}

impl AgentState {
    /// The word that the API uses.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            AgentState::Idle => "idle",
            AgentState::Offered(_) => "offered",
            AgentState::Talking(_) => "talking",
            AgentState::Releasing(_) => "releasing",
            AgentState::WrapUp { .. } => "wrap_up",
            AgentState::Dialling => "dialling",
            AgentState::Reserved(_) => "reserved",
        }
    }
}

/// How an offer to an agent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfferOutcome {
    /// The agent answered and talked.
    Answered,
    /// Rang, not answered in the set time (RONA).
    RingNoAnswer,
    /// Busy or rejected by the phone.
    Rejected,
    /// The phone did not start ringing in time or could not be reached.
    Unreachable,
    /// The caller hung up, or was sent elsewhere, before the agent answered.
    CallerGone,
    /// Another agent answered first (ring-all).
    AnsweredElsewhere,
    /// The agent answered but the two could not be joined.
    Failed,
    /// The connection with the Asterisk was lost meanwhile.
    Lost,
}

impl OfferOutcome {
    /// The word that the database and the API use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            OfferOutcome::Answered => "ANSWERED",
            OfferOutcome::RingNoAnswer => "RINGNOANSWER",
            OfferOutcome::Rejected => "REJECTED",
            OfferOutcome::Unreachable => "UNREACHABLE",
            OfferOutcome::CallerGone => "CALLERGONE",
            OfferOutcome::AnsweredElsewhere => "ANSWEREDELSEWHERE",
            OfferOutcome::Failed => "FAILED",
            OfferOutcome::Lost => "LOST",
        }
    }
}

impl fmt::Display for OfferOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a call ended: exactly one for each. Names after Asterisk's `app_queue` where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disposition {
    /// The number is blocked; refused unanswered.
    Blocked,
    /// The caller hung up before talking with anybody.
    Abandon,
    /// A client whom the office called hung up before it was told.
    Unheard,
    /// A client whom an agent called did not answer, or could not be reached.
    NoAnswer,
    /// The caller heard how the order stands, or cancelled it by a key, and needed nobody.
    Informed,
    /// The office is closed; the caller was told so.
    AfterHours,
    /// Did not wait on the line: is called back, at the same place in the queue.
    Callback,
    /// Talked; the caller hung up first.
    CompleteCaller,
    /// Talked; the agent (or the one transferred to) hung up first.
    CompleteAgent,
    /// Ended by a person through the API.
    Ended,
    /// Given to the fallback dialplan: the engine could not serve it.
    Fallback,
    /// The Asterisk that carried it died, or the call ended while the engine was away.
    Lost,
}

impl Disposition {
    /// The word that the database and the API use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Disposition::Blocked => "BLOCKED",
            Disposition::Abandon => "ABANDON",
            Disposition::Unheard => "UNHEARD",
            Disposition::NoAnswer => "NOANSWER",
            Disposition::Informed => "INFORMED",
            Disposition::AfterHours => "AFTERHOURS",
            Disposition::Callback => "CALLBACK",
            Disposition::CompleteCaller => "COMPLETECALLER",
            Disposition::CompleteAgent => "COMPLETEAGENT",
            Disposition::Ended => "ENDED",
            Disposition::Fallback => "FALLBACK",
            Disposition::Lost => "LOST",
        }
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a call is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallStage {
    /// Arrived; the card is being looked up.
    Arriving,
    /// Hears the greeting.
    Greeting,
    /// Hears how the orders stand, and presses keys.
    Menu,
    /// In the queue.
    Waiting,
    /// In the queue, and a phone is being rung.
    Offered,
    /// Is called back at this place in the queue: has just chosen that, or hung up.
    Kept,
    /// Is being called back; an agent is reserved.
    Calling,
    /// In talk.
    Talking,
    /// In talk, the caller on hold.
    Held,
    /// The caller on hold, the agent asks a third party.
    Consulting,
    /// Being sent to an outside number.
    Transferring,
    /// Over; its channels are being released.
    Ending,
}

impl CallStage {
    /// The word that the API uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            CallStage::Arriving => "arriving",
            CallStage::Greeting => "greeting",
            CallStage::Menu => "menu",
            CallStage::Waiting => "waiting",
            CallStage::Offered => "offered",
            CallStage::Kept => "kept",
            CallStage::Calling => "calling",
            CallStage::Talking => "talking",
            CallStage::Held => "held",
            CallStage::Consulting => "consulting",
            CallStage::Transferring => "transferring",
            CallStage::Ending => "ending",
        }
    }
}

/// A call in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallView {
    /// Which call.
    pub call: CallId,
    /// On which Asterisk.
    pub node: NodeId,
    /// Caller's number in canonical form; empty when hidden.
    pub number: String,
    /// Caller's name, if known.
    pub name: Option<String>,
    /// The card's note, if any.
    pub note: Option<String>,
    /// The caller's card, if there is one already.
    pub client: Option<ClientId>,
    /// The number or the client is blocked, and it became known too late to refuse the call.
    pub blocked: bool,
    /// Level of conflict, 0 to 3.
    pub conflict: u8,
    /// Open orders, then the last ended ones, each newest first; a few.
    pub orders: Arc<[CallerOrder]>,
    /// What the caller did with the keys, oldest first.
    pub choices: Vec<Choice>,
    /// What was dialled.
    pub dialled: String,
    /// Where it is.
    pub stage: CallStage,
    /// In which queue, or through which it came.
    pub queue: QueueId,
    /// When it arrived.
    pub arrived: Wall,
    /// When it entered the queue.
    pub queued: Option<Wall>,
    /// When the present talk began.
    pub bridged: Option<Wall>,
    /// What is said is not kept, until then at most.
    pub unkept_until: Option<Wall>,
    /// Agents to whom it is offered, or who talk.
    pub agents: Vec<AgentId>,
    /// Supervisors who hear it.
    pub monitors: Vec<MonitorView>,
}

/// A supervisor who hears a talk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorView {
    /// By whose phone.
    pub agent: AgentId,
    /// How.
    pub mode: MonitorMode,
    /// Since when; none while the phone rings.
    pub since: Option<Wall>,
}

/// An agent at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentView {
    /// Which agent.
    pub agent: AgentId,
    /// Name to show.
    pub name: String,
    /// PJSIP endpoint.
    pub endpoint: String,
    /// What the person declared.
    pub status: Status,
    /// What the engine knows.
    pub state: AgentState,
    /// The phone answers; `None` when nothing is known.
    pub reachable: Option<bool>,
    /// Since when there is nothing in hand.
    pub idle_since: Wall,
    /// Calls taken since the last log-in.
    pub calls_taken: u32,
}

/// Q.850 cause given with a hang-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HangUpCause {
    /// 16.
    Normal,
    /// 21: call rejected.
    Rejected,
    /// 19: nobody answered.
    NoAnswer,
    /// 26: answered elsewhere; a phone shows no missed call.
    AnsweredElsewhere,
}

/// A caller in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingView {
    /// The call.
    pub call: CallView,
    /// Place in the queue, from 1.
    pub position: u32,
    /// Estimated wait from now.
    pub estimate: Duration,
}

/// The whole queue board.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueView {
    /// Waiting callers, by queue and place; at most [`QueueView::MOST`].
    pub waiting: Vec<WaitingView>,
    /// How many wait in all.
    pub waiting_total: u32,
    /// All agents.
    pub agents: Vec<AgentView>,
    /// Each queue: id, name, callers waiting.
    pub queues: Vec<(QueueId, String, u32)>,
    /// What whoever enters now would wait, in the same order.
    pub next_wait: Vec<Duration>,
}

impl QueueView {
    /// Callers listed at most: a board, not a data dump.
    pub const MOST: usize = 500;
}

/// Words for a pause that the engine sets by itself.
impl From<OfferOutcome> for Option<PauseReason> {
    fn from(outcome: OfferOutcome) -> Self {
        match outcome {
            OfferOutcome::RingNoAnswer => Some(PauseReason::NoAnswer),
            OfferOutcome::Rejected => Some(PauseReason::Rejected),
            OfferOutcome::Unreachable => Some(PauseReason::Unreachable),
            OfferOutcome::Answered
            | OfferOutcome::CallerGone
            | OfferOutcome::AnsweredElsewhere
            | OfferOutcome::Failed
            | OfferOutcome::Lost => None,
        }
    }
}
