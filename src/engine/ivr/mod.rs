//! What callers hear and do before anybody talks with them.
//!
//! - [`announcement`]: what a client whom the office calls is told
//! - [`call_back`]: who waits may choose to be called back instead
//! - [`menu`]: menus of the office's own, as described in the configuration
//! - [`order_status`]: who has an order is told how it stands, and may cancel it

pub mod announcement;
pub mod call_back;
pub mod menu;
pub mod order_status;

use crate::domain::ids::OrderId;

/// After so many keys that mean nothing a person takes over.
const MOST_WRONG: u8 = 3;

/// What a caller did with the keys, as the journal keeps it and the agent sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Heard how the orders stand, to the end.
    HeardStatus,
    /// Wanted to hear it again.
    Repeated,
    /// Wants to talk with an agent.
    WantsAgent,
    /// Was asked whether this order is to be cancelled.
    AskedToCancel(OrderId),
    /// Does not want it cancelled after all.
    KeptOrder(OrderId),
    /// The order is cancelled.
    CancelledOrder(OrderId),
    /// The order cannot be cancelled any more.
    CannotCancel(OrderId),
    /// Pressed a key of a menu of the office's own.
    Key(char),
    /// Pressed a key for something to be said.
    AskedFor(char),
    /// Pressed a key that means nothing.
    WrongKey(char),
    /// Pressed nothing.
    NoKey,
    /// Heard that this order changed.
    HeardChange(OrderId),
    /// A car is looked for again.
    SearchesAgain(OrderId),
    /// Wants to be called back instead of waiting.
    WantsCallback,
    /// Is called back, at the same place in line.
    KeptPlace,
    /// Did not call at all: was called by the office, for this (the word of the callback).
    CalledBack(&'static str),
}

impl Choice {
    /// The word of the journal and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Choice::HeardStatus => "heard_status",
            Choice::Repeated => "repeated_status",
            Choice::WantsAgent => "wants_agent",
            Choice::AskedToCancel(_) => "asked_to_cancel",
            Choice::KeptOrder(_) => "kept_order",
            Choice::CancelledOrder(_) => "cancelled_order",
            Choice::CannotCancel(_) => "cannot_cancel",
            Choice::Key(_) => "key",
            Choice::AskedFor(_) => "asked_for",
            Choice::WrongKey(_) => "wrong_key",
            Choice::NoKey => "no_key",
            Choice::HeardChange(_) => "heard_change",
            Choice::SearchesAgain(_) => "searches_again",
            Choice::WantsCallback => "wants_callback",
            Choice::KeptPlace => "kept_place",
            Choice::CalledBack(_) => "called_back",
        }
    }

    /// What it was about: an order's number, a key, what the client was called for; empty when there is nothing to add.
    #[must_use]
    pub fn detail(self) -> String {
        match self {
            Choice::AskedToCancel(order)
            | Choice::KeptOrder(order)
            | Choice::CancelledOrder(order)
            | Choice::CannotCancel(order)
            | Choice::SearchesAgain(order)
            | Choice::HeardChange(order) => order.0.to_string(),
            Choice::Key(key) | Choice::AskedFor(key) | Choice::WrongKey(key) => key.to_string(),
            Choice::CalledBack(what_for) => what_for.to_owned(),
            Choice::HeardStatus
            | Choice::Repeated
            | Choice::WantsAgent
            | Choice::NoKey
            | Choice::WantsCallback
            | Choice::KeptPlace => String::new(),
        }
    }
}
