//! All that comes into the core: one closed enum.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::address::{Address, Car};
use crate::domain::ids::{ClientId, OrderId};
use crate::domain::order::{Eta, State};
use crate::speech::order::Trip;

use super::callback::request::CallbackRequest;
use super::command::AriRequest;
use super::ids::{AgentId, BridgeId, CallId, CallbackId, ChannelId, NodeId, PlaybackId, QueueId, RequestId};
use super::settings::{AgentProfile, Settings};
use super::time::Wall;
use super::view::Status;

/// Something that happened outside, or that somebody wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Nothing but that time has passed. Harmless when early, late or repeated.
    Wake,
    /// Something happened on an Asterisk.
    Node(NodeId, NodeEvent),
    /// Asterisk did not do what was asked (REST answer outside 2xx, time-out, no connection).
    Refused {
        /// Whose Asterisk.
        node: NodeId,
        /// For which call it was asked.
        call: CallId,
        /// What was asked.
        request: AriRequest,
        /// Why it was not done.
        why: Refusal,
    },
    /// The answer to [`Command::LoadCaller`](super::command::Command::LoadCaller). May come late or never.
    CallerLoaded {
        /// The call that it was asked for.
        call: CallId,
        /// What the office knows of the caller.
        card: CallerCard,
    },
    /// The answer to [`Command::CancelOrder`](super::command::Command::CancelOrder). May come late or never.
    OrderCancelled {
        /// The call whose caller wanted it.
        call: CallId,
        /// Which order.
        order: OrderId,
        /// Whether it is cancelled now.
        result: Result<(), CancelRefused>,
    },
    /// The answer to [`Command::SearchAgain`](super::command::Command::SearchAgain). May come late or never.
    SearchedAgain {
        /// The call whose client wanted it.
        call: CallId,
        /// Which order.
        order: OrderId,
        /// Whether a car is looked for again.
        result: Result<(), CancelRefused>,
    },
    /// The answer to [`Command::KeepPlace`](super::command::Command::KeepPlace). May come late or never.
    PlaceKept {
        /// The call whose caller wanted it.
        call: CallId,
        /// The callback that keeps it now (an older one of the same number, if there was one), or none: it could not be
        /// written down.
        kept: Option<Box<CallbackRequest>>,
    },
    /// A client is to be called, or what is to be told has changed. At start, one event for each that is pending.
    CallbackRequested(Box<CallbackRequest>),
    /// A callback is not to be made any more: something newer took its place, or somebody cancelled it.
    CallbackCancelled(CallbackId),
    /// An order was taken or changed, by whomever.
    OrderChanged {
        /// Whose.
        client: ClientId,
        /// The order as it is now.
        order: Box<CallerOrder>,
    },
    /// A person or program wants something; answered by exactly one
    /// [`Command::Respond`](super::command::Command::Respond).
    Request {
        /// Chosen by the shell.
        id: RequestId,
        /// Who wants it.
        by: Actor,
        /// What is wanted.
        what: Request,
    },
    /// An agent was added or changed; at start, one event for each.
    AgentChanged(AgentProfile),
    /// An agent was removed. A call in progress goes on.
    AgentRemoved(AgentId),
    /// New settings take effect for what happens from now on.
    SettingsChanged(Box<Settings>),
    /// What is said to callers who enter these queues, by the queue's name: all of them, in place of those before.
    Greetings(BTreeMap<String, String>),
}

/// What an Asterisk reports.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeEvent {
    /// The events socket is up and this was found there. Comes before any other event of the connection.
    Up(Snapshot),
    /// The events socket is lost; calls on this Asterisk go on by themselves.
    Down,
    /// Asterisk leaves a request unanswered for longer than it does when it is well. Said again as long as it lasts.
    Slow,
    /// A channel entered the application by the dialplan.
    Arrived(Arrival),
    /// The far phone rings.
    Ringing(ChannelId),
    /// The network plays something before any answer (early media): its own ringing tone, or that nobody can be reached.
    Progress(ChannelId),
    /// The channel was answered.
    Answered(ChannelId),
    /// The channel is gone (`ChannelDestroyed`), with the Q.850 cause.
    Gone {
        /// Which channel.
        channel: ChannelId,
        /// Q.850 cause code; 0 when Asterisk gave none.
        cause: u16,
    },
    /// The channel left the application (`StasisEnd`) and lives on elsewhere or is about to be gone.
    Left(ChannelId),
    /// A key was pressed.
    Digit {
        /// On which channel.
        channel: ChannelId,
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        digit: char,
    },
    /// A playback ended, was stopped or failed.
    PlaybackEnded(PlaybackId),
    /// The channel is in the bridge.
    Joined {
        /// Which bridge.
        bridge: BridgeId,
        /// Which channel.
        channel: ChannelId,
    },
    /// The channel left the bridge.
    Parted {
        /// Which bridge.
        bridge: BridgeId,
        /// Which channel.
        channel: ChannelId,
    },
    /// An agent's phone became reachable or unreachable.
    Device {
        /// PJSIP endpoint name, such as `agent-101`.
        endpoint: String,
        /// A contact answers.
        reachable: bool,
    },
    /// An agent's phone says itself that it has just registered.
    Registered {
        /// PJSIP endpoint name.
        endpoint: String,
    },
}

