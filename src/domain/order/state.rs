//! What an order is.

use serde::{Deserialize, Serialize};

use super::super::address::{Address, Car};
use super::super::fare::{Fare, Payment, Settlement};
use super::super::history::{Actor, Source};
use super::super::ids::{ClientId, TariffId};
use super::super::language::Language;
use super::super::limit::{self, SHORT};
use super::super::money::Kopecks;
use super::super::rejected::Rejected;
use super::super::time::Wall;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A car is looked for, or the pre-order waits for its time.
    Searching,
    /// A car is on its way to the client.
    Assigned,
    /// The car waits for the client.
    Arrived,
    /// The client is in the car.
    InTrip,
    /// The trip is over and paid for.
    Completed,
    /// No car was found; the client decides whether to go on.
    NotFound,
    /// Called off.
    Cancelled,
    /// The client did not come out («ложный заказ»).
    False,
}

impl State {
    /// All of them.
    pub const ALL: [State; 8] = [
        State::Searching,
        State::Assigned,
        State::Arrived,
        State::InTrip,
        State::Completed,
        State::NotFound,
        State::Cancelled,
        State::False,
    ];

    /// As it stands in JSON and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Searching => "searching",
            State::Assigned => "assigned",
            State::Arrived => "arrived",
            State::InTrip => "in_trip",
            State::Completed => "completed",
            State::NotFound => "not_found",
            State::Cancelled => "cancelled",
            State::False => "false",
        }
    }

    /// Reads [`as_str`](State::as_str).
    #[must_use]
    pub fn parse(text: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing can happen to it any more.
    #[must_use]
    pub fn is_ended(self) -> bool {
        match self {
            State::Completed | State::Cancelled | State::False => true,
            State::Searching | State::Assigned | State::Arrived | State::InTrip | State::NotFound => false,
        }
    }

    /// Whether somebody is working on it: a caller with such an order is told how it stands.
    #[must_use]
    pub fn is_active(self) -> bool {
        match self {
            State::Searching | State::Assigned | State::Arrived | State::InTrip => true,
            State::Completed | State::Cancelled | State::False | State::NotFound => false,
        }
    }

    /// The end of a sentence that begins with "the order".
    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::Ru, State::Searching) => "ещё без машины",
            (Language::Ru, State::Assigned) => "уже назначен машине",
            (Language::Ru, State::Arrived) => "ждёт клиента: машина на месте",
            (Language::Ru, State::InTrip) => "выполняется: клиент в машине",
            (Language::Ru, State::Completed) => "уже выполнен",
            (Language::Ru, State::NotFound) => "остался без машины",
            (Language::Ru, State::Cancelled) => "уже отменён",
            (Language::Ru, State::False) => "закрыт как ложный",
            (Language::En, State::Searching) => "has no car yet",
            (Language::En, State::Assigned) => "has a car assigned",
            (Language::En, State::Arrived) => "has its car waiting at the address",
            (Language::En, State::InTrip) => "is under way with the client in the car",
            (Language::En, State::Completed) => "is completed",
            (Language::En, State::NotFound) => "found no car",
            (Language::En, State::Cancelled) => "is cancelled",
            (Language::En, State::False) => "is closed as false",
        }
    }
}

/// When the car is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Wanted {
    /// As soon as can be.
    Now,
    /// At a certain time: a pre-order.
    At {
        /// When the car is to be there.
        at: Wall,
        /// How long before that the search begins, milliseconds, at most a day.
        #[cfg_attr(feature = "shell", schema(minimum = 0, maximum = 86_400_000))]
        lead_ms: i64,
    },
}

/// Who drives.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Driver {
    /// The driver's name in the outside dispatch system or terminal; empty if there is none.
    pub code: String,
    /// Name, as the client is told.
    pub name: String,
    /// Telephone, canonical; empty if not known.
    pub phone: String,
}

