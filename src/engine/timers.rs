//! The one index of all deadlines. The deadlines themselves are state of the machines; an entry here that is no
//! longer true wakes its machine for nothing and does no harm.

use std::collections::BTreeMap;

use super::ids::{AgentId, CallId};
use super::time::Instant;

/// Deadlines are rounded up to 2^12 µs (4.1 ms), and those of one such slot are kept together: with 100,000 callers
/// waiting a heap of single deadlines costs several cache misses each time, the slots stay in the cache. The rounding
/// shows only in spans of seconds.
const SLOT_BITS: u32 = 12;

/// Whose deadline it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A call's.
    Call(CallId),
    /// An agent's after-call work.
    Agent(AgentId),
    /// Requests of forgotten calls, to be made again.
    Leftovers,
    /// Callbacks whose time comes.
    Callbacks,
}

/// Deadlines, soonest first.
#[derive(Clone, Debug, Default)]
pub struct Timers {
    slots: BTreeMap<i64, Vec<(Owner, &'static str)>>,
}

impl Timers {
    /// Wakes `owner` at `at` or a little later; `reason` is for people who read a log of wake-ups.
    pub fn arm(&mut self, at: Instant, owner: Owner, reason: &'static str) {
        let slot = at.0.saturating_add((1 << SLOT_BITS) - 1) >> SLOT_BITS;
        self.slots.entry(slot).or_default().push((owner, reason));
    }

    /// The soonest deadline.
    #[must_use]
    pub fn next(&self) -> Option<(Instant, &'static str)> {
        let (slot, entries) = self.slots.first_key_value()?;
        Some((Instant(slot << SLOT_BITS), entries.last()?.1))
    }

    /// Takes the soonest deadline if it is due.
    pub fn pop_due(&mut self, now: Instant) -> Option<Owner> {
        let mut first = self.slots.first_entry()?;
        if first.key() << SLOT_BITS > now.0 {
            return None;
        }
        let taken = first.get_mut().pop();
        if first.get().is_empty() {
            first.remove();
        }
        taken.map(|(owner, _)| owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_in_order_never_early_and_at_most_a_slot_late() {
        let mut timers = Timers::default();
        for (at, agent) in [(9_000_000, 3), (-5_000, 1), (5_000, 2)] {
            timers.arm(Instant(at), Owner::Agent(AgentId(agent)), "test");
        }
        let mut due = Vec::new();
        while let Some((at, _)) = timers.next() {
            assert_eq!(timers.pop_due(Instant(at.0 - 1)), None, "early");
            due.push((at.0, timers.pop_due(at)));
        }
        let owners: Vec<_> = due.iter().map(|(_, owner)| *owner).collect();
        assert_eq!(owners, [1, 2, 3].map(|agent| Some(Owner::Agent(AgentId(agent)))));
        for ((told, _), asked) in due.iter().zip([-5_000, 5_000, 9_000_000]) {
            assert!((0..4_096).contains(&(told - asked)));
        }
    }
}
