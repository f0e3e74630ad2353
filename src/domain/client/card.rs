//! What the office knows of a client.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::super::address::{Address, Car};
use super::super::fare::Discount;
use super::super::history::{Actor, Source};
use super::super::ids::{ClientId, GroupId, TariffId};
use super::super::language::Language;
use super::super::notify::ClientNotify;
use super::super::time::{Date, Wall};

/// Personal or corporate. The numbers on a company's card are its employees'; they share account, discount and bonuses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// One person.
    #[default]
    Personal,
    /// A company.
    Corporate {
        /// Its name.
        company: String,
    },
}

/// A person's name; every part may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Name {
    /// Фамилия.
    pub surname: String,
    /// Имя.
    pub name: String,
    /// Отчество.
    pub patronymic: String,
}

impl Name {
    /// Surname, name, patronymic, as far as known.
    #[must_use]
    pub fn full(&self) -> String {
        let parts = [&self.surname, &self.name, &self.patronymic];
        parts.into_iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// A number of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CardPhone {
    /// Canonical.
    pub number: String,
    /// Whose or which: the employee's name, «домашний»; may be empty.
    pub label: String,
    /// When somebody last made sure of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Wall>,
}

/// A car of a client's own, for a car service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CardCar {
    /// Which.
    pub car: Car,
    /// Vehicle identification number; may be empty.
    pub vin: String,
    /// When somebody last made sure of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Wall>,
}

/// A day of the year that means something to the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NamedDate {
    /// What it is: «годовщина свадьбы».
    pub label: String,
    /// The first time.
    pub date: Date,
}

/// Days on which the client is to be thought of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Dates {
    /// Day of birth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthday: Option<Date>,
    /// Others.
    pub others: Vec<NamedDate>,
}

/// Why a client cannot call, order on the site or log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Block {
    /// Why, for people.
    pub reason: String,
    /// Since when.
    pub at: Wall,
    /// By whom.
    pub by: Actor,
}

/// When somebody last made sure of the data that "check this" asks for; kept apart from what phones and cars know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Since {
    /// Of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Wall>,
    /// Of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Wall>,
}

/// A client's card. Counters and balances are not in it: they change with every trip, and a dispatcher who is writing a
/// note shall not be refused for that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Client {
    /// Grows by one with each accepted command that changed something.
    pub version: u64,
    /// The card's id as people know it: the first number, or whatever the office chose.
    pub code: String,
    /// Personal or corporate.
    pub kind: Kind,
    /// The person's name; for a company, whom to ask for.
    pub name: Name,
    /// Numbers; the first is the main one.
    pub phones: Vec<CardPhone>,
    /// Where the client lives or works.
    pub address: Option<Address>,
    /// Empty if not known.
    pub email: String,
    /// The tariff for new orders; none for that of the group.
    pub tariff: Option<TariffId>,
    /// Shown when an order is taken.
    pub note: String,
    /// Days to think of the client.
    pub dates: Dates,
    /// Spoken and written; none for the office's.
    pub language: Option<Language>,
    /// Own wishes about being informed.
    pub notify: ClientNotify,
    /// Blocked.
    pub blocked: Option<Block>,
    /// From 0, none, to 3, dangerous.
    #[cfg_attr(feature = "shell", schema(maximum = 3))]
    pub conflict: u8,
    /// Cars, for a car service.
    pub cars: Vec<CardCar>,
    /// Free words.
    pub tags: BTreeSet<String>,
    /// Own discount; none for that of the group.
    pub discount: Option<Discount>,
    /// Group; none for the office's default.
    pub group: Option<GroupId>,
    /// Who brought this client.
    pub referred_by: Option<ClientId>,
    /// When data were last made sure of.
    pub confirmed: Since,
    /// By which way the card was made.
    pub source: Source,
    /// When.
    pub created_at: Wall,
    /// Cards that were merged into this one.
    pub merged_from: Vec<ClientId>,
    /// The card that this one was merged into; nothing can be changed here then.
    pub merged_into: Option<ClientId>,
    /// When the data were erased on the client's request; nothing can be changed then.
    pub erased_at: Option<Wall>,
}

impl Client {
    /// The main number; empty if there is none.
    #[must_use]
    pub fn phone(&self) -> &str {
        self.phones.first().map_or("", |phone| phone.number.as_str())
    }

    /// What a list or a screen calls the client: the company, the person, or the number.
    #[must_use]
    pub fn title(&self) -> String {
        let name = self.name.full();
        match &self.kind {
            Kind::Corporate { company } if !company.trim().is_empty() => company.clone(),
            Kind::Corporate { .. } | Kind::Personal if !name.is_empty() => name,
            Kind::Corporate { .. } | Kind::Personal => self.phone().to_owned(),
        }
    }

    /// Whether the client may call, order on the site or log in.
    #[must_use]
    pub fn standing(&self) -> super::super::order::Standing {
        super::super::order::Standing { blocked: self.blocked.is_some() }
    }
}
