//! What people want of a contact.

use serde::{Deserialize, Serialize};

use super::super::history::{ActorKind, By};
use super::super::ids::{ClientId, PurposeId};
use super::super::language::Language;
use super::super::time::Wall;
use super::{DocumentKind, IgnoreReason, Kind, Person, Reference, State};

/// A new contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// How the client came.
    pub kind: Kind,
    /// How it stands from the beginning.
    pub state: State,
    /// What for.
    pub purpose: Option<PurposeId>,
    /// Who, if known.
    pub client: Option<ClientId>,
    /// From which number, in any form; may be empty.
    pub phone: String,
    /// Who it was, where there is no card.
    pub description: String,
    /// What it is about.
    pub comment: String,
    /// Who is to see to it; none: all specialists of the purpose, until one takes it.
    pub responsible: Option<Person>,
    /// When the client came.
    pub since: Wall,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Other details; each replaces what there was.
    Edit(Vec<Detail>),
    /// See to it.
    Take,
    /// The client waits.
    Wait,
    /// It is seen to.
    Done {
        /// What came of it.
        comment: String,
    },
    /// Nobody will see to it.
    Ignore {
        /// Why.
        reason: IgnoreReason,
        /// In words; must say something for [`IgnoreReason::Other`].
        comment: String,
    },
    /// Hand it on: to a person, to another purpose, or both.
    Transfer {
        /// To whom; none: to all specialists of the purpose.
        responsible: Option<Person>,
        /// The new purpose.
        purpose: Option<PurposeId>,
        /// What the other one must know.
        comment: String,
        /// The caller is put through as well.
        with_call: bool,
    },
    /// A document belongs to it; one that did already has another link now.
    Link(Reference),
    /// A document does not belong to it.
    Unlink {
        /// What it is.
        document: DocumentKind,
        /// Its number.
        number: String,
    },
    /// The talk that it is about is over.
    CallEnded {
        /// Who talked last.
        responsible: Option<Person>,
    },
    /// The client, whose call was lost, was talked with later.
    Reached {
        /// Who talked.
        responsible: Option<Person>,
    },
}

/// One thing about a contact that people may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "shell", schema(as = ContactDetail))]
#[serde(tag = "field", content = "value", rename_all = "snake_case")]
pub enum Detail {
    /// What the client came for.
    Purpose(Option<PurposeId>),
    /// Who it was.
    Client(Option<ClientId>),
    /// From which number.
    Phone(String),
    /// Who it was, where there is no card.
    Description(String),
    /// What it is about.
    Comment(String),
}

/// What a refusal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// [`create`](super::create).
    Create,
    /// [`Command::Edit`].
    Edit,
    /// [`Command::Take`].
    Take,
    /// [`Command::Wait`].
    Wait,
    /// [`Command::Done`].
    Done,
    /// [`Command::Ignore`].
    Ignore,
    /// [`Command::Transfer`].
    Transfer,
    /// [`Command::Link`].
    Link,
    /// [`Command::Unlink`].
    Unlink,
    /// [`Command::CallEnded`].
    EndCall,
}

impl Action {
    /// For people, as in "cannot …".
    pub(in crate::domain) fn words(self, language: Language) -> &'static str {
        match self {
            Action::Create => language.pick("завести обращение", "enter the contact"),
            Action::Edit => language.pick("изменить обращение", "change the contact"),
            Action::Take => language.pick("взять обращение в работу", "take the contact"),
            Action::Wait => language.pick("вернуть обращение в ожидание", "put the contact to those who wait"),
            Action::Done => language.pick("завершить обращение", "end the contact"),
            Action::Ignore => language.pick("оставить обращение без внимания", "ignore the contact"),
            Action::Transfer => language.pick("передать обращение", "hand the contact on"),
            Action::Link => language.pick("привязать документ", "link a document"),
            Action::Unlink => language.pick("отвязать документ", "unlink a document"),
            Action::EndCall => language.pick("закончить звонок", "end the call"),
        }
    }
}

impl Command {
    /// Which action it is.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Command::Edit(_) => Action::Edit,
            Command::Take => Action::Take,
            Command::Wait => Action::Wait,
            Command::Done { .. } => Action::Done,
            Command::Ignore { .. } => Action::Ignore,
            Command::Transfer { .. } => Action::Transfer,
            Command::Link(_) => Action::Link,
            Command::Unlink { .. } => Action::Unlink,
            Command::CallEnded { .. } => Action::EndCall,
            Command::Reached { .. } => Action::Done,
        }
    }
}

/// Who does something to a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doer<'a> {
    /// For the history, with the version that was seen.
    pub by: &'a By,
    /// The same human, by every number that the office knows; the first is the one that is written. Empty for programs.
    pub is: &'a [Person],
}

impl Doer<'_> {
    /// May see to what is another's: supervisors, programs that were given the right, the engine itself.
    pub(super) fn is_over_others(&self) -> bool {
        match self.by.actor.kind {
            ActorKind::Office | ActorKind::Program | ActorKind::Engine => true,
            ActorKind::Client | ActorKind::Dispatcher | ActorKind::Driver => false,
        }
    }

    /// Is this one of the numbers of this human?
    pub(super) fn is_person(&self, person: Person) -> bool {
        self.is.contains(&person)
    }
}
