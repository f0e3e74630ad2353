//! The one index of all deadlines. The deadlines themselves are state of the machines; an entry here that is no
//! longer true wakes its machine for nothing and does no harm.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::ids::{AgentId, CallId};
use super::time::Instant;

/// Whose deadline it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A call's.
    Call(CallId),
    /// An agent's after-call work.
    Agent(AgentId),
}

/// Deadlines, soonest first.
#[derive(Clone, Debug, Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Instant, Owner, &'static str)>>,
}

impl Timers {
    /// Wakes `owner` at `at`; `reason` is for people who read a log of wake-ups.
    pub fn arm(&mut self, at: Instant, owner: Owner, reason: &'static str) {
        self.heap.push(Reverse((at, owner, reason)));
    }

    /// The soonest deadline.
    #[must_use]
    pub fn next(&self) -> Option<(Instant, &'static str)> {
        self.heap.peek().map(|Reverse((at, _, reason))| (*at, *reason))
    }

    /// Takes the soonest deadline if it is due.
    pub fn pop_due(&mut self, now: Instant) -> Option<Owner> {
        if self.next()?.0 > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, owner, _))| owner)
    }
}
