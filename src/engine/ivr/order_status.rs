//! A caller with an order: told how it stands, by itself and again on star; 1 (or 0) leads to an agent, 2 cancels after
//! one more question. Nothing here waits: keys, ends of prompts and answers come in, steps go out.
//!
//! Keys: while the question "cancel?" stands, 1 confirms and 2 keeps. Confirming is another key than asking, so that a
//! key that was pressed twice cancels nothing.

use std::time::Duration;

use super::{Choice, MOST_WRONG};
use crate::domain::ids::OrderId;
use crate::domain::order::State;
use crate::engine::event::{CallerOrder, CancelRefused};
use crate::engine::ids::QueueId;
use crate::engine::time::Wall;
use crate::speech::Phrase;
use crate::speech::order::{CannotCancel, Day, LocalTime, OrderStatus, Progress};

/// Orders that are told of, newest first: more of them nobody keeps apart.
const MOST_TOLD: usize = 3;

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Say this in place of what is being said, then wait for a key.
    Say(Vec<Phrase>),
    /// Cancel the order; the answer is given to [`OrderMenu::cancelled`].
    Cancel(OrderId),
    /// Look for a car again; the answer is given to [`Announcement::done`](super::announcement::Announcement::done).
    SearchAgain(OrderId),
    /// Say this, then to the queue that the dialled number leads to.
    Queue(Vec<Phrase>),
    /// To this queue.
    ToQueue(QueueId),
    /// All is settled: the call may end.
    End,
    /// Nothing.
    Stay,
}

/// Where the caller is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Hears how things stand, may press a key.
    Telling,
    /// Was asked whether this order is to be cancelled.
    Confirming(OrderId),
    /// The office is asked to cancel it.
    Cancelling(OrderId),
    /// An order was cancelled and no other is left.
    Settled,
}

/// One caller's way through it.
#[derive(Clone, Debug)]
pub struct OrderMenu {
    stage: Stage,
    wrong: u8,
    /// The prompt that is being played tells how the orders stand.
    telling: bool,
    /// After it follows what the keys do, as a prompt of its own: who hangs up there has heard the state.
    keys_follow: bool,
    /// Changed, and its caller does not know yet.
    news: Vec<OrderId>,
    /// Asked about, and kept: not asked about again.
    kept: Vec<OrderId>,
}

/// How the caller's orders stand at this moment.
#[derive(Clone, Copy, Debug)]
pub struct Orders<'a> {
    /// Of the card.
    pub all: &'a [CallerOrder],
    /// Now.
    pub now: Wall,
    /// The office's clock, minutes east of UTC.
    pub utc_offset_minutes: i32,
}

impl Orders<'_> {
    /// Those that a caller is told of.
    pub(in crate::engine) fn told(&self) -> Vec<&CallerOrder> {
        let mut told: Vec<_> = self.all.iter().filter(|order| is_told(order.state)).collect();
        told.sort_by_key(|order| std::cmp::Reverse((order.created_at, order.order)));
        told.truncate(MOST_TOLD);
        told
    }

    /// Whether there is anything to tell.
    #[must_use]
    pub fn any(&self) -> bool {
        self.all.iter().any(|order| is_told(order.state))
    }

    /// The state of an order as it is said.
    #[must_use]
    pub fn status(&self, order: &CallerOrder, several: bool) -> Option<OrderStatus> {
        let since = |at: Option<Wall>| minutes(self.now.0.saturating_sub(at.unwrap_or(order.created_at).0));
        let progress = match (order.state, order.booked_for) {
            (State::Searching, Some(at)) => Progress::Booked { at: self.local(at) },
            (State::Searching, None) => Progress::Searching { minutes: since(order.searching_since) },
            (State::Assigned, _) => Progress::Assigned {
                // Rounded up: a car that comes earlier than told disappoints nobody.
                minutes: order.eta.map(|eta| {
                    let at = eta.made_at.0.saturating_add(i64::from(eta.minutes) * 60_000);
                    minutes(at.saturating_sub(self.now.0).saturating_add(59_999))
                }),
            },
            (State::Arrived, _) => Progress::Arrived { minutes: since(order.arrived_at) },
            (State::InTrip, _) => Progress::InTrip,
            (State::NotFound, _) => Progress::NotFound,
            (State::Completed | State::Cancelled | State::False, _) => return None,
        };
        let from = several.then(|| order.from.clone());
        Some(OrderStatus { progress, car: order.car.clone(), from })
    }

    /// The office's clock at this moment.
    fn local(&self, at: Wall) -> LocalTime {
        let offset = i64::from(self.utc_offset_minutes) * 60_000;
        let local = at.0.saturating_add(offset);
        let day = local.div_euclid(DAY_MS);
        let today = self.now.0.saturating_add(offset).div_euclid(DAY_MS);
        let minute_of_day = local.rem_euclid(DAY_MS) / 60_000;
        let (month, date) = month_and_day(day);
        let small = |number: i64| u8::try_from(number).unwrap_or(0);
        LocalTime {
            day: match day - today {
                0 => Day::Today,
                1 => Day::Tomorrow,
                _ => Day::Date { day: small(date), month: small(month) },
            },
            hour: small(minute_of_day / 60),
            minute: small(minute_of_day % 60),
        }
    }

    fn get(&self, order: OrderId) -> Option<&CallerOrder> {
        self.all.iter().find(|known| known.order == order)
    }
}

