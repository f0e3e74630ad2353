//! A contact as it stands, and the only place where it changes: by an entry of its history.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::history::Entry;
use super::super::ids::{ClientId, PurposeId};
use super::super::language::Language;
use super::super::limit::{self, SHORT};
use super::super::rejected::{Problem, Rejected};
use super::super::time::Wall;
use super::{Change, Detail, Event};

/// References of one contact.
pub const MOST_REFERENCES: usize = 50;
/// Characters of a link.
const LONGEST_LINK: usize = 500;

/// An enum of plain words: all of them, how they are written, and how they are read.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident as $schema:ident { $($(#[$note:meta])* $word:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "shell", schema(as = $schema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$note])* $word,)* }

        impl $name {
            /// All of them, in the order of the enum.
            pub const ALL: &'static [$name] = &[$($name::$word),*];

            /// The word of the API and of the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($name::$word => $text,)* }
            }

            /// Reads [`as_str`](Self::as_str).
            #[must_use]
            pub fn parse(text: &str) -> Option<$name> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    };
}

words! {
    /// How the client came.
    Kind as ContactKind {
        /// The client called.
        CallIn = "call_in",
        /// The office called.
        CallOut = "call_out",
        /// The client is, or was, here.
        Visit = "visit",
    }
}

words! {
    /// Where a contact stands.
    State as ContactState {
        /// Nobody sees to it yet.
        New = "new",
        /// The client waits: it stays on the board as a reminder until it is taken.
        Waiting = "waiting",
        /// Somebody sees to it.
        InWork = "in_work",
        /// Seen to.
        Done = "done",
        /// Nobody will see to it; there is a reason.
        Ignored = "ignored",
    }
}

words! {
    /// Why a contact is ignored.
    IgnoreReason as IgnoreReason {
        /// Advertising, robots.
        Spam = "spam",
        /// Somebody else was wanted.
        WrongNumber = "wrong_number",
        /// There is another contact about the same.
        Duplicate = "duplicate",
        /// The client cannot be reached.
        Unreachable = "unreachable",
        /// The visitor left without having been seen to.
        Left = "left",
        /// Something else; the comment says what.
        Other = "other",
    }
}

words! {
    /// What a reference refers to.
    DocumentKind as DocumentKind {
        /// «Рабочий лист».
        Worksheet = "worksheet",
        /// «Запись на обслуживание», on a day.
        Appointment = "appointment",
        /// «Визит» in another system.
        Visit = "visit",
        /// «Заказ-наряд».
        WorkOrder = "work_order",
        /// «Заказ».
        Order = "order",
    }
}

impl State {
    /// Somebody still has to see to it.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            State::New | State::Waiting | State::InWork => true,
            State::Done | State::Ignored => false,
        }
    }

    /// Nobody has taken it yet.
    #[must_use]
    pub fn is_free(self) -> bool {
        match self {
            State::New | State::Waiting => true,
            State::InWork | State::Done | State::Ignored => false,
        }
    }

    /// For people, as in "the contact is …".
    pub(in crate::domain) fn words(self, language: Language) -> &'static str {
        match self {
            State::New => language.pick("ещё никем не взято", "has not been taken yet"),
            State::Waiting => language.pick("ожидает", "is waiting"),
            State::InWork => language.pick("уже в работе", "is in work"),
            State::Done => language.pick("уже завершено", "is done"),
            State::Ignored => language.pick("оставлено без внимания", "is ignored"),
        }
    }
}

/// Somebody of the office: an agent who takes calls, or a user who takes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Person {
    /// By the number of the agent.
    Agent(u32),
    /// By the number of the user.
    User(i64),
}

impl Person {
    /// Reads what [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Person> {
        match text.split_once(':')? {
            ("agent", id) => id.parse().ok().map(Person::Agent),
            ("user", id) => id.parse().ok().map(Person::User),
            _ => None,
        }
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Person::Agent(id) => write!(f, "agent:{id}"),
            Person::User(id) => write!(f, "user:{id}"),
        }
    }
}

/// A document that belongs to a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "shell", schema(as = DocumentReference))]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// What it is.
    pub document: DocumentKind,
    /// Its number, as the office writes it: 1 to 120 characters.
    #[cfg_attr(feature = "shell", schema(min_length = 1, max_length = 120))]
    pub number: String,
    /// Where it can be looked at (http or https); may be empty.
    #[serde(default)]
    #[cfg_attr(feature = "shell", schema(max_length = 500))]
    pub link: String,
}

impl Reference {
    /// The same document, whatever the link.
    #[must_use]
    pub fn is(&self, document: DocumentKind, number: &str) -> bool {
        self.document == document && self.number == number
    }

