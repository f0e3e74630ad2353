//! What is allowed with a card, and the sum of its entries.

use std::collections::BTreeSet;

use super::super::history::{ActorKind, By, Entry, Source};
use super::super::ids::{ClientId, GroupId};
use super::super::limit::{self, LONG};
use super::super::notify::ClientNotify;
use super::super::phone::Phone;
use super::super::rejected::{Problem, Rejected};
use super::super::time::Wall;
use super::{Block, CardPhone, Change, Client, Command, Create, Dates, Detail, Doubt, Event, Kind, Name, Since};

/// Makes a card.
///
/// # Errors
/// [`Rejected::Field`], also for a card that has neither an id nor a number; [`Rejected::NotAllowed`].
pub fn create(new: Create, by: &By, now: Wall) -> Result<(Client, Vec<Entry<Event>>), Rejected> {
    let blank = blank(by.source, now);
    let mut details: Vec<Detail> = Vec::new();
    for detail in new.details {
        may_set(by.actor.kind, &detail)?;
        let detail = detail.checked(&blank, now)?;
        details.retain(|other| std::mem::discriminant(other) != std::mem::discriminant(&detail));
        if detail != blank.get(&detail) {
            details.push(detail);
        }
    }
    // The id stands in the event itself.
    let chosen =
        details.iter().find_map(|detail| if let Detail::Code(code) = detail { Some(code.clone()) } else { None });
    details.retain(|detail| !matches!(detail, Detail::Code(_)));
    let first_number = details
        .iter()
        .find_map(|detail| if let Detail::Phones(phones) = detail { phones.first() } else { None })
        .map(|phone| phone.number.clone());
    let code = new.code.or(chosen).or(first_number).unwrap_or_default();
    Detail::Code(code.clone()).checked(&blank, now)?;
    let entry = by.entry(0, now, Event::Created { code, details, referred_by: new.referred_by });
    let card = created(&entry).ok_or(Rejected::NothingToDo)?;
    Ok((card, vec![entry]))
}

/// Makes the card of a number that calls for the first time.
///
/// # Errors
/// [`Rejected::Field`] for a hidden number: it has no card.
pub fn first_call(phone: &Phone, group: Option<GroupId>, now: Wall) -> Result<(Client, Vec<Entry<Event>>), Rejected> {
    let number = match phone {
        Phone::Hidden => return Err(Rejected::Field { field: "phone", problem: Problem::NotAPhone }),
        Phone::Internal(number) | Phone::Full(number) => number.clone(),
    };
    let phones = vec![CardPhone { number, ..CardPhone::default() }];
    let details = vec![Detail::Phones(phones), Detail::Group(group)];
    let by = By::new(ActorKind::Engine, "", Source::Call);
    create(Create { code: None, details, referred_by: None }, &by, now)
}

/// Changes a card. No entry, and the card as it was, when the command changes nothing.
///
/// # Errors
/// [`Rejected::Stale`], [`Rejected::Merged`], [`Rejected::Erased`], [`Rejected::NotAllowed`], [`Rejected::NothingToDo`],
/// [`Rejected::Field`].
pub fn handle(card: &Client, command: Command, by: &By, now: Wall) -> Result<(Client, Vec<Entry<Event>>), Rejected> {
    card.check_open()?;
    by.check(card.version)?;
    let event = match command {
        Command::Edit(details) => {
            details.iter().try_for_each(|detail| may_set(by.actor.kind, detail))?;
            let changes = changes(card, details, now)?;
            if changes.is_empty() {
                return Ok((card.clone(), Vec::new()));
            }
            Event::Edited { changes }
        }
        Command::Confirm(what) => {
            staff(by.actor.kind)?;
            if !card.knows(&what) {
                return Err(Rejected::NothingToDo);
            }
            Event::Confirmed { what }
        }
        Command::Block { reason } => {
            staff(by.actor.kind)?;
            limit::check_some("reason", &reason, LONG)?;
            if card.blocked.as_ref().is_some_and(|block| block.reason == reason) {
                return Ok((card.clone(), Vec::new()));
            }
            Event::Blocked { reason }
        }
        Command::Unblock => {
            office(by.actor.kind)?;
            if card.blocked.is_none() {
                return Err(Rejected::NothingToDo);
            }
            Event::Unblocked
        }
        Command::Complain { text } => {
            limit::check_some("text", &text, LONG)?;
            Event::Complained { text }
        }
        Command::Erase => {
            office(by.actor.kind)?;
            Event::Erased
        }
    };
    let entry = by.entry(card.version, now, event);
    Ok((card.clone().with(&entry), vec![entry]))
}

/// A card as its history left it; none when the history does not begin with its creation.
#[must_use]
pub fn restore<'a>(entries: impl IntoIterator<Item = &'a Entry<Event>>) -> Option<Client> {
    let mut entries = entries.into_iter();
    let first = created(entries.next()?)?;
    Some(entries.fold(first, Client::with))
}

