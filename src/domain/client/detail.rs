//! One detail of a card: what may stand there, and how it is read and set.

use std::collections::BTreeSet;

use super::super::limit::{self, LONG, SHORT};
use super::super::phone::Phone;
use super::super::rejected::{Problem, Rejected};
use super::super::time::Wall;
use super::{CardCar, CardPhone, Client, Dates, Detail, Kind};

/// The highest level of conflict.
const MAX_CONFLICT: u8 = 3;
/// Numbers of a company: its employees.
const MAX_PHONES: usize = 1000;
const MAX_CARS: usize = 100;
const MAX_TAGS: usize = 100;
const MAX_DATES: usize = 100;
/// RFC 5321, 4.5.3.1.3: a path of 256 characters with its brackets.
const MAX_EMAIL: usize = 254;

impl Detail {
    /// As it is kept: canonical, checked, with the confirmation that the card already has for a known number or car.
    pub(super) fn checked(self, card: &Client, now: Wall) -> Result<Detail, Rejected> {
        match &self {
            Detail::Code(code) => limit::check_some("code", code, SHORT)?,
            Detail::Kind(Kind::Personal) => {}
            Detail::Kind(Kind::Corporate { company }) => limit::check_some("company", company, SHORT)?,
            Detail::Name(name) => [&name.surname, &name.name, &name.patronymic]
                .into_iter()
                .try_for_each(|part| limit::check("name", part, SHORT))?,
            Detail::Address(address) => address.as_ref().map_or(Ok(()), |address| address.check("address"))?,
            Detail::Email(email) => check_email(email)?,
            Detail::Note(note) => limit::check("note", note, LONG)?,
            Detail::Dates(dates) => check_dates(dates)?,
            Detail::Conflict(level) if *level > MAX_CONFLICT => {
                return Err(Rejected::Field { field: "conflict", problem: Problem::OutOfRange });
            }
            Detail::Discount(discount) => discount.map_or(Ok(()), super::super::fare::Discount::check)?,
            Detail::Conflict(_)
            | Detail::Tariff(_)
            | Detail::Language(_)
            | Detail::Notify(_)
            | Detail::Group(_)
            | Detail::Phones(_)
            | Detail::Cars(_)
            | Detail::Tags(_) => {}
        }
        Ok(match self {
            Detail::Phones(phones) => Detail::Phones(checked_phones(phones, card, now)?),
            Detail::Cars(cars) => Detail::Cars(checked_cars(cars, card, now)?),
            Detail::Tags(tags) => Detail::Tags(checked_tags(&tags)?),
            Detail::Code(_)
            | Detail::Kind(_)
            | Detail::Name(_)
            | Detail::Address(_)
            | Detail::Email(_)
            | Detail::Tariff(_)
            | Detail::Note(_)
            | Detail::Dates(_)
            | Detail::Language(_)
            | Detail::Notify(_)
            | Detail::Conflict(_)
            | Detail::Discount(_)
            | Detail::Group(_) => self,
        })
    }

    /// Whether a client may change it in the cabinet.
    pub(super) fn is_the_clients_own(&self) -> bool {
        match self {
            Detail::Name(_)
            | Detail::Phones(_)
            | Detail::Address(_)
            | Detail::Email(_)
            | Detail::Dates(_)
            | Detail::Language(_)
            | Detail::Notify(_)
            | Detail::Cars(_) => true,
            Detail::Code(_)
            | Detail::Kind(_)
            | Detail::Tariff(_)
            | Detail::Note(_)
            | Detail::Conflict(_)
            | Detail::Tags(_)
            | Detail::Discount(_)
            | Detail::Group(_) => false,
        }
    }
}

impl Client {
    /// The present value of what a detail would change.
    pub(super) fn get(&self, like: &Detail) -> Detail {
        match like {
            Detail::Code(_) => Detail::Code(self.code.clone()),
            Detail::Kind(_) => Detail::Kind(self.kind.clone()),
            Detail::Name(_) => Detail::Name(self.name.clone()),
            Detail::Phones(_) => Detail::Phones(self.phones.clone()),
            Detail::Address(_) => Detail::Address(self.address.clone()),
            Detail::Email(_) => Detail::Email(self.email.clone()),
            Detail::Tariff(_) => Detail::Tariff(self.tariff),
            Detail::Note(_) => Detail::Note(self.note.clone()),
            Detail::Dates(_) => Detail::Dates(self.dates.clone()),
            Detail::Language(_) => Detail::Language(self.language),
            Detail::Notify(_) => Detail::Notify(self.notify),
            Detail::Conflict(_) => Detail::Conflict(self.conflict),
            Detail::Cars(_) => Detail::Cars(self.cars.clone()),
            Detail::Tags(_) => Detail::Tags(self.tags.clone()),
            Detail::Discount(_) => Detail::Discount(self.discount),
            Detail::Group(_) => Detail::Group(self.group),
        }
    }