const DAY_MS: i64 = 86_400_000;

/// Whole minutes, none below zero.
fn minutes(ms: i64) -> u32 {
    u32::try_from(ms.max(0) / 60_000).unwrap_or(u32::MAX)
}

/// Month and day of the month of a day counted from 1970-01-01, in the Gregorian calendar (the algorithm
/// `civil_from_days` of Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms").
fn month_and_day(days: i64) -> (i64, i64) {
    let of_era = (days + 719_468).rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    (if shifted < 10 { shifted + 3 } else { shifted - 9 }, day)
}

/// A caller with such an order is told of it.
fn is_told(state: State) -> bool {
    state.is_active() || state == State::NotFound
}

/// The caller may cancel it by a key.
fn may_cancel(state: State) -> bool {
    match state {
        State::Searching | State::Assigned | State::Arrived | State::NotFound => true,
        State::InTrip | State::Completed | State::Cancelled | State::False => false,
    }
}

impl OrderMenu {
    /// Begins with how things stand.
    #[must_use]
    pub fn begin(orders: Orders<'_>) -> (OrderMenu, Step) {
        let mut menu = OrderMenu {
            stage: Stage::Telling,
            wrong: 0,
            telling: false,
            keys_follow: false,
            news: Vec::new(),
            kept: Vec::new(),
        };
        let step = menu.tell(orders);
        (menu, step)
    }

    /// How long a key is waited for after the last word; while an answer of the office is waited for, how long that.
    #[must_use]
    pub fn patience(&self) -> Duration {
        match self.stage {
            Stage::Telling | Stage::Confirming(_) => Duration::from_secs(5),
            Stage::Cancelling(_) | Stage::Settled => Duration::from_secs(4),
        }
    }

    /// The order that is being cancelled.
    #[must_use]
    pub fn cancelling(&self) -> Option<OrderId> {
        match self.stage {
            Stage::Cancelling(order) => Some(order),
            Stage::Telling | Stage::Confirming(_) | Stage::Settled => None,
        }
    }

    fn tell(&mut self, orders: Orders<'_>) -> Step {
        let told = orders.told();
        let several = told.len() > 1;
        let said = told.iter().filter_map(|order| orders.status(order, several)).map(Phrase::Order).collect();
        self.news.clear();
        self.stage = Stage::Telling;
        let step = self.say(said);
        self.telling = true;
        self.keys_follow = true;
        step
    }

    fn say(&mut self, phrases: Vec<Phrase>) -> Step {
        self.telling = false;
        self.keys_follow = false;
        Step::Say(phrases)
    }

    fn keys(&self, orders: Orders<'_>) -> Phrase {
        Phrase::OrderKeys { cancel: self.next_to_cancel(orders).is_some() }
    }

    /// The newest that was not asked about yet; when all were, from the beginning.
    fn next_to_cancel(&self, orders: Orders<'_>) -> Option<OrderId> {
        let told = orders.told().into_iter().filter(|order| may_cancel(order.state)).map(|order| order.order);
        let told: Vec<OrderId> = told.collect();
        told.iter().find(|order| !self.kept.contains(order)).or(told.first()).copied()
    }