/// A channel that the dialplan sent into the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its id, chosen by Asterisk.
    pub channel: ChannelId,
    /// How it came.
    pub origin: Origin,
    /// Caller's number as the network gave it; empty when hidden.
    pub number: String,
    /// Caller's name as the network gave it.
    pub name: String,
    /// What the caller dialled.
    pub dialled: String,
    /// When Asterisk made the channel.
    pub created: Wall,
    /// The channel is answered already (it comes from the fallback).
    pub answered: bool,
    /// The engine's own note on the channel ([`AriRequest::SetMemo`]), if it has one.
    pub memo: Option<String>,
}

/// Which way a channel came into the application: the arguments of `Stasis()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `Stasis(perezvon,inbound)`: a caller.
    Inbound,
    /// `Stasis(perezvon,inbound,fallback)`: a caller whom the fallback dialplan kept while no engine was there.
    Fallback,
    /// `Stasis(perezvon,outbound,<attempt>,<who>)`: a client whom the office called has answered.
    Outgoing {
        /// What `AMD()` says.
        answered: Answered,
    },
    /// `Stasis(perezvon,agent,<endpoint>)`: an agent dialled something.
    Agent {
        /// PJSIP endpoint of the phone.
        endpoint: String,
    },
}

/// Who answered an outgoing call, as far as a machine can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// A person, or nobody knows: told is better than not told.
    Person,
    /// An answering machine.
    Machine,
}

/// What stands in an Asterisk at the moment of connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Channels of the application, and channels whose id the core chose.
    pub channels: Vec<ChannelSnapshot>,
    /// Bridges whose id the core chose.
    pub bridges: Vec<BridgeSnapshot>,
    /// Endpoints (PJSIP) with their reachability.
    pub devices: Vec<(String, bool)>,
}

/// One channel of a [`Snapshot`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSnapshot {
    /// What [`NodeEvent::Arrived`] would tell of it. For a leg made by the core the origin is that of no arrival.
    pub arrival: Arrival,
    /// PJSIP endpoint of the channel, from its name (`PJSIP/agent-101-0000002a` gives `agent-101`).
    pub endpoint: String,
    /// The far phone rings.
    pub ringing: bool,
}

/// One bridge of a [`Snapshot`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeSnapshot {
    /// Which bridge.
    pub bridge: BridgeId,
    /// Who is in it.
    pub channels: Vec<ChannelId>,
    /// The note with which it was made.
    pub note: Option<Note>,
}

/// The engine's note on a caller's channel, where it does not stand on the channel itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The caller's channel.
    pub channel: ChannelId,
    /// As in [`AriRequest::SetMemo`].
    pub memo: String,
}

/// Why a request to Asterisk was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 404.
    #[error("Asterisk knows no such thing (404)")]
    NotFound,
    /// 409: exists already, or the channel is not in the application.
    #[error("it is in the wrong state (409)")]
    Conflict,
    /// 422 and 400.
    #[error("Asterisk cannot do it: {0}")]
    Unprocessable(String),
    /// 5xx or an answer that cannot be read.
    #[error("Asterisk failed: {0}")]
    Failed(String),
    /// No answer in time: it may or may not have been done.
    #[error("no answer in time")]
    TimedOut,
    /// No connection, or the queue of requests to this Asterisk is full: it was not done.
    #[error("Asterisk cannot be reached")]
    Unreachable,
}

/// What the office knows of a caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallerCard {
    /// The number is blocked: the call is refused unanswered.
    pub blocked: bool,
    /// Name to show, if known.
    pub name: Option<String>,
    /// Who talked with this client last.
    pub last_agent: Option<AgentId>,
    /// The level of the client's group (VIP): see [`Precedence`](super::settings::Precedence).
    pub priority: i16,
    /// The client is a company.
    pub corporate: bool,
    /// Free note shown to the agent.
    pub note: Option<String>,
    /// The client's card, if there is one already.
    pub client: Option<ClientId>,
    /// Level of conflict, from 0, none, to 3, dangerous.
    pub conflict: u8,
    /// Open orders, then the last ended ones, each newest first; a few.
    pub orders: Arc<[CallerOrder]>,
}

/// What a caller's order is about, as far as the agent and the menu need it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerOrder {
    /// Which.
    pub order: OrderId,
    /// Where it stands.
    pub state: State,
    /// When it was taken.
    pub created_at: Wall,
    /// Where the car goes first.
    pub from: Address,
    /// Where it goes from there in the end.
    pub to: Option<Address>,
    /// The car, once there is one.
    pub car: Option<Car>,
    /// When it will be there.
    pub eta: Option<Eta>,
    /// Since when it waits.
    pub arrived_at: Option<Wall>,
    /// A pre-order whose time has not come: when the car is wanted.
    pub booked_for: Option<Wall>,
    /// Since when a car is looked for.
    pub searching_since: Option<Wall>,
    /// Whole minutes that the car waits for nothing, where that is to be told.
    pub free_minutes: Option<u32>,
    /// What is told of the trip once it is over.
    pub trip: Trip,
}

