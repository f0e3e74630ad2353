//! Contacts as JSON.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::contact::{
    Command, Create, Detail, DocumentKind, Event, IgnoreReason, Kind, Person, Reference, State,
};
use crate::domain::history::{Actor, Entry, Source};
use crate::domain::ids::{ClientId, PurposeId};
use crate::shell::clock;
use crate::shell::store::contacts::ContactRow;

use super::dto::{given, time};
use super::writer::Shown;

/// Somebody of the office with the name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NamedPerson {
    #[serde(flatten)]
    person: Person,
    /// Of an agent the name, of a user the login; `null` when there is nobody of this number any more.
    name: Option<String>,
}

impl NamedPerson {
    pub(super) fn of(person: Person, name: Option<String>) -> NamedPerson {
        NamedPerson { person, name }
    }
}

/// People who may be responsible, agents first.
#[derive(Serialize, ToSchema)]
pub(super) struct People {
    pub(super) items: Vec<NamedPerson>,
}

/// A call or a visit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Contact)]
pub(super) struct ContactShape {
    id: i64,
    /// Grows with every change.
    version: u64,
    kind: Kind,
    state: State,
    /// Number of the purpose; `null`: not known yet.
    purpose: Option<i64>,
    /// Section and name of the purpose.
    purpose_title: Option<String>,
    /// Number of the card, if the client is known.
    client: Option<i64>,
    /// The client's name, company, or number.
    client_name: Option<String>,
    /// Canonical number, or empty.
    phone: String,
    /// Who it was, where there is no card.
    description: String,
    /// What it is about.
    comment: String,
    /// Who sees to it, or is to; `null`: all specialists of the purpose, until one takes it.
    responsible: Option<NamedPerson>,
    /// The client is on the phone with the office: it is done when the talk is over, unless somebody does more with it.
    in_call: bool,
    /// Documents in other systems.
    references: Vec<Reference>,
    /// Why it is ignored.
    ignored: Option<IgnoreReason>,
    /// What came of it, or what the next one must know.
    outcome: String,
    /// The call that it is: `GET /calls/{id}`.
    call: Option<String>,
    /// When the client came.
    created_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
    /// When it was done or ignored.
    ended_at: Option<DateTime<Utc>>,
    /// Since when the client waits.
    waiting_since: Option<DateTime<Utc>>,
}

impl From<ContactRow> for ContactShape {
    fn from(row: ContactRow) -> ContactShape {
        let ContactRow { id, contact, call, names } = row;
        ContactShape {
            id: id.0,
            version: contact.version,
            kind: contact.kind,
            state: contact.state,
            purpose: contact.purpose.map(|purpose| purpose.0),
            purpose_title: names.purpose,
            client: contact.client.map(|client| client.0),
            client_name: names.client,
            phone: contact.phone,
            description: contact.description,
            comment: contact.comment,
            responsible: contact.responsible.map(|person| NamedPerson::of(person, names.responsible)),
            in_call: contact.in_call,
            references: contact.references,
            ignored: contact.ignored,
            outcome: contact.outcome,
            call: call.map(|call| call.to_string()),
            created_at: time(contact.created_at),
            changed_at: time(contact.changed_at),
            ended_at: contact.ended_at.map(time),
            waiting_since: contact.waiting_since.map(time),
        }
    }
}

impl Shown for ContactRow {
    type Shape = ContactShape;

    fn version(&self) -> u64 {
        self.contact.version
    }

    fn shown(&self) -> ContactShape {
        self.clone().into()
    }
}

/// A page of contacts, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Contacts {
    pub(super) items: Vec<ContactShape>,
    /// Cursor of the next page; `null` after the last.
    pub(super) next: Option<String>,
}

/// What nobody has taken yet; at most 200 of each.
#[derive(Serialize, ToSchema)]
pub(super) struct ContactBoard {
    /// Clients who wait, the longest first.
    pub(super) waiting: Vec<ContactShape>,
    /// New ones, the oldest first.
    pub(super) new: Vec<ContactShape>,
}

/// A contact to enter: a visit, or a call that came by another way. Calls of the office's own lines enter by themselves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewContact {
    kind: Kind,
    /// The client waits: it stays on the board, and whom it concerns is reminded, until somebody takes it.
    #[serde(default)]
    waiting: bool,
    /// Number of the purpose.
    #[serde(default)]
    purpose: Option<i64>,
    /// Number of the card; without one, that of the number.
    #[serde(default)]
    client: Option<i64>,
    /// In any usual form.
    #[serde(default)]
    #[schema(max_length = 120)]
    phone: String,
    /// Who it is, where there is no card. A visitor without card and number must be described.
    #[serde(default)]
    #[schema(max_length = 2000)]
    description: String,
    /// What it is about.
    #[serde(default)]
    #[schema(max_length = 2000)]
    comment: String,
    /// Who is to see to it; without one, all specialists of the purpose are told.
    #[serde(default)]
    responsible: Option<Person>,
}