    /// A key was pressed.
    pub fn key(&mut self, key: char, orders: Orders<'_>) -> (Option<Choice>, Step) {
        match (self.stage, key) {
            // The answer comes in a moment; what is pressed meanwhile was meant for the question before.
            (Stage::Cancelling(_), _) => (None, Step::Stay),
            (Stage::Telling | Stage::Settled, '0' | '1') | (Stage::Confirming(_), '0') => {
                (Some(Choice::WantsAgent), Step::Queue(Vec::new()))
            }
            (Stage::Telling | Stage::Settled, '*') => (Some(Choice::Repeated), self.again(orders)),
            (Stage::Telling, '2') => self.ask_to_cancel(orders),
            (Stage::Confirming(order), '1') => {
                self.stage = Stage::Cancelling(order);
                (None, Step::Cancel(order))
            }
            (Stage::Confirming(order), '2') => {
                self.kept.push(order);
                self.stage = Stage::Telling;
                let keys = self.keys(orders);
                (Some(Choice::KeptOrder(order)), self.say(vec![Phrase::OrderKept, keys]))
            }
            (Stage::Confirming(order), '*') => (Some(Choice::Repeated), self.question(order, orders)),
            (Stage::Telling | Stage::Confirming(_) | Stage::Settled, other) => {
                self.wrong += 1;
                let step = if self.wrong >= MOST_WRONG {
                    Step::Queue(Vec::new())
                } else {
                    let keys = match self.stage {
                        Stage::Confirming(_) => Phrase::ConfirmCancel,
                        Stage::Telling | Stage::Cancelling(_) | Stage::Settled => self.keys(orders),
                    };
                    self.say(vec![Phrase::WrongKey, keys])
                };
                (Some(Choice::WrongKey(other)), step)
            }
        }
    }

    fn again(&mut self, orders: Orders<'_>) -> Step {
        if orders.any() {
            return self.tell(orders);
        }
        let keys = self.keys(orders);
        self.say(vec![Phrase::OrderCancelled, keys])
    }

    fn ask_to_cancel(&mut self, orders: Orders<'_>) -> (Option<Choice>, Step) {
        let Some(order) = self.next_to_cancel(orders) else {
            // Why not: of the newest that is told of.
            let newest = orders.told().first().map(|order| (order.order, order.state));
            let Some((order, state)) = newest else { return (Some(Choice::WrongKey('2')), self.again(orders)) };
            let why = if state == State::InTrip { CannotCancel::InTrip } else { CannotCancel::Ended };
            return (Some(Choice::CannotCancel(order)), Step::Queue(vec![Phrase::CannotCancel(why)]));
        };
        self.kept.retain(|kept| *kept != order);
        self.stage = Stage::Confirming(order);
        (Some(Choice::AskedToCancel(order)), self.question(order, orders))
    }

    fn question(&mut self, order: OrderId, orders: Orders<'_>) -> Step {
        let several = orders.told().len() > 1;
        let status = orders.get(order).filter(|_| several).and_then(|order| orders.status(order, several));
        self.say(status.map(Phrase::Order).into_iter().chain([Phrase::ConfirmCancel]).collect())
    }

    /// The prompt was heard to its end. What changed meanwhile is told now.
    pub fn heard(&mut self, orders: Orders<'_>) -> (Option<Choice>, Step) {
        let heard = std::mem::take(&mut self.telling).then_some(Choice::HeardStatus);
        let keys_follow = std::mem::take(&mut self.keys_follow);
        match (self.tell_news(orders), keys_follow) {
            ((_, Step::Stay), true) => (heard, Step::Say(vec![self.keys(orders)])),
            ((news, step), _) => (heard.or(news), step),
        }
    }

    /// Nothing was pressed, or the office did not answer, in [`patience`](Self::patience).
    pub fn silence(&mut self) -> (Option<Choice>, Step) {
        match self.stage {
            Stage::Telling | Stage::Confirming(_) => (Some(Choice::NoKey), Step::Queue(Vec::new())),
            Stage::Cancelling(order) => {
                let trouble = Phrase::CannotCancel(CannotCancel::Trouble);
                (Some(Choice::CannotCancel(order)), Step::Queue(vec![trouble]))
            }
            Stage::Settled => (Some(Choice::NoKey), Step::End),
        }
    }

