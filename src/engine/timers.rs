//! The one index of all deadlines. The deadlines themselves are state of the machines; an entry here that is no
//! longer true wakes its machine for nothing and does no harm.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::ids::{AgentId, CallId};
use super::time::Instant;

/// Deadlines are rounded up to 2^12 µs (4.1 ms), and those of one such slot are kept together: with 100,000 callers
/// waiting a heap of single deadlines costs several cache misses each time, the slots stay in the cache.
const SLOT_BITS: u32 = 12;
/// A net that is farther away is rounded up by an eighth of its span at most, and by no more than 2^18 µs (0.26 s), so that
/// many calls share one wake-up.
const MOST_BITS: u32 = 18;

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
        self.push(slot(at, SLOT_BITS), owner, reason);
    }

    /// As [`arm`](Timers::arm), for what is there in case that something else never comes. Nearly always it does, and
    /// when it does not, a tenth of a second more is nothing to anybody.
    pub fn arm_net(&mut self, now: Instant, at: Instant, owner: Owner, reason: &'static str) {
        self.push(net_slot(now, at), owner, reason);
    }

    /// What was [armed](Timers::arm) for that moment need not wake anybody any more. Only worth its while for what is
    /// armed for each call and soon done.
    pub fn forget(&mut self, at: Instant, owner: Owner) {
        let Entry::Occupied(mut there) = self.slots.entry(slot(at, SLOT_BITS)) else { return };
        let entries = there.get_mut();
        if let Some(place) = entries.iter().position(|(other, _)| *other == owner) {
            entries.swap_remove(place);
        }
        if entries.is_empty() {
            there.remove();
        }
    }

    fn push(&mut self, slot: i64, owner: Owner, reason: &'static str) {
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

fn slot(at: Instant, bits: u32) -> i64 {
    (at.0.saturating_add((1 << bits) - 1) >> bits) << (bits - SLOT_BITS)
}

fn net_slot(now: Instant, at: Instant) -> i64 {
    let span = at.0.saturating_sub(now.0).max(1);
    slot(at, span.ilog2().saturating_sub(3).clamp(SLOT_BITS, MOST_BITS))
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

    #[test]
    fn nets_of_calls_that_come_in_one_tenth_of_a_second_are_one_wake_up_and_none_is_late_by_more_than_an_eighth() {
        let mut timers = Timers::default();
        for call in 0..10 {
            let now = Instant(1_000_000 + call * 10_000);
            for span in [50_000, 250_000, 2_000_000, 15_000_000] {
                timers.arm_net(now, Instant(now.0 + span), Owner::Call(CallId(call.cast_unsigned())), "test");
                let mut alone = Timers::default();
                alone.arm_net(now, Instant(now.0 + span), Owner::Call(CallId(0)), "test");
                let late = alone.next().unwrap().0.0 - now.0 - span;
                assert!((0..=(span / 8).clamp(4_096, 262_144)).contains(&late), "{span}: {late}");
            }
        }
        let mut moments = Vec::new();
        while let Some((at, _)) = timers.next() {
            if at.0 > 2_500_000 {
                moments.push(at);
            }
            timers.pop_due(at);
        }
        moments.dedup();
        assert!(moments.len() <= 4, "{moments:?}");
    }

    #[test]
    fn what_is_forgotten_wakes_nobody_and_takes_nothing_else_with_it() {
        let mut timers = Timers::default();
        let [first, second] = [1, 2].map(|call| Owner::Call(CallId(call)));
        let at = Instant(1_300_000);
        timers.arm(at, first, "card");
        timers.arm(at, second, "card");
        timers.forget(at, first);
        timers.forget(at, first);
        let due = timers.next().unwrap().0;
        assert_eq!((timers.pop_due(due), timers.pop_due(due)), (Some(second), None));
        timers.arm(at, first, "card");
        timers.forget(at, first);
        assert_eq!(timers.next(), None);
    }
}
