//! Merging two cards of one person: nothing is lost, and it can be looked back at.

use super::super::address::Address;
use super::super::history::{By, Entry};
use super::super::ids::ClientId;
use super::super::ledger::{self, Balances, Transferred};
use super::super::rejected::Rejected;
use super::super::time::Wall;
use super::decide::changes;
use super::{Client, Counters, Detail, Event, Name};

/// One of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Which card.
    pub id: ClientId,
    /// The card.
    pub card: Client,
    /// Its counters.
    pub counters: Counters,
    /// Its balances.
    pub balances: Balances,
}

/// What a merge makes; to be written in one transaction. Orders, calls and other contacts of the other card are found
/// through its `merged_into`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The card that stays.
    pub card: Client,
    /// The entry of its history.
    pub entry: Entry<Event>,
    /// The counters of both together, for the card that stays. The other card's become zero.
    pub counters: Counters,
    /// The card that went in.
    pub other: Client,
    /// The entry of its history.
    pub other_entry: Entry<Event>,
    /// What moves between the ledgers: from the other card to the one that stays.
    pub money: Transferred,
}

/// Takes `other` into `keeper`. What the keeper knows stays; what it does not know comes from the other; lists and notes
/// are joined. `by.expected` is the keeper's version, `other_expected` the other's.
///
/// # Errors
/// [`Rejected::NothingToDo`] for a card and itself, [`Rejected::Stale`], [`Rejected::Merged`], [`Rejected::Erased`],
/// [`Rejected::Field`] when the joined lists are too long, and those of money.
pub fn merge(keeper: &Side, other: &Side, other_expected: Option<u64>, by: &By, now: Wall) -> Result<Merged, Rejected> {
    if keeper.id == other.id {
        return Err(Rejected::NothingToDo);
    }
    keeper.card.check_open()?;
    other.card.check_open()?;
    by.check(keeper.card.version)?;
    let other_by = By { expected: other_expected, ..by.clone() };
    other_by.check(other.card.version)?;
    let changes = changes(&keeper.card, joined(&keeper.card, &other.card), now)?;
    let absorbed = Event::Absorbed { other: other.id, card: Box::new(other.card.clone()), changes };
    let entry = by.entry(keeper.card.version, now, absorbed);
    let other_entry = by.entry(other.card.version, now, Event::MergedInto { client: keeper.id });
    // Ids, not codes: a ledger outlives the erasing of a client, and a code is mostly a number.
    let comment = format!("{} → {}", other.id, keeper.id);
    Ok(Merged {
        card: keeper.card.clone().with(&entry),
        entry,
        counters: keeper.counters.plus(other.counters),
        other: other.card.clone().with(&other_entry),
        other_entry,
        money: ledger::transfer(&other.balances, &keeper.balances, &comment, by, now)?,
    })
}

fn joined(keeper: &Client, other: &Client) -> Vec<Detail> {
    let mut phones = keeper.phones.clone();
    for phone in &other.phones {
        if !phones.iter().any(|known| known.number == phone.number) {
            phones.push(phone.clone());
        }
    }
    let mut cars = keeper.cars.clone();
    for car in &other.cars {
        if !cars.iter().any(|known| known.car.plate == car.car.plate && known.vin == car.vin) {
            cars.push(car.clone());
        }
    }
    let mut dates = keeper.dates.clone();
    dates.birthday = dates.birthday.or(other.dates.birthday);
    for date in &other.dates.others {
        if !dates.others.contains(date) {
            dates.others.push(date.clone());
        }
    }
    let (mine, theirs) = (keeper.notify, other.notify);
    let notify = super::super::notify::ClientNotify {
        assigned: mine.assigned.or(theirs.assigned),
        eta_changed: mine.eta_changed.or(theirs.eta_changed),
        arrived: mine.arrived.or(theirs.arrived),
        not_found: mine.not_found.or(theirs.not_found),
        closed: mine.closed.or(theirs.closed),
        cancelled: mine.cancelled.or(theirs.cancelled),
    };
    vec![
        Detail::Name(joined_name(&keeper.name, &other.name)),
        Detail::Phones(phones),
        Detail::Address(joined_address(keeper.address.as_ref(), other.address.as_ref())),
        Detail::Email(first_of(&keeper.email, &other.email)),
        Detail::Tariff(keeper.tariff.or(other.tariff)),
        Detail::Note(joined_note(&keeper.note, &other.note)),
        Detail::Dates(dates),
        Detail::Language(keeper.language.or(other.language)),
        Detail::Notify(notify),
        Detail::Conflict(keeper.conflict.max(other.conflict)),
        Detail::Cars(cars),
        Detail::Tags(keeper.tags.union(&other.tags).cloned().collect()),
        Detail::Discount(keeper.discount.or(other.discount)),
        Detail::Group(keeper.group.or(other.group)),
    ]
}

fn first_of(mine: &str, theirs: &str) -> String {
    if mine.trim().is_empty() { theirs.to_owned() } else { mine.to_owned() }
}

fn joined_name(mine: &Name, theirs: &Name) -> Name {
    Name {
        surname: first_of(&mine.surname, &theirs.surname),
        name: first_of(&mine.name, &theirs.name),
        patronymic: first_of(&mine.patronymic, &theirs.patronymic),
    }
}

fn joined_address(mine: Option<&Address>, theirs: Option<&Address>) -> Option<Address> {
    mine.or(theirs).cloned()
}

/// Both notes, as far as there is room: the whole of the other one can be looked back at in the history.
fn joined_note(mine: &str, theirs: &str) -> String {
    if theirs.trim().is_empty() || mine == theirs {
        return mine.to_owned();
    }
    let both = if mine.trim().is_empty() { theirs.to_owned() } else { format!("{mine}\n{theirs}") };
    both.chars().take(super::super::limit::LONG).collect()
}