impl CallerOrder {
    /// An order of which no more is known than where it stands.
    #[must_use]
    pub fn new(order: OrderId, state: State, created_at: Wall) -> CallerOrder {
        CallerOrder {
            order,
            state,
            created_at,
            from: Address::default(),
            to: None,
            car: None,
            eta: None,
            arrived_at: None,
            booked_for: None,
            searching_since: None,
            free_minutes: None,
            trip: Trip::default(),
        }
    }
}

/// Why a caller's order was not cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelRefused {
    /// The client is in the car.
    InTrip,
    /// It had ended before.
    Ended,
    /// The office did not answer, or does not know the order.
    Trouble,
}

/// Who wants something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The engine itself, by a rule.
    Engine,
    /// An agent, by the phone or the console.
    Agent(AgentId),
    /// A person of the console who is not acting as an agent (supervisor, administrator), by login.
    Person(String),
    /// A program with an API key, by the key's name.
    Program(String),
}

/// What a person or program can want of the call engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Declare what an agent wants to do.
    SetStatus {
        /// Whose.
        agent: AgentId,
        /// The new status.
        status: Status,
    },
    /// End after-call work early.
    EndWrapUp(AgentId),
    /// Call this number for an agent: the agent's phone rings first. Answered with
    /// [`Answer::Calling`](super::command::Answer::Calling).
    Dial {
        /// Who wants to talk.
        agent: AgentId,
        /// With whom; an outside number, in any usual form.
        number: String,
    },
    /// Put the caller on hold.
    Hold(CallId),
    /// Take the caller back from hold.
    Resume(CallId),
    /// What is said from now on is not to be kept: see `call/pause.rs`.
    PauseRecording(CallId),
    /// What is said from now on is kept again.
    ResumeRecording(CallId),
    /// Send the caller on.
    Transfer {
        /// Which call.
        call: CallId,
        /// To whom.
        to: Target,
        /// At once or after asking.
        mode: TransferMode,
    },
    /// Complete an attended transfer: join the caller with the one who was asked.
    CompleteTransfer(CallId),
    /// Give up an attended transfer: back to the caller.
    CancelTransfer(CallId),
    /// End a call.
    HangUp(CallId),
    /// Ring this agent's phone, who is a supervisor, to hear a talk; or change how it is heard.
    Monitor {
        /// Which call.
        call: CallId,
        /// The supervisor's own phone.
        agent: AgentId,
        /// How.
        mode: MonitorMode,
    },
    /// Do not hear it any more.
    StopMonitor {
        /// Which call.
        call: CallId,
        /// The supervisor's own phone.
        agent: AgentId,
    },
    /// Callers waiting, agents, estimates.
    ViewQueue,
    /// Calls in progress.
    ViewCalls,
}

/// Where a transfer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A certain agent.
    Agent(AgentId),
    /// The end of no line: the caller keeps the time of arrival.
    Queue(QueueId),
    /// An outside number, if it is allowed.
    Number(String),
}

/// How a transfer is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferMode {
    /// The agent is free at once.
    Blind,
    /// The agent talks with the target first; the caller hears music.
    Attended,
}

/// How a supervisor hears a talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MonitorMode {
    /// Hears both, is heard by nobody.
    Listen,
    /// Hears both, is heard by the agent.
    Whisper,
    /// Hears both, is heard by both.
    Join,
    /// Takes the agent's place.
    TakeOver,
}

impl MonitorMode {
    /// All of them.
    pub const ALL: [MonitorMode; 4] =
        [MonitorMode::Listen, MonitorMode::Whisper, MonitorMode::Join, MonitorMode::TakeOver];

    /// The word that the database and the API use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MonitorMode::Listen => "listen",
            MonitorMode::Whisper => "whisper",
            MonitorMode::Join => "join",
            MonitorMode::TakeOver => "take_over",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<MonitorMode> {
        MonitorMode::ALL.into_iter().find(|mode| mode.as_str() == word)
    }
}

/// Spans that several machines share.
pub mod spans {
    use super::Duration;

    /// A caller's card that is not there by then is not waited for.
    pub const CARD: Duration = Duration::from_millis(300);
    /// A phone that is alive starts ringing within 20 ms; one that does not in this time is passed over.
    pub const RING_START: Duration = Duration::from_secs(2);
    /// So long after it was seen to be slow, Asterisk is not believed when it tells nothing of a phone.
    pub const SLOW: Duration = Duration::from_secs(10);
    /// Longest playback; its end is hardly reported when it fails.
    pub const PLAYBACK: Duration = Duration::from_secs(30);
    /// From asking for a bridge to both being in it.
    pub const JOIN: Duration = Duration::from_secs(3);
    /// Before a join that was refused is asked for again.
    pub const JOIN_AGAIN: Duration = Duration::from_millis(200);
    /// Before the note on a channel is written again.
    pub const MEMO: Duration = Duration::from_secs(1);
    /// From asking for the end of a channel to its end; then it is asked again.
    pub const RELEASE: Duration = Duration::from_secs(5);
}
