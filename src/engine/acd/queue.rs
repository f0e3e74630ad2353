//! One waiting line: callers in order, and which of them may be offered to whom.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::engine::ids::{AgentId, CallId};
use crate::engine::time::Instant;

/// Callers per node of the ordered set: moving half of these costs less than a cache miss more per look-up.
const NODE: usize = 128;

/// A caller's place. Ordered by the moment of entry made earlier by the priority: a caller of one level more stands
/// where one stands who came a step earlier. So everybody gains with time alike and nobody starves, and the order
/// never has to be computed again (priority with linear ageing).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    moment: Instant,
    call: CallId,
}

impl Place {
    /// The place of a caller who entered at `entered` with `priority` levels worth `step` each.
    #[must_use]
    pub fn new(call: CallId, entered: Instant, priority: i16, step: Duration) -> Place {
        let gain = step * u32::from(priority.unsigned_abs());
        let moment = if priority >= 0 { entered - gain } else { entered + gain };
        Place { moment, call }
    }

    /// Who stands there.
    #[must_use]
    pub fn call(self) -> CallId {
        self.call
    }
}

/// To whom a waiting caller may be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eligible {
    /// To any agent of the queue.
    Anyone,
    /// To this agent alone (the client's last agent, or the target of a transfer).
    Only(AgentId),
    /// To nobody now: an offer is in flight.
    Nobody,
    /// An offer to all is in flight: agents who become free join it.
    Ringing,
}

/// One waiting line.
#[derive(Clone, Debug)]
pub struct Line {
    all: indexset::BTreeSet<Place>,
    open: BTreeSet<Place>,
    reserved: BTreeMap<AgentId, BTreeSet<Place>>,
    ringing: BTreeSet<Place>,
}

impl Default for Line {
    fn default() -> Self {
        Line {
            all: indexset::BTreeSet::with_maximum_node_size(NODE),
            open: BTreeSet::new(),
            reserved: BTreeMap::new(),
            ringing: BTreeSet::new(),
        }
    }
}

impl Line {
    /// Puts a caller into the line.
    pub fn enter(&mut self, place: Place, eligible: Eligible) {
        self.all.insert(place);
        self.admit(place, eligible);
    }

    /// Takes a caller out of the line.
    pub fn leave(&mut self, place: Place, was: Eligible) {
        self.dismiss(place, was);
        self.all.remove(&place);
    }

    /// Changes to whom a caller may be offered; the place is kept.
    pub fn change(&mut self, place: Place, was: Eligible, eligible: Eligible) {
        self.dismiss(place, was);
        self.admit(place, eligible);
    }

    /// The first caller whom this agent may be offered.
    #[must_use]
    pub fn first_for(&self, agent: AgentId) -> Option<Place> {
        let reserved = self.reserved.get(&agent).and_then(|set| set.first());
        [self.open.first(), self.ringing.first(), reserved].into_iter().flatten().min().copied()
    }

    /// Takes in all who stand in another line, each at the place that it has.
    pub fn absorb(&mut self, other: Line) {
        let Line { all, open, reserved, ringing } = other;
        all.iter().for_each(|place| {
            self.all.insert(*place);
        });
        self.open.extend(open);
        self.ringing.extend(ringing);
        for (agent, places) in reserved {
            self.reserved.entry(agent).or_default().extend(places);
        }
    }

    /// How many stand before this place (whether or not it is in this line).
    #[must_use]
    pub fn before(&self, place: Place) -> usize {
        self.all.rank(&place)
    }

    /// How many stand in the line.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Nobody stands in the line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The places in order.
    pub fn iter(&self) -> impl Iterator<Item = Place> + '_ {
        self.all.iter().copied()
    }

    fn admit(&mut self, place: Place, eligible: Eligible) {
        match eligible {
            Eligible::Anyone => {
                self.open.insert(place);
            }
            Eligible::Only(agent) => {
                self.reserved.entry(agent).or_default().insert(place);
            }
            Eligible::Nobody => {}
            Eligible::Ringing => {
                self.ringing.insert(place);
            }
        }
    }

    fn dismiss(&mut self, place: Place, was: Eligible) {
        match was {
            Eligible::Anyone => {
                self.open.remove(&place);
            }
            Eligible::Only(agent) => {
                if let Some(set) = self.reserved.get_mut(&agent) {
                    set.remove(&place);
                    if set.is_empty() {
                        self.reserved.remove(&agent);
                    }
                }
            }
            Eligible::Nobody => {}
            Eligible::Ringing => {
                self.ringing.remove(&place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_secs(60);
    const AGENT: AgentId = AgentId(1);

    fn place(call: u64, second: i64, priority: i16) -> Place {
        Place::new(CallId(call), Instant(second * 1_000_000), priority, STEP)
    }

    #[test]
    fn who_came_first_is_first_and_equals_stand_by_arrival() {
        let mut line = Line::default();
        for p in [place(3, 5, 0), place(1, 5, 0), place(2, 1, 0)] {
            line.enter(p, Eligible::Anyone);
        }
        let order: Vec<u64> = line.iter().map(|p| p.call().0).collect();
        assert_eq!(order, [2, 1, 3]);
        assert_eq!(line.before(place(3, 5, 0)), 2);
    }

    #[test]
    fn priority_goes_first_until_the_other_has_waited_a_step_longer() {
        let early = place(1, 0, 0);
        assert!(place(2, 59, 1) < early);
        assert!(place(3, 61, 1) > early);
        assert!(place(4, 0, -1) > early);
    }

    #[test]
    fn an_offered_caller_keeps_the_place_and_is_offered_to_nobody_else() {
        let mut line = Line::default();
        let (first, second) = (place(1, 0, 0), place(2, 1, 0));
        line.enter(first, Eligible::Anyone);
        line.enter(second, Eligible::Anyone);
        line.change(first, Eligible::Anyone, Eligible::Nobody);
        assert_eq!(line.first_for(AGENT), Some(second));
        assert_eq!(line.before(second), 1);
        line.change(first, Eligible::Nobody, Eligible::Anyone);
        assert_eq!(line.first_for(AGENT), Some(first));
    }

    #[test]
    fn two_lines_that_become_one_stand_by_the_time_of_arrival() {
        let (mut line, mut other) = (Line::default(), Line::default());
        line.enter(place(1, 1, 0), Eligible::Anyone);
        line.enter(place(3, 3, 0), Eligible::Only(AGENT));
        other.enter(place(2, 2, 0), Eligible::Nobody);
        other.enter(place(4, 0, 0), Eligible::Only(AGENT));
        line.absorb(other);
        let order: Vec<u64> = line.iter().map(|p| p.call().0).collect();
        assert_eq!(order, [4, 1, 2, 3]);
        assert_eq!(line.first_for(AGENT).unwrap().call(), CallId(4));
        assert_eq!(line.first_for(AgentId(2)).unwrap().call(), CallId(1));
    }

    #[test]
    fn a_reserved_caller_is_for_the_one_agent_only() {
        let mut line = Line::default();
        let reserved = place(1, 0, 0);
        line.enter(reserved, Eligible::Only(AGENT));
        assert_eq!(line.first_for(AgentId(2)), None);
        assert_eq!(line.first_for(AGENT), Some(reserved));
        line.leave(reserved, Eligible::Only(AGENT));
        assert!(line.is_empty());
        assert_eq!(line.first_for(AGENT), None);
    }
}