    pub(super) fn set(&mut self, detail: &Detail, now: Wall) {
        match detail.clone() {
            Detail::Code(code) => self.code = code,
            Detail::Kind(kind) => self.kind = kind,
            Detail::Name(name) => {
                self.name = name;
                self.confirmed.name = Some(now);
            }
            Detail::Phones(phones) => self.phones = phones,
            Detail::Address(address) => {
                self.address = address;
                self.confirmed.address = Some(now);
            }
            Detail::Email(email) => self.email = email,
            Detail::Tariff(tariff) => self.tariff = tariff,
            Detail::Note(note) => self.note = note,
            Detail::Dates(dates) => self.dates = dates,
            Detail::Language(language) => self.language = language,
            Detail::Notify(notify) => self.notify = notify,
            Detail::Conflict(level) => self.conflict = level,
            Detail::Cars(cars) => self.cars = cars,
            Detail::Tags(tags) => self.tags = tags,
            Detail::Discount(discount) => self.discount = discount,
            Detail::Group(group) => self.group = group,
        }
    }
}

fn checked_phones(phones: Vec<CardPhone>, card: &Client, now: Wall) -> Result<Vec<CardPhone>, Rejected> {
    limit::check_count("phones", phones.len(), MAX_PHONES)?;
    let mut seen = BTreeSet::new();
    phones
        .into_iter()
        .map(|phone| {
            limit::check("phones", &phone.label, SHORT)?;
            limit::check("phones", &phone.number, SHORT)?;
            let number = Phone::entered("phones", &phone.number)?.as_str().to_owned();
            if !seen.insert(number.clone()) {
                return Err(Rejected::Field { field: "phones", problem: Problem::Twice });
            }
            let known = card.phones.iter().find(|known| known.number == number);
            let confirmed_at = known.map_or(Some(now), |known| known.confirmed_at);
            Ok(CardPhone { number, label: phone.label, confirmed_at })
        })
        .collect()
}

fn checked_cars(cars: Vec<CardCar>, card: &Client, now: Wall) -> Result<Vec<CardCar>, Rejected> {
    limit::check_count("cars", cars.len(), MAX_CARS)?;
    let mut seen = BTreeSet::new();
    cars.into_iter()
        .map(|car| {
            car.car.check("cars")?;
            limit::check("cars", &car.vin, SHORT)?;
            if !seen.insert((car.car.plate.clone(), car.vin.clone())) {
                return Err(Rejected::Field { field: "cars", problem: Problem::Twice });
            }
            let known = card.cars.iter().find(|known| known.car.plate == car.car.plate && known.vin == car.vin);
            Ok(CardCar { confirmed_at: known.map_or(Some(now), |known| known.confirmed_at), ..car })
        })
        .collect()
}

fn checked_tags(tags: &BTreeSet<String>) -> Result<BTreeSet<String>, Rejected> {
    limit::check_count("tags", tags.len(), MAX_TAGS)?;
    tags.iter().try_for_each(|tag| limit::check_some("tags", tag, SHORT))?;
    Ok(tags.iter().map(|tag| tag.trim().to_owned()).collect())
}

fn check_dates(dates: &Dates) -> Result<(), Rejected> {
    limit::check_count("dates", dates.others.len(), MAX_DATES)?;
    dates.others.iter().try_for_each(|date| limit::check_some("dates", &date.label, SHORT))
}

/// Only what makes a letter undeliverable for certain; whether it arrives, only a letter can tell.
fn check_email(email: &str) -> Result<(), Rejected> {
    limit::check("email", email, MAX_EMAIL)?;
    let wrong = Err(Rejected::Field { field: "email", problem: Problem::NotAnEmail });
    if email.is_empty() {
        return Ok(());
    }
    match email.rsplit_once('@') {
        Some((name, host)) => {
            let fits = !name.is_empty() && !host.is_empty() && !email.chars().any(|c| c.is_whitespace() || c == ',');
            if fits && !name.contains('@') { Ok(()) } else { wrong }
        }
        None => wrong,
    }
}
