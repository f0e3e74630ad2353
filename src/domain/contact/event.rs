//! What happened to a contact. Kept as JSON for ever: names and shapes only ever grow.

use serde::{Deserialize, Serialize};

use super::super::ids::{ClientId, PurposeId};
use super::super::time::Wall;
use super::{Detail, DocumentKind, IgnoreReason, Kind, Person, Reference, State};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The client came.
    Created {
        /// How.
        way: Kind,
        /// How it stands from the beginning: a call that was talked is done when it is entered.
        state: State,
        /// What for.
        purpose: Option<PurposeId>,
        /// Who.
        client: Option<ClientId>,
        /// From which number, canonical or empty.
        phone: String,
        /// Who it was, where there is no card.
        description: String,
        /// What it is about.
        comment: String,
        /// Who is to see to it.
        responsible: Option<Person>,
        /// When the client came.
        since: Wall,
    },
    /// More, or better, is known.
    Edited {
        /// Each with what it was.
        changes: Vec<Change>,
    },
    /// Somebody sees to it now.
    Taken {
        /// Who.
        person: Person,
    },
    /// The client waits.
    Waits,
    /// It is seen to.
    Done {
        /// What came of it.
        comment: String,
        /// Who saw to it, where nobody had taken it.
        responsible: Option<Person>,
    },
    /// Nobody will see to it.
    Ignored {
        /// Why.
        reason: IgnoreReason,
        /// In words.
        comment: String,
    },
    /// It is handed on.
    Transferred {
        /// To whom; none: to all specialists of the purpose, until one takes it.
        responsible: Option<Person>,
        /// The new purpose, if it has one.
        purpose: Option<PurposeId>,
        /// What the other one must know.
        comment: String,
        /// The caller was put through as well.
        with_call: bool,
    },
    /// A document belongs to it.
    Linked {
        /// Which.
        reference: Reference,
    },
    /// A document does not belong to it any more.
    Unlinked {
        /// What it was.
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

impl Event {
    /// Its kind, as in JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Created { .. } => "created",
            Event::Edited { .. } => "edited",
            Event::Taken { .. } => "taken",
            Event::Waits => "waits",
            Event::Done { .. } => "done",
            Event::Ignored { .. } => "ignored",
            Event::Transferred { .. } => "transferred",
            Event::Linked { .. } => "linked",
            Event::Unlinked { .. } => "unlinked",
            Event::CallEnded { .. } => "call_ended",
            Event::Reached { .. } => "reached",
        }
    }
}

/// A detail that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it was.
    pub before: Detail,
    /// What it is now.
    pub after: Detail,
}
