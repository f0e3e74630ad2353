//! Erasing a client on request: the person goes, the statistics stay.

use super::super::history::{ActorKind, Entry};
use super::{Change, Client, Dates, Detail, Doubt, Event, Kind, Name, Since};

impl Client {
    /// The card without anything that tells who the person is: kind, group, tariff, discount and dates of the card stay.
    #[must_use]
    pub fn wiped(self) -> Client {
        Client {
            code: String::new(),
            kind: match self.kind {
                Kind::Personal => Kind::Personal,
                Kind::Corporate { company: _ } => Kind::Corporate { company: String::new() },
            },
            name: Name::default(),
            phones: Vec::new(),
            address: None,
            email: String::new(),
            note: String::new(),
            dates: Dates::default(),
            language: None,
            notify: super::super::notify::ClientNotify::default(),
            blocked: None,
            conflict: 0,
            cars: Vec::new(),
            tags: std::collections::BTreeSet::new(),
            confirmed: Since::default(),
            version: self.version,
            tariff: self.tariff,
            discount: self.discount,
            group: self.group,
            referred_by: self.referred_by,
            source: self.source,
            created_at: self.created_at,
            merged_from: self.merged_from,
            merged_into: self.merged_into,
            erased_at: self.erased_at,
        }
    }
}

/// An entry of an erased client's history as it may be kept: when and by whom something was changed, not from what to
/// what. The same is to be done with the histories of all cards that were merged into the erased one.
#[must_use]
pub fn redacted(mut entry: Entry<Event>) -> Entry<Event> {
    // The client's own name or number, if the client acted.
    if entry.actor.kind == ActorKind::Client {
        entry.actor.name.clear();
    }
    entry.event = match entry.event {
        Event::Created { code: _, details, referred_by } => Event::Created {
            code: String::new(),
            details: details.into_iter().filter_map(impersonal).collect(),
            referred_by,
        },
        Event::Edited { changes } => Event::Edited { changes: impersonal_changes(changes) },
        Event::Confirmed { what } => Event::Confirmed {
            what: match what {
                Doubt::Name => Doubt::Name,
                Doubt::Address => Doubt::Address,
                Doubt::Phone { number: _ } => Doubt::Phone { number: String::new() },
                Doubt::Car { plate: _ } => Doubt::Car { plate: String::new() },
            },
        },
        Event::Blocked { reason: _ } => Event::Blocked { reason: String::new() },
        Event::Absorbed { other, card, changes } => {
            Event::Absorbed { other, card: Box::new(card.wiped()), changes: impersonal_changes(changes) }
        }
        Event::Unblocked => Event::Unblocked,
        Event::Complained { text: _ } => Event::Complained { text: String::new() },
        Event::MergedInto { client } => Event::MergedInto { client },
        Event::Erased => Event::Erased,
    };
    entry
}

fn impersonal_changes(changes: Vec<Change>) -> Vec<Change> {
    changes
        .into_iter()
        .filter_map(|change| Some(Change { before: impersonal(change.before)?, after: impersonal(change.after)? }))
        .collect()
}

fn impersonal(detail: Detail) -> Option<Detail> {
    match detail {
        Detail::Kind(Kind::Personal) => Some(Detail::Kind(Kind::Personal)),
        Detail::Kind(Kind::Corporate { company: _ }) => Some(Detail::Kind(Kind::Corporate { company: String::new() })),
        Detail::Tariff(_) | Detail::Discount(_) | Detail::Group(_) => Some(detail),
        Detail::Code(_)
        | Detail::Name(_)
        | Detail::Phones(_)
        | Detail::Address(_)
        | Detail::Email(_)
        | Detail::Note(_)
        | Detail::Dates(_)
        | Detail::Language(_)
        | Detail::Notify(_)
        | Detail::Conflict(_)
        | Detail::Cars(_)
        | Detail::Tags(_) => None,
    }
}
