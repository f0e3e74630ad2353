//! What happened to an order. Kept as JSON for ever: names and shapes only ever grow.

use serde::{Deserialize, Serialize};

use super::super::address::{Address, Car};
use super::super::fare::{Calculation, Fare, Payment, Settlement};
use super::super::ids::{ClientId, TariffId};
use super::super::money::Kopecks;
use super::{CancelledBy, Driver, Wanted};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It was taken.
    Created {
        /// Whose.
        client: Option<ClientId>,
        /// The number to ring about it, canonical or empty.
        phone: String,
        /// Who rides, if it is not the client.
        passenger: String,
        /// Where the car goes first.
        from: Address,
        /// Where it goes from there.
        to: Vec<Address>,
        /// When.
        wanted: Wanted,
        /// By which tariff.
        tariff: Option<TariffId>,
        /// How it is paid.
        payment: Payment,
        /// For the driver.
        comment: String,
        /// What it will cost.
        estimate: Option<Kopecks>,
    },
    /// A pre-order's time came.
    Woken,
    /// A car was found.
    Assigned {
        /// Which.
        car: Car,
        /// Who drives it.
        driver: Driver,
        /// In how many minutes it will be there.
        eta_minutes: u16,
    },
    /// Another car instead.
    Reassigned {
        /// Which.
        car: Car,
        /// Who drives it.
        driver: Driver,
        /// In how many minutes it will be there.
        eta_minutes: u16,
    },
    /// The car comes earlier or later.
    EtaChanged {
        /// In so many minutes from now.
        eta_minutes: u16,
    },
    /// The car will not come; another one is looked for.
    Released {
        /// Why.
        reason: String,
    },
    /// The car is there.
    CarArrived,
    /// The client is in the car.
    Started,
    /// The trip is over.
    Finished {
        /// What it cost.
        fare: Fare,
        /// Out of what it was paid.
        settlement: Settlement,
        /// What the fare follows from; none for an agreed price.
        calculation: Option<Box<Calculation>>,
    },
    /// No car could be found.
    CarNotFound,
    /// The search goes on.
    SearchedAgain,
    /// Called off.
    Cancelled {
        /// On whose word.
        by: CancelledBy,
        /// Why.
        reason: String,
    },
    /// The client did not come out.
    ClientNoShow,
    /// Other things are to be done than before.
    Edited {
        /// Each with what it was.
        changes: Vec<Change>,
    },
}

impl Event {
    /// Its kind, as in JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Created { .. } => "created",
            Event::Woken => "woken",
            Event::Assigned { .. } => "assigned",
            Event::Reassigned { .. } => "reassigned",
            Event::EtaChanged { .. } => "eta_changed",
            Event::Released { .. } => "released",
            Event::CarArrived => "car_arrived",
            Event::Started => "started",
            Event::Finished { .. } => "finished",
            Event::CarNotFound => "car_not_found",
            Event::SearchedAgain => "searched_again",
            Event::Cancelled { .. } => "cancelled",
            Event::ClientNoShow => "client_no_show",
            Event::Edited { .. } => "edited",
        }
    }
}

/// One thing about an order that people may change while it lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(tag = "field", content = "value", rename_all = "snake_case")]
pub enum Detail {
    /// The number to ring about it.
    Phone(String),
    /// Who rides.
    Passenger(String),
    /// Where the car goes first; until it is there.
    From(Address),
    /// Where it goes from there; until the trip is over.
    To(Vec<Address>),
    /// When; while it has no car.
    Wanted(Wanted),
    /// By which tariff.
    Tariff(Option<TariffId>),
    /// How it is paid.
    Payment(Payment),
    /// For the driver.
    Comment(String),
    /// What it will cost.
    Estimate(Option<Kopecks>),
}

/// A detail that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Change {
    /// What it was.
    pub before: Detail,
    /// What it is now.
    pub after: Detail,
}
