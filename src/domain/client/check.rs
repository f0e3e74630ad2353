//! "Check this": data of a card that are missing or old, for the dispatcher to ask about.

use serde::{Deserialize, Serialize};

use super::super::time::Wall;
use super::{Client, Kind};

/// What is to be made sure of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Doubt {
    /// The client's name.
    Name,
    /// The address.
    Address,
    /// A number.
    Phone {
        /// Which, canonical; empty when there is none.
        number: String,
    },
    /// A car.
    Car {
        /// Its plate; empty when there is none.
        plate: String,
    },
}

/// A hint for the dispatcher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Check {
    /// What to ask about.
    pub what: Doubt,
    /// It is not known at all.
    pub missing: bool,
    /// When somebody last made sure of it, if ever.
    pub confirmed_at: Option<Wall>,
}

/// What an office asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CheckRules {
    /// Data are old after so many days.
    pub max_age_days: u16,
    /// Ask for a name.
    pub name: bool,
    /// Ask for an address.
    pub address: bool,
    /// Make sure of numbers.
    pub phones: bool,
    /// Ask for a car (a car service).
    pub cars: bool,
}

impl Default for CheckRules {
    /// A taxi's: name, address, numbers; once a year.
    fn default() -> Self {
        CheckRules { max_age_days: 365, name: true, address: true, phones: true, cars: false }
    }
}

/// What is missing or old on a card. Data that nobody ever confirmed are as old as the card.
#[must_use]
pub fn checks(client: &Client, rules: &CheckRules, now: Wall) -> Vec<Check> {
    if client.merged_into.is_some() || client.erased_at.is_some() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut ask = |wanted: bool, what: Doubt, missing: bool, confirmed_at: Option<Wall>| {
        let known_since = confirmed_at.unwrap_or(client.created_at);
        let days = now.since(known_since).as_secs() / 86_400;
        if wanted && (missing || days >= u64::from(rules.max_age_days)) {
            found.push(Check { what, missing, confirmed_at });
        }
    };
    let nameless = match &client.kind {
        Kind::Personal => client.name.full().is_empty(),
        Kind::Corporate { company } => company.trim().is_empty(),
    };
    ask(rules.name, Doubt::Name, nameless, client.confirmed.name);
    ask(rules.address, Doubt::Address, client.address.is_none(), client.confirmed.address);
    if client.phones.is_empty() {
        ask(rules.phones, Doubt::Phone { number: String::new() }, true, None);
    }
    for phone in &client.phones {
        ask(rules.phones, Doubt::Phone { number: phone.number.clone() }, false, phone.confirmed_at);
    }
    if client.cars.is_empty() {
        ask(rules.cars, Doubt::Car { plate: String::new() }, true, None);
    }
    for car in &client.cars {
        ask(rules.cars, Doubt::Car { plate: car.car.plate.clone() }, false, car.confirmed_at);
    }
    found
}