impl Driver {
    pub(super) fn check(&self) -> Result<(), Rejected> {
        [&self.code, &self.name, &self.phone].into_iter().try_for_each(|part| limit::check("driver", part, SHORT))
    }
}

/// When the car will be there, as promised at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Eta {
    /// In so many minutes.
    pub minutes: u16,
    /// From this moment.
    pub made_at: Wall,
}

impl Eta {
    /// The promised moment.
    #[must_use]
    pub fn at(self) -> Wall {
        self.made_at.plus_ms(i64::from(self.minutes) * 60_000)
    }

    /// Whole minutes left, rounded up; zero when it is due or late.
    #[must_use]
    pub fn minutes_left(self, now: Wall) -> u16 {
        let left = self.at().since(now).as_millis().div_ceil(60_000);
        u16::try_from(left).unwrap_or(u16::MAX)
    }
}

/// Who called an order off, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Cancellation {
    /// On whose word.
    pub by: super::CancelledBy,
    /// Why, for people; may be empty.
    pub reason: String,
}

/// An order. Made by [`create`](super::create), changed by [`handle`](super::handle), rebuilt by
/// [`restore`](super::restore); the number of its row is kept by whoever keeps the row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Order {
    /// Grows by one with each accepted command that changed something.
    pub version: u64,
    /// Where it stands.
    pub state: State,
    /// Whose it is; none for a caller with a hidden number who has no card.
    pub client: Option<ClientId>,
    /// The number to ring about it, canonical; empty if there is none.
    pub phone: String,
    /// Who rides, if it is not the client of the card.
    pub passenger: String,
    /// Where the car goes first.
    pub from: Address,
    /// Where it goes from there, the last is the destination; may be empty.
    pub to: Vec<Address>,
    /// When.
    pub wanted: Wanted,
    /// When a pre-order is to be woken; none once it is awake.
    pub wake_at: Option<Wall>,
    /// By which tariff.
    pub tariff: Option<TariffId>,
    /// How it is paid.
    pub payment: Payment,
    /// For the driver.
    pub comment: String,
    /// What it will cost, as the client was told.
    pub estimate: Option<Kopecks>,
    /// The car, from assignment on; stays after the end.
    pub car: Option<Car>,
    /// Who drives it.
    pub driver: Option<Driver>,
    /// When the car will be there.
    pub eta: Option<Eta>,
    /// What it cost, when it is completed.
    pub fare: Option<Fare>,
    /// Out of what it was paid.
    pub settlement: Option<Settlement>,
    /// Who called it off.
    pub cancellation: Option<Cancellation>,
    /// Who made it.
    pub created_by: Actor,
    /// By which way it came.
    pub source: Source,
    /// When it was made.
    pub created_at: Wall,
    /// Since when a car is or was last looked for.
    pub searching_at: Option<Wall>,
    /// When a car was last assigned.
    pub assigned_at: Option<Wall>,
    /// When the car arrived.
    pub arrived_at: Option<Wall>,
    /// When the trip began.
    pub started_at: Option<Wall>,
    /// When it ended, however it did.
    pub ended_at: Option<Wall>,
    /// How often a car was looked for.
    pub searches: u32,
}

impl Order {
    /// Whether it is a pre-order that nobody needs to care for yet.
    #[must_use]
    pub fn is_asleep(&self) -> bool {
        self.state == State::Searching && self.wake_at.is_some()
    }

    /// How long the car waited for the client until `now` or the start, milliseconds. A car that came before the time
    /// of a pre-order waits from that time on.
    #[must_use]
    pub fn waited_ms(&self, now: Wall) -> u64 {
        let Some(arrived) = self.arrived_at else { return 0 };
        let from = match self.wanted {
            Wanted::Now => arrived,
            Wanted::At { at, lead_ms: _ } => arrived.max(at),
        };
        let until = self.started_at.or(self.ended_at).unwrap_or(now);
        u64::try_from(until.since(from).as_millis()).unwrap_or(u64::MAX)
    }
}
