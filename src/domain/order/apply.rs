//! The state is the sum of the entries: the only place where an order changes.

use super::super::history::Entry;
use super::super::time::Wall;
use super::{Cancellation, Change, Detail, Driver, Eta, Event, Order, State, Wanted};
use crate::domain::address::Car;

/// An order as its history left it; none when the history does not begin with its creation.
#[must_use]
pub fn restore<'a>(entries: impl IntoIterator<Item = &'a Entry<Event>>) -> Option<Order> {
    let mut entries = entries.into_iter();
    let first = Order::created(entries.next()?)?;
    Some(entries.fold(first, Order::with))
}

impl Order {
    /// An order as its first entry makes it.
    pub(super) fn created(entry: &Entry<Event>) -> Option<Order> {
        let Event::Created { client, phone, passenger, from, to, wanted, tariff, payment, comment, estimate } =
            entry.event.clone()
        else {
            return None;
        };
        let mut order = Order {
            version: entry.version,
            state: State::Searching,
            client,
            phone,
            passenger,
            from,
            to,
            wanted,
            wake_at: None,
            tariff,
            payment,
            comment,
            estimate,
            car: None,
            driver: None,
            eta: None,
            fare: None,
            settlement: None,
            cancellation: None,
            created_by: entry.actor.clone(),
            source: entry.source,
            created_at: entry.at,
            searching_at: None,
            assigned_at: None,
            arrived_at: None,
            started_at: None,
            ended_at: None,
            searches: 0,
        };
        order.look_for_a_car(entry.at);
        Some(order)
    }

    /// After one more entry. Every entry that was ever accepted can be applied.
    #[must_use]
    pub(super) fn with(mut self, entry: &Entry<Event>) -> Order {
        self.version = entry.version;
        match &entry.event {
            // A history has one beginning; a second one changes nothing.
            Event::Created { .. } => {}
            Event::Woken => self.search(entry.at),
            Event::Assigned { car, driver, eta_minutes } | Event::Reassigned { car, driver, eta_minutes } => {
                self.assign(car, driver, *eta_minutes, entry.at);
            }
            Event::EtaChanged { eta_minutes } => self.eta = Some(Eta { minutes: *eta_minutes, made_at: entry.at }),
            Event::Released { reason: _ } => {
                self.state = State::Searching;
                (self.car, self.driver, self.eta, self.assigned_at) = (None, None, None, None);
                self.look_for_a_car(entry.at);
            }
            Event::CarArrived => {
                self.state = State::Arrived;
                self.arrived_at = Some(entry.at);
            }
            Event::Started => {
                self.state = State::InTrip;
                self.started_at = Some(entry.at);
            }
            Event::Finished { fare, settlement, calculation: _ } => {
                self.fare = Some(fare.clone());
                self.settlement = Some(*settlement);
                self.end(State::Completed, entry.at);
            }
            Event::CarNotFound => self.state = State::NotFound,
            Event::SearchedAgain => {
                self.state = State::Searching;
                self.search(entry.at);
            }
            Event::Cancelled { by, reason } => {
                self.cancellation = Some(Cancellation { by: *by, reason: reason.clone() });
                self.end(State::Cancelled, entry.at);
            }
            Event::ClientNoShow => self.end(State::False, entry.at),
            Event::Edited { changes } => {
                for Change { before: _, after } in changes {
                    self.set(after, entry.at);
                }
            }
        }
        self
    }

    fn assign(&mut self, car: &Car, driver: &Driver, eta_minutes: u16, at: Wall) {
        self.state = State::Assigned;
        self.wake_at = None;
        self.car = Some(car.clone());
        self.driver = Some(driver.clone());
        self.eta = Some(Eta { minutes: eta_minutes, made_at: at });
        self.assigned_at = Some(at);
    }

    fn end(&mut self, state: State, at: Wall) {
        self.state = state;
        self.wake_at = None;
        self.ended_at = Some(at);
    }

    /// Begins a search, now or when the pre-order is to be woken.
    fn look_for_a_car(&mut self, now: Wall) {
        self.wake_at = self.wanted.wake_at(now);
        self.searching_at = None;
        if self.wake_at.is_none() {
            self.search(now);
        }
    }

    fn search(&mut self, now: Wall) {
        self.wake_at = None;
        self.searching_at = Some(now);
        self.searches = self.searches.saturating_add(1);
    }

    fn set(&mut self, detail: &Detail, now: Wall) {
        match detail.clone() {
            Detail::Phone(phone) => self.phone = phone,
            Detail::Passenger(passenger) => self.passenger = passenger,
            Detail::From(from) => self.from = from,
            Detail::To(to) => self.to = to,
            Detail::Wanted(wanted) => {
                self.wanted = wanted;
                match (self.wanted.wake_at(now), self.searching_at) {
                    // A search that is under way goes on, whatever it is for now.
                    (None, Some(_)) => self.wake_at = None,
                    (_, None) | (Some(_), _) => self.look_for_a_car(now),
                }
            }
            Detail::Tariff(tariff) => self.tariff = tariff,
            Detail::Payment(payment) => self.payment = payment,
            Detail::Comment(comment) => self.comment = comment,
            Detail::Estimate(estimate) => self.estimate = estimate,
        }
    }

    /// The present value of what a detail would change.
    pub(super) fn get(&self, like: &Detail) -> Detail {
        match like {
            Detail::Phone(_) => Detail::Phone(self.phone.clone()),
            Detail::Passenger(_) => Detail::Passenger(self.passenger.clone()),
            Detail::From(_) => Detail::From(self.from.clone()),
            Detail::To(_) => Detail::To(self.to.clone()),
            Detail::Wanted(_) => Detail::Wanted(self.wanted),
            Detail::Tariff(_) => Detail::Tariff(self.tariff),
            Detail::Payment(_) => Detail::Payment(self.payment),
            Detail::Comment(_) => Detail::Comment(self.comment.clone()),
            Detail::Estimate(_) => Detail::Estimate(self.estimate),
        }
    }
}

impl Wanted {
    /// When the search is to begin, if that is not now.
    fn wake_at(self, now: Wall) -> Option<Wall> {
        match self {
            Wanted::Now => None,
            Wanted::At { at, lead_ms } => Some(at.plus_ms(lead_ms.saturating_neg())).filter(|wake_at| *wake_at > now),
        }
    }
}