    pub(super) fn checked(self) -> Result<Reference, Rejected> {
        limit::check_some("number", &self.number, SHORT)?;
        limit::check("link", &self.link, LONGEST_LINK)?;
        let link = self.link.trim().to_owned();
        // A browser would run what `javascript:` says.
        if !link.is_empty() && !link.starts_with("https://") && !link.starts_with("http://") {
            return Err(Rejected::Field { field: "link", problem: Problem::NotALink });
        }
        Ok(Reference { document: self.document, number: self.number.trim().to_owned(), link })
    }
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Grows by one with every entry of the history.
    pub version: u64,
    /// How the client came.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Why the client came; none: not known yet.
    pub purpose: Option<PurposeId>,
    /// Whose it is, if the client is known.
    pub client: Option<ClientId>,
    /// Canonical number of the client, or empty.
    pub phone: String,
    /// Who it was, where there is no card: a name, or how the visitor looks.
    pub description: String,
    /// What it is about.
    pub comment: String,
    /// Who sees to it, or is to.
    pub responsible: Option<Person>,
    /// The client is on the phone with the office: it ends with the call, unless somebody does more with it before.
    pub in_call: bool,
    /// Documents.
    pub references: Vec<Reference>,
    /// Why it is ignored.
    pub ignored: Option<IgnoreReason>,
    /// What came of it, by whoever ended it or handed it on.
    pub outcome: String,
    /// When the client came.
    pub created_at: Wall,
    /// When it was changed last.
    pub changed_at: Wall,
    /// When it was done or ignored.
    pub ended_at: Option<Wall>,
    /// Since when the client waits.
    pub waiting_since: Option<Wall>,
}

/// A contact as its history left it; none when the history does not begin with its creation.
#[must_use]
pub fn restore<'a>(entries: impl IntoIterator<Item = &'a Entry<Event>>) -> Option<Contact> {
    let mut entries = entries.into_iter();
    let first = Contact::created(entries.next()?)?;
    Some(entries.fold(first, Contact::with))
}

impl Contact {
    /// A contact as its first entry makes it.
    pub(super) fn created(entry: &Entry<Event>) -> Option<Contact> {
        let Event::Created { way, state, purpose, client, phone, description, comment, responsible, since } =
            entry.event.clone()
        else {
            return None;
        };
        Some(Contact {
            version: entry.version,
            kind: way,
            state,
            purpose,
            client,
            phone,
            description,
            comment,
            responsible,
            in_call: way != Kind::Visit && state == State::InWork,
            references: Vec::new(),
            ignored: None,
            outcome: String::new(),
            created_at: since,
            changed_at: entry.at,
            ended_at: (!state.is_open()).then_some(entry.at),
            waiting_since: (state == State::Waiting).then_some(since),
        })
    }

    /// After this entry.
    pub(super) fn with(mut self, entry: &Entry<Event>) -> Contact {
        self.version = entry.version;
        self.changed_at = entry.at;
        self.in_call &= match &entry.event {
            Event::Created { .. } | Event::Edited { .. } | Event::Linked { .. } | Event::Unlinked { .. } => true,
            Event::Taken { .. }
            | Event::Waits
            | Event::Done { .. }
            | Event::Ignored { .. }
            | Event::Transferred { .. }
            | Event::CallEnded { .. }
            | Event::Reached { .. } => false,
        };
        match &entry.event {
            Event::Created { .. } => {}
            Event::Edited { changes } => changes.iter().for_each(|change| self.set(change)),
            Event::Taken { person } => {
                self.responsible = Some(*person);
                self.state = State::InWork;
                self.waiting_since = None;
            }
            Event::Waits => {
                self.state = State::Waiting;
                self.waiting_since = Some(entry.at);
            }
            Event::Done { comment, responsible } => {
                self.end(State::Done, comment, entry.at);
                self.responsible = responsible.or(self.responsible);
            }
            Event::Ignored { reason, comment } => {
                self.end(State::Ignored, comment, entry.at);
                self.ignored = Some(*reason);
            }
            Event::Transferred { responsible, purpose, comment, with_call: _ } => {
                self.responsible = *responsible;
                self.purpose = purpose.or(self.purpose);
                self.outcome.clone_from(comment);
                self.hand_on(entry.at);
            }
            Event::Linked { reference } => {
                self.references.retain(|known| !known.is(reference.document, &reference.number));
                self.references.push(reference.clone());
            }
            Event::Unlinked { document, number } => self.references.retain(|known| !known.is(*document, number)),
            Event::CallEnded { responsible } | Event::Reached { responsible } => {
                self.responsible = responsible.or(self.responsible);
                self.end(State::Done, "", entry.at);
            }
        }
        self
    }

    fn end(&mut self, state: State, comment: &str, at: Wall) {
        self.state = state;
        self.outcome = comment.to_owned();
        self.ended_at = Some(at);
        self.waiting_since = None;
    }

    /// It is somebody else's to take now. A visitor does not leave by being handed on.
    fn hand_on(&mut self, at: Wall) {
        self.ended_at = None;
        match self.kind {
            Kind::Visit => {
                self.state = State::Waiting;
                self.waiting_since = self.waiting_since.or(Some(at));
            }
            Kind::CallIn | Kind::CallOut => {
                if self.state != State::Waiting {
                    self.state = State::New;
                }
            }
        }
    }

    fn set(&mut self, change: &Change) {
        match change.after.clone() {
            Detail::Purpose(purpose) => self.purpose = purpose,
            Detail::Client(client) => self.client = client,
            Detail::Phone(phone) => self.phone = phone,
            Detail::Description(text) => self.description = text,
            Detail::Comment(text) => self.comment = text,
        }
    }

    /// What a detail is now.
    pub(super) fn detail_like(&self, wanted: &Detail) -> Detail {
        match wanted {
            Detail::Purpose(_) => Detail::Purpose(self.purpose),
            Detail::Client(_) => Detail::Client(self.client),
            Detail::Phone(_) => Detail::Phone(self.phone.clone()),
            Detail::Description(_) => Detail::Description(self.description.clone()),
            Detail::Comment(_) => Detail::Comment(self.comment.clone()),
        }
    }
}