/// What would be different; later details of one kind win.
pub(super) fn changes(card: &Client, details: Vec<Detail>, now: Wall) -> Result<Vec<Change>, Rejected> {
    let mut changes: Vec<Change> = Vec::new();
    for detail in details {
        let before = card.get(&detail);
        let after = if before == detail { detail } else { detail.checked(card, now)? };
        changes.retain(|change| std::mem::discriminant(&change.after) != std::mem::discriminant(&after));
        if before != after {
            changes.push(Change { before, after });
        }
    }
    Ok(changes)
}

fn may_set(actor: ActorKind, detail: &Detail) -> Result<(), Rejected> {
    let may = match actor {
        ActorKind::Client => detail.is_the_clients_own(),
        ActorKind::Driver => false,
        ActorKind::Dispatcher | ActorKind::Office | ActorKind::Program | ActorKind::Engine => true,
    };
    if may { Ok(()) } else { Err(Rejected::NotAllowed) }
}

fn staff(actor: ActorKind) -> Result<(), Rejected> {
    match actor {
        ActorKind::Client | ActorKind::Driver => Err(Rejected::NotAllowed),
        ActorKind::Dispatcher | ActorKind::Office | ActorKind::Program | ActorKind::Engine => Ok(()),
    }
}

fn office(actor: ActorKind) -> Result<(), Rejected> {
    match actor {
        ActorKind::Client | ActorKind::Driver | ActorKind::Dispatcher => Err(Rejected::NotAllowed),
        ActorKind::Office | ActorKind::Program | ActorKind::Engine => Ok(()),
    }
}

fn blank(source: Source, now: Wall) -> Client {
    Client {
        version: 0,
        code: String::new(),
        kind: Kind::Personal,
        name: Name::default(),
        phones: Vec::new(),
        address: None,
        email: String::new(),
        tariff: None,
        note: String::new(),
        dates: Dates::default(),
        language: None,
        notify: ClientNotify::default(),
        blocked: None,
        conflict: 0,
        cars: Vec::new(),
        tags: BTreeSet::new(),
        discount: None,
        group: None,
        referred_by: None,
        confirmed: Since::default(),
        source,
        created_at: now,
        merged_from: Vec::new(),
        merged_into: None,
        erased_at: None,
    }
}

fn created(entry: &Entry<Event>) -> Option<Client> {
    let Event::Created { code, details, referred_by } = &entry.event else { return None };
    let mut card = blank(entry.source, entry.at);
    card.version = entry.version;
    card.code.clone_from(code);
    card.referred_by = *referred_by;
    for detail in details {
        card.set(detail, entry.at);
    }
    Some(card)
}

impl Client {
    /// Refuses to touch a card that is no more.
    pub(super) fn check_open(&self) -> Result<(), Rejected> {
        match (self.merged_into, self.erased_at) {
            (Some(into), _) => Err(Rejected::Merged { into }),
            (None, Some(_)) => Err(Rejected::Erased),
            (None, None) => Ok(()),
        }
    }

    fn knows(&self, what: &Doubt) -> bool {
        match what {
            Doubt::Name => !self.title().is_empty(),
            Doubt::Address => self.address.is_some(),
            Doubt::Phone { number } => self.phones.iter().any(|phone| phone.number == *number),
            Doubt::Car { plate } => self.cars.iter().any(|car| car.car.plate == *plate),
        }
    }

    /// After one more entry. Every entry that was ever accepted can be applied.
    #[must_use]
    pub(super) fn with(mut self, entry: &Entry<Event>) -> Client {
        self.version = entry.version;
        match &entry.event {
            // A history has one beginning; a second one changes nothing.
            Event::Created { .. } => {}
            Event::Edited { changes } => self.set_all(changes, entry.at),
            Event::Confirmed { what } => self.confirm(what, entry.at),
            Event::Blocked { reason } => {
                self.blocked = Some(Block { reason: reason.clone(), at: entry.at, by: entry.actor.clone() });
            }
            Event::Unblocked => self.blocked = None,
            // It is history, and counted.
            Event::Complained { .. } => {}
            Event::Absorbed { other, card, changes } => {
                self.set_all(changes, entry.at);
                // Nobody escapes a block by being merged.
                self.blocked = self.blocked.or_else(|| card.blocked.clone());
                self.referred_by = self.referred_by.or(card.referred_by);
                self.merged_from.push(*other);
            }
            Event::MergedInto { client } => self.merged_into = Some(ClientId(client.0)),
            Event::Erased => {
                self = self.wiped();
                self.erased_at = Some(entry.at);
            }
        }
        self
    }

    fn set_all(&mut self, changes: &[Change], at: Wall) {
        for Change { before: _, after } in changes {
            self.set(after, at);
        }
    }

    fn confirm(&mut self, what: &Doubt, at: Wall) {
        match what {
            Doubt::Name => self.confirmed.name = Some(at),
            Doubt::Address => self.confirmed.address = Some(at),
            Doubt::Phone { number } => {
                for phone in self.phones.iter_mut().filter(|phone| phone.number == *number) {
                    phone.confirmed_at = Some(at);
                }
            }
            Doubt::Car { plate } => {
                for car in self.cars.iter_mut().filter(|car| car.car.plate == *plate) {
                    car.confirmed_at = Some(at);
                }
            }
        }
    }
}
