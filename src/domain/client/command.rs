//! What can be wanted of a card.

use super::super::ids::ClientId;
use super::{Detail, Doubt};

/// A new card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Create {
    /// The card's id as people know it; none for the main number.
    pub code: Option<String>,
    /// What is known.
    pub details: Vec<Detail>,
    /// Who brought the client.
    pub referred_by: Option<ClientId>,
}

/// What can be wanted of a card that exists. Merging has a function of its own: [`merge`](super::merge()).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Change what is known. Later ones of the same kind win.
    Edit(Vec<Detail>),
    /// This is right.
    Confirm(Doubt),
    /// Block.
    Block {
        /// Why; must say something.
        reason: String,
    },
    /// Unblock.
    Unblock,
    /// The client, or somebody about the client's trip, complains.
    Complain {
        /// Of what; must say something.
        text: String,
    },
    /// Erase the client's data on request; counters, orders and money stay.
    Erase,
}
