//! What a client whom the office calls is told, and what the keys do then: 2 (or star) says it again, 1 (or 0) leads to
//! an agent. Where no car was found, 1 goes on looking for one, 2 cancels, 0 leads to an agent.
//!
//! The essential part is a prompt of its own, the first: who hears it to its end, or presses a key, has been told.

use std::time::Duration;

use super::order_status::{Orders, Step};
use super::{Choice, MOST_WRONG};
use crate::domain::ids::OrderId;
use crate::domain::notify::Occasion;
use crate::domain::order::State;
use crate::engine::event::CancelRefused;
use crate::speech::Phrase;
use crate::speech::order::CannotCancel;

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// How an order stands now.
    Order {
        /// Which.
        order: OrderId,
        /// What happened when the call was wanted.
        occasion: Occasion,
    },
    /// The client called and hung up while waiting.
    Lost,
    /// Words of the office's own.
    Words(String),
}

/// What the keys mean after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// Again, or an agent.
    Plain,
    /// Look again, cancel, or an agent.
    NotFound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Hears it, may press a key.
    Telling,
    /// The office is asked to cancel the order.
    Cancelling(OrderId),
    /// The office is asked to look again.
    Searching(OrderId),
    /// All is settled.
    Settled,
}

/// One client's way through it.
#[derive(Clone, Debug)]
pub struct Announcement {
    subject: Subject,
    stage: Stage,
    keys: Keys,
    /// The prompt that is being played is the essential part.
    essential: bool,
    /// What the keys do is still to be said.
    keys_follow: bool,
    /// The order changed while it was being told.
    news: bool,
    wrong: u8,
}

impl Announcement {
    /// Begins with what there is to tell.
    #[must_use]
    pub fn begin(subject: Subject, orders: Orders<'_>) -> (Announcement, Step) {
        let mut told = Announcement {
            subject,
            stage: Stage::Telling,
            keys: Keys::Plain,
            essential: false,
            keys_follow: false,
            news: false,
            wrong: 0,
        };
        let step = match told.tell(orders) {
            Step::Say(said) => Step::Say([Phrase::Hello].into_iter().chain(said).collect()),
            other => other,
        };
        (told, step)
    }

    /// How long a key, or an answer of the office, is waited for.
    #[must_use]
    pub fn patience(&self) -> Duration {
        match self.stage {
            Stage::Telling => Duration::from_secs(5),
            Stage::Cancelling(_) | Stage::Searching(_) | Stage::Settled => Duration::from_secs(4),
        }
    }

    /// The order that is being cancelled.
    #[must_use]
    pub fn cancelling(&self) -> Option<OrderId> {
        match self.stage {
            Stage::Cancelling(order) | Stage::Searching(order) => Some(order),
            Stage::Telling | Stage::Settled => None,
        }
    }

    /// The order that it is about.
    #[must_use]
    pub fn order(&self) -> Option<OrderId> {
        match &self.subject {
            Subject::Order { order, .. } => Some(*order),
            Subject::Lost | Subject::Words(_) => None,
        }
    }

    fn tell(&mut self, orders: Orders<'_>) -> Step {
        self.stage = Stage::Telling;
        self.keys = Keys::Plain;
        self.news = false;
        let said = match &self.subject {
            Subject::Lost => vec![Phrase::MissedCall],
            Subject::Words(words) => vec![Phrase::Free(words.clone())],
            Subject::Order { order, occasion } => {
                let known = orders.all.iter().find(|known| known.order == *order);
                let status = known.and_then(|known| orders.status(known, false)).map(Phrase::Order);
                match known.map(|known| known.state) {
                    Some(State::NotFound) => {
                        self.keys = Keys::NotFound;
                        status.into_iter().collect()
                    }
                    Some(State::Assigned) if *occasion == Occasion::EtaChanged => {
                        [Phrase::EtaMoved].into_iter().chain(status).collect()
                    }
                    Some(State::Arrived) => {
                        let free = known.and_then(|known| known.free_minutes).filter(|minutes| *minutes > 0);
                        status.into_iter().chain(free.map(|minutes| Phrase::FreeWaiting { minutes })).collect()
                    }
                    Some(State::Searching | State::Assigned | State::InTrip) => status.into_iter().collect(),
                    Some(State::Cancelled | State::False) => vec![Phrase::CalledOff],
                    Some(State::Completed) | None => {
                        vec![Phrase::TripOver(known.map(|known| known.trip).unwrap_or_default())]
                    }
                }
            }
        };
        self.essential = true;
        self.keys_follow = true;
        Step::Say(said)
    }

    fn say(&mut self, phrases: Vec<Phrase>) -> Step {
        self.essential = false;
        self.keys_follow = false;
        Step::Say(phrases)
    }

    fn keys(&self) -> Phrase {
        match self.keys {
            Keys::Plain => Phrase::AnnouncementKeys,
            Keys::NotFound => Phrase::NotFoundKeys,
        }
    }

