//! What the clients of the demo office have ordered, and what became of it.

use crate::domain::fare::Payment;
use crate::domain::money::Kopecks;
use crate::domain::order::{CancelledBy, Command, Create, Standing, Wanted};
use crate::domain::time::Wall;

use super::{Chance, Office};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Orders are spread over so many days.
const DAYS: u64 = 90;
/// Callsigns of the office's cars: 1 and on.
const CARS: u64 = 60;

/// An order and its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// When it was taken.
    pub taken: Wall,
    /// What was ordered; whose it is and how that client stands is for the store to fill in.
    pub order: Create,
    /// What happened to it, in order.
    pub steps: Vec<(Wall, Step)>,
}

/// One thing that happened to an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Anything but its end.
    Change(Command),
    /// The trip was over, at this price.
    Finish(Kopecks),
}

/// How far the way of an order goes.
#[derive(Clone, Copy)]
enum End {
    Completed,
    Cancelled,
    NoShow,
    NoCar,
    /// It is on its way at the moment: so many steps of it are done.
    Active(u64),
    /// For tomorrow.
    Ahead,
}

impl Office {
    /// What this client has ordered until `now`, oldest first; all orders of the past are over.
    #[must_use]
    pub fn stories(&self, client: u64, now: Wall) -> Vec<Story> {
        let mut chance = Chance::of(self.seed, 4, client);
        let past = [0, 0, 1, 1, 1, 2, 2, 3, 5, 9];
        let count = *chance.pick(&past);
        let mut moments: Vec<i64> =
            (0..count).map(|_| now.0 - DAY - i64::try_from(chance.below(DAYS * 86_400)).unwrap_or(0) * 1000).collect();
        moments.sort_unstable();
        let mut stories: Vec<Story> =
            moments.into_iter().filter_map(|at| self.story(client, Wall(at), &mut chance, None)).collect();
        if chance.percent(4) {
            let end = if chance.percent(25) { End::Ahead } else { End::Active(chance.below(4)) };
            let ago = 3 * MINUTE + i64::try_from(chance.below(12)).unwrap_or(0) * MINUTE;
            stories.extend(self.story(client, Wall(now.0 - ago), &mut chance, Some(end)));
        }
        stories
    }

    fn story(&self, client: u64, taken: Wall, chance: &mut Chance, end: Option<End>) -> Option<Story> {
        let places = self.places(client);
        if places.is_empty() {
            return None;
        }
        let from = chance.pick(places.get(..1).filter(|_| chance_of_home(client)).unwrap_or(&places)).clone();
        let to = places.iter().filter(|place| **place != from).nth(usize::try_from(chance.below(3)).unwrap_or(0));
        let end = end.unwrap_or_else(|| match chance.below(100) {
            0..84 => End::Completed,
            84..92 => End::Cancelled,
            92..95 => End::NoShow,
            _ => End::NoCar,
        });
        let wanted = match end {
            End::Ahead => Wanted::At { at: Wall(taken.0 + 15 * HOUR), lead_ms: 30 * MINUTE },
            End::Completed | End::Cancelled | End::NoShow | End::NoCar | End::Active(_) => Wanted::Now,
        };
        let order = Create {
            client: None,
            standing: Standing::default(),
            phone: super::phone(self.seed, client * 4),
            passenger: String::new(),
            from,
            to: to.cloned().into_iter().collect(),
            wanted,
            tariff: None,
            payment: if chance.percent(85) { Payment::Cash } else { Payment::Bonus },
            comment: String::new(),
            estimate: Some(Kopecks(10_000 * (2 + i64::try_from(chance.below(6)).unwrap_or(0)))),
        };
        let steps = self.steps(taken, end, chance);
        Some(Story { taken, order, steps })
    }

    fn steps(&self, taken: Wall, end: End, chance: &mut Chance) -> Vec<(Wall, Step)> {
        let (car, driver) = self.crew(1 + chance.below(CARS));
        let eta = 3 + chance.below(10);
        let mut at = taken.0;
        let mut after = |chance: &mut Chance, minutes: u64| {
            at += i64::try_from(minutes * 60 + chance.below(60)).unwrap_or(0) * 1000;
            Wall(at)
        };
        let assign = Command::Assign { car, driver, eta_minutes: u16::try_from(eta).unwrap_or(5) };
        let mut steps = vec![(after(chance, 0), Step::Change(assign))];
        steps.push((after(chance, eta), Step::Change(Command::Arrive)));
        steps.push((after(chance, 1), Step::Change(Command::Start)));
        let minutes = 6 + chance.below(30);
        // The driver's round sum for the way.
        let price = Kopecks(15_000 + i64::try_from(minutes).unwrap_or(0) * 1_000);
        let finished = (after(chance, minutes), Step::Finish(price));
        match end {
            End::Completed => steps.push(finished),
            End::Cancelled => {
                steps.truncate(usize::try_from(chance.below(3)).unwrap_or(0));
                let by =
                    *chance.pick(&[CancelledBy::Client, CancelledBy::Client, CancelledBy::Driver, CancelledBy::Office]);
                let reason = match by {
                    CancelledBy::Client | CancelledBy::Dispatcher => "передумал",
                    CancelledBy::Driver => "машина сломалась",
                    CancelledBy::Office => "нет машин в этом районе",
                };
                let moment = steps.last().map_or(taken.0, |(last, _)| last.0) + MINUTE;
                steps.push((Wall(moment), Step::Change(Command::Cancel { by, reason: reason.to_owned() })));
            }
            End::NoShow => {
                steps.truncate(2);
                let moment = steps.last().map_or(taken.0, |(last, _)| last.0) + 12 * MINUTE;
                steps.push((Wall(moment), Step::Change(Command::NoShow)));
            }
            End::NoCar => steps = vec![(Wall(taken.0 + 10 * MINUTE), Step::Change(Command::NoCar))],
            End::Active(done) => steps.truncate(usize::try_from(done).unwrap_or(0)),
            End::Ahead => steps.clear(),
        }
        steps
    }
}

/// Two of three clients are mostly fetched from home.
fn chance_of_home(client: u64) -> bool {
    !client.is_multiple_of(3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fare::Funds;
    use crate::domain::history::By;
    use crate::domain::order::{self, Finish, Price, State};

    const NOW: Wall = Wall(1_800_000_000_000);

    #[test]
    fn the_domain_accepts_every_step_of_every_story() {
        let office = Office::new(1, 400);
        let mut reached = std::collections::BTreeMap::new();
        for client in 0..3000 {
            for story in office.stories(client, NOW) {
                let (mut order, _) = order::create(story.order, &By::engine(), story.taken).unwrap();
                let mut last = story.taken;
                for (at, step) in story.steps {
                    assert!(at >= last, "client {client}: {at:?} before {last:?}");
                    last = at;
                    let command = match step {
                        Step::Change(command) => command,
                        Step::Finish(price) => Command::Finish(Finish {
                            price: Price::Fixed(price),
                            discount: None,
                            funds: Funds::default(),
                        }),
                    };
                    order = order::handle(&order, command, &By::engine(), at).unwrap().0;
                }
                *reached.entry(order.state).or_insert(0) += 1;
            }
        }
        for state in
            [State::Searching, State::Completed, State::Cancelled, State::False, State::NotFound, State::Assigned]
        {
            assert!(reached.contains_key(&state), "{state:?} of {reached:?}");
        }
    }

    #[test]
    fn a_client_has_the_same_orders_every_time() {
        let office = Office::new(1, 400);
        assert_eq!(office.stories(17, NOW), office.stories(17, NOW));
    }
}
