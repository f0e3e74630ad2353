//! The journal of contacts: each call or visit is an entry with a purpose, a client, a responsible person, a state and
//! references to documents.
//!
//! - [`State`], [`Contact`]: where a contact stands; the sum of its [`Event`]s
//! - [`create`], [`handle`]: what is allowed
//! - [`Purpose`]: why clients come, who sees to it, which queue its calls wait in

mod call;
mod command;
mod decide;
mod erase;
mod event;
mod purpose;
mod state;
#[cfg(test)]
mod tests;

pub use call::{CallSeen, CallStand};
pub use command::{Action, Command, Create, Detail, Doer};
pub use decide::{create, handle};
pub use erase::redacted;
pub use event::{Change, Event};
pub use purpose::{MOST_SPECIALISTS, Purpose};
pub use state::{Contact, DocumentKind, IgnoreReason, Kind, MOST_REFERENCES, Person, Reference, State, restore};