    /// A key was pressed.
    pub fn key(&mut self, key: char, orders: Orders<'_>) -> (Option<Choice>, Step) {
        match (self.stage, self.keys, key) {
            // The answer comes in a moment; what is pressed meanwhile was meant for the question before.
            (Stage::Cancelling(_) | Stage::Searching(_), _, _) => (None, Step::Stay),
            (Stage::Telling, Keys::NotFound, '1') => match self.order() {
                Some(order) => {
                    self.stage = Stage::Searching(order);
                    (None, Step::SearchAgain(order))
                }
                None => (Some(Choice::WantsAgent), Step::Queue(Vec::new())),
            },
            (Stage::Telling, Keys::NotFound, '2') => match self.order() {
                Some(order) => {
                    self.stage = Stage::Cancelling(order);
                    (None, Step::Cancel(order))
                }
                None => (Some(Choice::WantsAgent), Step::Queue(Vec::new())),
            },
            (_, _, '0') | (_, Keys::Plain, '1') | (Stage::Settled, _, '1') => {
                (Some(Choice::WantsAgent), Step::Queue(Vec::new()))
            }
            (Stage::Telling, Keys::Plain, '2') | (Stage::Telling, _, '*') => {
                (Some(Choice::Repeated), self.tell(orders))
            }
            (Stage::Telling | Stage::Settled, _, other) => {
                self.wrong += 1;
                let step = if self.wrong >= MOST_WRONG {
                    Step::Queue(Vec::new())
                } else {
                    let keys = self.keys();
                    self.say(vec![Phrase::WrongKey, keys])
                };
                (Some(Choice::WrongKey(other)), step)
            }
        }
    }

    /// The prompt is over; `whole`: it was played to its end.
    pub fn heard(&mut self, whole: bool, orders: Orders<'_>) -> (Option<Choice>, Step) {
        let heard = (std::mem::take(&mut self.essential) && whole).then_some(Choice::HeardStatus);
        if std::mem::take(&mut self.news) && self.stage == Stage::Telling {
            return (None, self.tell(orders));
        }
        match self.stage {
            Stage::Settled => (heard, Step::End),
            Stage::Telling if std::mem::take(&mut self.keys_follow) => (heard, Step::Say(vec![self.keys()])),
            Stage::Telling | Stage::Cancelling(_) | Stage::Searching(_) => (heard, Step::Stay),
        }
    }

    /// Nothing was pressed, or the office did not answer, in [`patience`](Self::patience).
    pub fn silence(&mut self) -> (Option<Choice>, Step) {
        match self.stage {
            Stage::Telling | Stage::Settled => (Some(Choice::NoKey), Step::End),
            Stage::Cancelling(order) | Stage::Searching(order) => self.trouble(order),
        }
    }

    fn trouble(&mut self, order: OrderId) -> (Option<Choice>, Step) {
        self.stage = Stage::Settled;
        (Some(Choice::CannotCancel(order)), Step::Queue(vec![Phrase::Error]))
    }

    /// The office did what the client wanted of the order, or not.
    pub fn done(
        &mut self,
        order: OrderId,
        result: Result<(), CancelRefused>,
        orders: Orders<'_>,
    ) -> (Option<Choice>, Step) {
        match (self.stage, result) {
            (Stage::Cancelling(asked), Ok(())) if asked == order => {
                self.stage = Stage::Settled;
                (Some(Choice::CancelledOrder(order)), self.say(vec![Phrase::OrderCancelled]))
            }
            (Stage::Searching(asked), Ok(())) if asked == order => {
                self.stage = Stage::Settled;
                (Some(Choice::SearchesAgain(order)), self.say(vec![Phrase::SearchesAgain]))
            }
            (Stage::Cancelling(asked) | Stage::Searching(asked), Err(CancelRefused::Ended | CancelRefused::InTrip))
                if asked == order =>
            {
                // It has changed meanwhile: how it stands now is what matters.
                (Some(Choice::CannotCancel(order)), self.tell(orders))
            }
            (Stage::Cancelling(asked) | Stage::Searching(asked), Err(CancelRefused::Trouble)) if asked == order => {
                let (choice, _) = self.trouble(order);
                (choice, Step::Queue(vec![Phrase::CannotCancel(CannotCancel::Trouble)]))
            }
            (Stage::Telling | Stage::Cancelling(_) | Stage::Searching(_) | Stage::Settled, _) => (None, Step::Stay),
        }
    }

    /// The order changed while its client is on the line.
    pub fn changed(&mut self, order: OrderId, speaking: bool, orders: Orders<'_>) -> (Option<Choice>, Step) {
        if self.order() != Some(order) || self.stage != Stage::Telling {
            return (None, Step::Stay);
        }
        if speaking {
            self.news = true;
            return (None, Step::Stay);
        }
        (Some(Choice::HeardChange(order)), self.tell(orders))
    }
}
