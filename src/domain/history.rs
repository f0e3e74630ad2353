//! Who changed what and when: the entries that a state is the sum of, and the optimistic lock.

use serde::{Deserialize, Serialize};

use super::rejected::Rejected;
use super::time::Wall;

/// What kind of person or thing acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// The client, by phone, site or cabinet.
    Client,
    /// A dispatcher (agent).
    Dispatcher,
    /// The driver, by the terminal.
    Driver,
    /// The office: a supervisor or an administrator.
    Office,
    /// An outside program with an API key.
    Program,
    /// The engine itself, by a rule (a pre-order's time has come).
    Engine,
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Actor {
    /// What kind.
    pub kind: ActorKind,
    /// Which: login, callsign, name of the key; empty when there is only one of the kind.
    pub name: String,
}

/// By which way it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The caller's keys in the telephone menu.
    Ivr,
    /// A telephone call as such (the first call makes a card).
    Call,
    /// An SMS that came in.
    Sms,
    /// The dispatcher's desk.
    Dispatcher,
    /// The office's site.
    Site,
    /// The client's cabinet or order page.
    Cabinet,
    /// The driver's terminal.
    Driver,
    /// An outside system.
    Api,
    /// A file that was imported.
    Import,
    /// The engine itself.
    Engine,
}

/// What is known of every command, whatever it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// By which way.
    pub source: Source,
    /// The version that the actor saw; `None` when it does not matter to the actor (a driver's terminal, a caller).
    pub expected: Option<u64>,
}

impl By {
    /// A command that holds for whatever version there is.
    #[must_use]
    pub fn new(kind: ActorKind, name: impl Into<String>, source: Source) -> By {
        By { actor: Actor { kind, name: name.into() }, source, expected: None }
    }

    /// The engine by its own rule.
    #[must_use]
    pub fn engine() -> By {
        By::new(ActorKind::Engine, "", Source::Engine)
    }

    /// The same for this version only.
    #[must_use]
    pub fn expecting(mut self, version: u64) -> By {
        self.expected = Some(version);
        self
    }

    /// Refuses a command that was made looking at another version.
    ///
    /// # Errors
    /// [`Rejected::Stale`].
    pub fn check(&self, current: u64) -> Result<(), Rejected> {
        match self.expected {
            Some(expected) if expected != current => Err(Rejected::Stale { expected, current }),
            Some(_) | None => Ok(()),
        }
    }

    /// The history's entry for something that now happens to what has this version.
    #[must_use]
    pub fn entry<E>(&self, current: u64, now: Wall, event: E) -> Entry<E> {
        Entry { version: current.saturating_add(1), at: now, actor: self.actor.clone(), source: self.source, event }
    }
}

/// One line of a history: what happened, when, by whom, by which way. One accepted command, one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Entry<E> {
    /// The version that it made; the first entry makes version 1.
    pub version: u64,
    /// When.
    pub at: Wall,
    /// By whom.
    pub actor: Actor,
    /// By which way.
    pub source: Source,
    /// What.
    pub event: E,
}