    /// The office cancelled the order, or not. `orders` are as they are now.
    pub fn cancelled(
        &mut self,
        order: OrderId,
        result: Result<(), CancelRefused>,
        orders: Orders<'_>,
    ) -> (Option<Choice>, Step) {
        if self.stage != Stage::Cancelling(order) {
            return (None, Step::Stay);
        }
        match result {
            Ok(()) => {
                self.news.retain(|news| *news != order);
                self.stage = if orders.any() { Stage::Telling } else { Stage::Settled };
                let keys = self.keys(orders);
                (Some(Choice::CancelledOrder(order)), self.say(vec![Phrase::OrderCancelled, keys]))
            }
            Err(why) => {
                let why = match why {
                    CancelRefused::InTrip => CannotCancel::InTrip,
                    CancelRefused::Ended => CannotCancel::Ended,
                    CancelRefused::Trouble => CannotCancel::Trouble,
                };
                (Some(Choice::CannotCancel(order)), Step::Queue(vec![Phrase::CannotCancel(why)]))
            }
        }
    }

    /// An order changed. Told when the present sentence is over, at once where nothing is being said.
    pub fn changed(&mut self, order: OrderId, speaking: bool, orders: Orders<'_>) -> (Option<Choice>, Step) {
        if !self.news.contains(&order) {
            self.news.push(order);
        }
        if speaking { (None, Step::Stay) } else { self.tell_news(orders) }
    }

    fn tell_news(&mut self, orders: Orders<'_>) -> (Option<Choice>, Step) {
        // In the middle of a question it would confuse; it is told after the answer.
        if self.stage != Stage::Telling || self.news.is_empty() {
            return (None, Step::Stay);
        }
        let several = orders.told().len() > 1;
        let news = std::mem::take(&mut self.news);
        let mut said: Vec<Phrase> = news.iter().filter_map(|order| news_of(*order, several, orders)).collect();
        let Some(last) = news.last().filter(|_| !said.is_empty()) else { return (None, Step::Stay) };
        if !orders.any() {
            self.stage = Stage::Settled;
        }
        let last = *last;
        said.push(self.keys(orders));
        (Some(Choice::HeardChange(last)), self.say(said))
    }
}

/// What is told of an order that changed; nothing when it ended as it should.
#[must_use]
pub fn news_of(order: OrderId, several: bool, orders: Orders<'_>) -> Option<Phrase> {
    let order = orders.get(order)?;
    match order.state {
        State::Cancelled => Some(Phrase::OrderCancelled),
        State::Completed | State::False => None,
        State::Searching | State::Assigned | State::Arrived | State::InTrip | State::NotFound => {
            orders.status(order, several).map(Phrase::OrderChanged)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::Eta;

    const NOON: i64 = 1_795_338_000_000; // 2026-11-22 09:00 UTC, 12:00 in Moscow

    fn status(now: i64, order: &CallerOrder) -> Progress {
        let orders = Orders { all: std::slice::from_ref(order), now: Wall(now), utc_offset_minutes: 180 };
        orders.status(order, false).unwrap().progress
    }

    #[test]
    fn minutes_left_are_rounded_up_and_never_below_none() {
        let eta = Some(Eta { minutes: 5, made_at: Wall(NOON) });
        let order = CallerOrder { eta, ..CallerOrder::new(OrderId(1), State::Assigned, Wall(NOON)) };
        for (later_ms, left) in [(0, 5), (1, 5), (60_000, 4), (60_001, 4), (299_999, 1), (300_000, 0), (9_000_000, 0)] {
            assert_eq!(status(NOON + later_ms, &order), Progress::Assigned { minutes: Some(left) }, "{later_ms} ms");
        }
        let unknown = CallerOrder { eta: None, ..order };
        assert_eq!(status(NOON, &unknown), Progress::Assigned { minutes: None });
    }

    #[test]
    fn a_pre_order_is_told_by_the_clock_of_the_office() {
        let hours = |hours: i64| NOON + hours * 3_600_000;
        let booked = |at| CallerOrder {
            booked_for: Some(Wall(at)),
            ..CallerOrder::new(OrderId(1), State::Searching, Wall(NOON))
        };
        let told = |at| match status(NOON, &booked(at)) {
            Progress::Booked { at: LocalTime { day, hour, minute } } => (day, hour, minute),
            other => panic!("{other:?}"),
        };
        assert_eq!(told(hours(11)), (Day::Today, 23, 0));
        assert_eq!(told(hours(12) + 1_800_000), (Day::Tomorrow, 0, 30));
        assert_eq!(told(hours(36)), (Day::Date { day: 24, month: 11 }, 0, 0));
        assert_eq!(told(hours(24 * 9)), (Day::Date { day: 1, month: 12 }, 12, 0));
        // The leap day of 2028.
        assert_eq!(told(hours(24 * 464)), (Day::Date { day: 29, month: 2 }, 12, 0));
        assert_eq!(month_and_day(0), (1, 1));
    }
}
