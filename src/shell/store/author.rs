//! Who changes orders and cards, and why a change was not made.

use crate::domain::history::By;
use crate::domain::rejected::Rejected;
use crate::engine::event::Actor;
use crate::engine::time::Wall;

use super::audit::AuditEntry;
use super::{Result, StoreError, Tx};

/// Who changes something, for its history and for the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// For the history, with the version that the author saw.
    pub by: By,
    /// For the audit: the login or key behind it.
    pub actor: Actor,
    /// From which network address; empty when by no network.
    pub address: String,
}

impl Author {
    /// The engine by its own rule.
    #[must_use]
    pub fn engine() -> Author {
        Author { by: By::engine(), actor: Actor::Engine, address: String::new() }
    }

    /// The same author for whatever version there is: for what follows from a change.
    #[must_use]
    pub(super) fn whatever_version(&self) -> By {
        By { expected: None, ..self.by.clone() }
    }

    /// A line of the audit log about a change by this author.
    pub(super) async fn audit(
        &self,
        tx: &mut Tx,
        action: impl Into<String>,
        subject: impl ToString,
        detail: serde_json::Value,
        at: Wall,
    ) -> Result<()> {
        tx.append_audit(self.audit_line(action, subject, detail, at)).await
    }

    /// Such a line, to be added with others.
    pub(super) fn audit_line(
        &self,
        action: impl Into<String>,
        subject: impl ToString,
        detail: serde_json::Value,
        at: Wall,
    ) -> AuditEntry {
        AuditEntry {
            at,
            actor: self.actor.clone(),
            action: action.into(),
            subject: subject.to_string(),
            detail,
            address: self.address.clone(),
        }
    }
}

/// Why a change was not made. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError<T> {
    /// Somebody else changed it since the author saw it.
    #[error("somebody changed it meanwhile: look at its present state and repeat the change")]
    Stale {
        /// As it is now.
        current: Box<T>,
    },
    /// The domain does not allow it.
    #[error("{0}")]
    Rejected(Rejected),
    /// The database does not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<T> ChangeError<T> {
    /// A refusal of the domain; a stale version is told with what there is now.
    pub(super) fn of(rejected: Rejected, current: &T) -> ChangeError<T>
    where
        T: Clone,
    {
        match rejected {
            Rejected::Stale { .. } => ChangeError::Stale { current: Box::new(current.clone()) },
            rejected => ChangeError::Rejected(rejected),
        }
    }
}

impl<T> From<Rejected> for ChangeError<T> {
    fn from(rejected: Rejected) -> Self {
        ChangeError::Rejected(rejected)
    }
}
