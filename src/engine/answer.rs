//! What people and programs are answered.

use super::ids::{AgentId, CallId};
use super::view::{CallView, QueueView};

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done, or being done.
    Done,
    /// The call is being made.
    Calling(CallId),
    /// The queue board.
    Queue(Box<QueueView>),
    /// Calls in progress, at most [`QueueView::MOST`].
    Calls(Vec<CallView>),
}

/// Why a request is not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The call is unknown or over.
    #[error("call {0} is not in progress")]
    NoSuchCall(CallId),
    /// No such agent.
    #[error("agent {} does not exist", .0.0)]
    NoSuchAgent(AgentId),
    /// No such queue.
    #[error("there is no such queue")]
    NoSuchQueue,
    /// The call is in a stage in which this cannot be done.
    #[error("the call is {now}; this needs it to be {needed}")]
    WrongStage {
        /// Where it is.
        now: &'static str,
        /// Where it must be.
        needed: &'static str,
    },
    /// Another agent's call.
    #[error("the call belongs to another agent")]
    NotYours,
    /// The agent cannot take it now.
    #[error("agent {} is not free to take a call", .0.0)]
    AgentNotFree(AgentId),
    /// Outside number not on the list of allowed destinations.
    #[error("the number is not among the allowed destinations")]
    NumberNotAllowed,
    /// The agent's phone cannot be rung.
    #[error("the phone of agent {} is not connected; register it and try again", .0.0)]
    NoPhone(AgentId),
    /// A call with this number is going on.
    #[error("a call with this number is going on")]
    NumberBusy,
    /// Asterisk is not connected.
    #[error("the Asterisk that carries this call is not connected; try again in a moment")]
    NodeDown,
}
