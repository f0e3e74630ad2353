//! What can be wanted of an order.

use serde::{Deserialize, Serialize};

use super::super::address::{Address, Car};
use super::super::fare::{Calculation, Discount, Funds, Payment};
use super::super::ids::{ClientId, TariffId};
use super::super::language::Language;
use super::super::money::Kopecks;
use super::{Detail, Driver, Wanted};

/// A new order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// Whose.
    pub client: Option<ClientId>,
    /// How that client stands with the office, read in the same transaction.
    pub standing: Standing,
    /// The number to ring about it, in whatever form; may be empty.
    pub phone: String,
    /// Who rides, if it is not the client.
    pub passenger: String,
    /// Where the car goes first.
    pub from: Address,
    /// Where it goes from there.
    pub to: Vec<Address>,
    /// When.
    pub wanted: Wanted,
    /// By which tariff.
    pub tariff: Option<TariffId>,
    /// How it is paid.
    pub payment: Payment,
    /// For the driver.
    pub comment: String,
    /// What it will cost, as the client was told.
    pub estimate: Option<Kopecks>,
}

/// Whether a client may order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The card is blocked.
    pub blocked: bool,
}

/// On whose word an order is called off. A dispatcher who cancels because the client asked says `Client`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CancelledBy {
    /// The client's.
    Client,
    /// The dispatcher's.
    Dispatcher,
    /// The driver's.
    Driver,
    /// The office's.
    Office,
}

/// What a trip costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Price {
    /// By tariff and taximeter.
    Calculated(Box<Calculation>),
    /// Agreed beforehand, or told by an outside system.
    Fixed(Kopecks),
}

/// What the end of a trip needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    /// The price before any discount.
    pub price: Price,
    /// The client's discount.
    pub discount: Option<Discount>,
    /// What the client has on the accounts, read in the same transaction.
    pub funds: Funds,
}

/// What can be wanted of an order that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A pre-order's time has come: look for a car.
    Wake,
    /// A car was found.
    Assign {
        /// Which.
        car: Car,
        /// Who drives it.
        driver: Driver,
        /// In how many minutes it will be there.
        eta_minutes: u16,
    },
    /// Another car instead.
    Reassign {
        /// Which.
        car: Car,
        /// Who drives it.
        driver: Driver,
        /// In how many minutes it will be there.
        eta_minutes: u16,
    },
    /// The car comes earlier or later.
    ChangeEta {
        /// In so many minutes from now.
        eta_minutes: u16,
    },
    /// The car will not come: look for another one.
    Release {
        /// Why, for people; may be empty.
        reason: String,
    },
    /// The car is there.
    Arrive,
    /// The client is in the car.
    Start,
    /// The trip is over.
    Finish(Finish),
    /// No car could be found.
    NoCar,
    /// The client wants the search to go on.
    SearchAgain,
    /// Call it off.
    Cancel {
        /// On whose word.
        by: CancelledBy,
        /// Why, for people; may be empty.
        reason: String,
    },
    /// The client did not come out.
    NoShow,
    /// Change what is to be done. Later ones of the same kind win.
    Edit(Vec<Detail>),
}

/// The name of what was wanted, for a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// [`create`](super::create)
    Create,
    /// [`Command::Wake`]
    Wake,
    /// [`Command::Assign`]
    Assign,
    /// [`Command::Reassign`]
    Reassign,
    /// [`Command::ChangeEta`]
    ChangeEta,
    /// [`Command::Release`]
    Release,
    /// [`Command::Arrive`]
    Arrive,
    /// [`Command::Start`]
    Start,
    /// [`Command::Finish`]
    Finish,
    /// [`Command::NoCar`]
    NoCar,
    /// [`Command::SearchAgain`]
    SearchAgain,
    /// [`Command::Cancel`]
    Cancel,
    /// [`Command::NoShow`]
    NoShow,
    /// [`Command::Edit`]
    Edit,
}

impl Command {
    /// Its name.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Command::Wake => Action::Wake,
            Command::Assign { .. } => Action::Assign,
            Command::Reassign { .. } => Action::Reassign,
            Command::ChangeEta { .. } => Action::ChangeEta,
            Command::Release { .. } => Action::Release,
            Command::Arrive => Action::Arrive,
            Command::Start => Action::Start,
            Command::Finish(_) => Action::Finish,
            Command::NoCar => Action::NoCar,
            Command::SearchAgain => Action::SearchAgain,
            Command::Cancel { .. } => Action::Cancel,
            Command::NoShow => Action::NoShow,
            Command::Edit(_) => Action::Edit,
        }
    }
}

impl Action {
    /// The end of a sentence that begins with "cannot".
    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::Ru, Action::Create) => "принять заказ",
            (Language::Ru, Action::Wake) => "начать поиск по предварительному заказу",
            (Language::Ru, Action::Assign) => "назначить машину",
            (Language::Ru, Action::Reassign) => "сменить машину",
            (Language::Ru, Action::ChangeEta) => "изменить время подачи",
            (Language::Ru, Action::Release) => "снять машину с заказа",
            (Language::Ru, Action::Arrive) => "отметить прибытие машины",
            (Language::Ru, Action::Start) => "начать поездку",
            (Language::Ru, Action::Finish) => "завершить поездку",
            (Language::Ru, Action::NoCar) => "отметить, что машины нет",
            (Language::Ru, Action::SearchAgain) => "продолжить поиск машины",
            (Language::Ru, Action::Cancel) => "отменить заказ",
            (Language::Ru, Action::NoShow) => "отметить заказ ложным",
            (Language::Ru, Action::Edit) => "изменить заказ",
            (Language::En, Action::Create) => "take the order",
            (Language::En, Action::Wake) => "begin the search for the pre-order",
            (Language::En, Action::Assign) => "assign a car",
            (Language::En, Action::Reassign) => "assign another car",
            (Language::En, Action::ChangeEta) => "change the time of arrival",
            (Language::En, Action::Release) => "take the car off the order",
            (Language::En, Action::Arrive) => "mark the car as arrived",
            (Language::En, Action::Start) => "start the trip",
            (Language::En, Action::Finish) => "finish the trip",
            (Language::En, Action::NoCar) => "mark that no car was found",
            (Language::En, Action::SearchAgain) => "go on searching",
            (Language::En, Action::Cancel) => "cancel the order",
            (Language::En, Action::NoShow) => "mark the order as false",
            (Language::En, Action::Edit) => "change the order",
        }
    }
}