impl NewContact {
    pub(super) fn read(self) -> Create {
        Create {
            kind: self.kind,
            state: if self.waiting { State::Waiting } else { State::New },
            purpose: self.purpose.map(PurposeId),
            client: self.client.map(ClientId),
            phone: self.phone,
            description: self.description,
            comment: self.comment,
            responsible: self.responsible,
            since: clock::wall(),
        }
    }
}

/// What to change of a contact; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeContact {
    /// Change only if this is still the version.
    #[serde(default)]
    pub(super) version: Option<u64>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    purpose: Option<Option<i64>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    client: Option<Option<i64>>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    comment: Option<String>,
}

impl ChangeContact {
    pub(super) fn read(self) -> Command {
        let details = [
            self.purpose.map(|purpose| Detail::Purpose(purpose.map(PurposeId))),
            self.client.map(|client| Detail::Client(client.map(ClientId))),
            self.phone.map(Detail::Phone),
            self.description.map(Detail::Description),
            self.comment.map(Detail::Comment),
        ];
        Command::Edit(details.into_iter().flatten().collect())
    }
}

/// One line of a contact's history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ContactHistory {
    /// The version that it made.
    version: u64,
    at: DateTime<Utc>,
    /// Who.
    actor: Actor,
    /// By which way.
    source: Source,
    #[serde(flatten)]
    event: ContactEvent,
}

/// All of it, oldest first.
#[derive(Serialize, ToSchema)]
pub(super) struct ContactHistories {
    pub(super) items: Vec<ContactHistory>,
}

/// What happened to a contact.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum ContactEvent {
    /// The client came.
    Created { way: Kind, state: State, purpose: Option<i64>, responsible: Option<NamedPerson>, comment: String },
    /// More, or better, is known.
    Edited { changes: Vec<ContactEdit> },
    /// Somebody sees to it now.
    Taken { person: NamedPerson },
    /// The client waits.
    Waits,
    /// It is seen to.
    Done { comment: String },
    /// Nobody will see to it.
    Ignored { reason: IgnoreReason, comment: String },
    /// It was handed on; without a responsible person, to all specialists of the purpose.
    Transferred { responsible: Option<NamedPerson>, purpose: Option<i64>, comment: String, with_call: bool },
    /// A document belongs to it.
    Linked { reference: Reference },
    /// A document does not belong to it any more.
    Unlinked { document: DocumentKind, number: String },
    /// The talk is over.
    CallEnded { responsible: Option<NamedPerson> },
    /// The client, whose call was lost, was talked with later.
    Reached { responsible: Option<NamedPerson> },
}

/// A detail that was changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ContactEdit {
    before: Detail,
    after: Detail,
}

/// Whoever is named in a history.
pub(super) fn persons_of(entries: &[Entry<Event>]) -> Vec<Person> {
    let named = |entry: &Entry<Event>| match &entry.event {
        Event::Created { responsible, .. }
        | Event::Done { responsible, .. }
        | Event::Transferred { responsible, .. }
        | Event::CallEnded { responsible }
        | Event::Reached { responsible } => *responsible,
        Event::Taken { person } => Some(*person),
        Event::Edited { .. } | Event::Waits | Event::Ignored { .. } | Event::Linked { .. } | Event::Unlinked { .. } => {
            None
        }
    };
    entries.iter().filter_map(named).collect()
}

impl ContactHistory {
    pub(super) fn of(entry: Entry<Event>, names: &BTreeMap<Person, String>) -> ContactHistory {
        let Entry { version, at, actor, source, event } = entry;
        ContactHistory { version, at: time(at), actor, source, event: ContactEvent::of(event, names) }
    }
}

impl ContactEvent {
    fn of(event: Event, names: &BTreeMap<Person, String>) -> ContactEvent {
        let person = |person: Person| NamedPerson::of(person, names.get(&person).cloned());
        match event {
            Event::Created {
                way,
                state,
                purpose,
                client: _,
                phone: _,
                description: _,
                comment,
                responsible,
                since: _,
            } => {
                let (purpose, responsible) = (purpose.map(|purpose| purpose.0), responsible.map(person));
                ContactEvent::Created { way, state, purpose, responsible, comment }
            }
            Event::Edited { changes } => {
                let edit =
                    |change: crate::domain::contact::Change| ContactEdit { before: change.before, after: change.after };
                ContactEvent::Edited { changes: changes.into_iter().map(edit).collect() }
            }
            Event::Taken { person: who } => ContactEvent::Taken { person: person(who) },
            Event::Waits => ContactEvent::Waits,
            Event::Done { comment, responsible: _ } => ContactEvent::Done { comment },
            Event::Ignored { reason, comment } => ContactEvent::Ignored { reason, comment },
            Event::Transferred { responsible, purpose, comment, with_call } => ContactEvent::Transferred {
                responsible: responsible.map(person),
                purpose: purpose.map(|purpose| purpose.0),
                comment,
                with_call,
            },
            Event::Linked { reference } => ContactEvent::Linked { reference },
            Event::Unlinked { document, number } => ContactEvent::Unlinked { document, number },
            Event::CallEnded { responsible } => ContactEvent::CallEnded { responsible: responsible.map(person) },
            Event::Reached { responsible } => ContactEvent::Reached { responsible: responsible.map(person) },
        }
    }
}
