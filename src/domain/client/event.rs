//! What happened to a card. Kept as JSON for ever: names and shapes only ever grow.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::super::address::Address;
use super::super::fare::Discount;
use super::super::ids::{ClientId, GroupId, TariffId};
use super::super::language::Language;
use super::super::notify::ClientNotify;
use super::{CardCar, CardPhone, Client, Dates, Doubt, Kind, Name, Tally};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The card was made.
    Created {
        /// Its id as people know it.
        code: String,
        /// What was known.
        details: Vec<Detail>,
        /// Who brought the client.
        referred_by: Option<ClientId>,
    },
    /// Something is known differently.
    Edited {
        /// Each with what it was.
        changes: Vec<Change>,
    },
    /// Somebody made sure that this is right.
    Confirmed {
        /// What.
        what: Doubt,
    },
    /// Cannot call, order on the site or log in from now on.
    Blocked {
        /// Why.
        reason: String,
    },
    /// Can again.
    Unblocked,
    /// Somebody complained.
    Complained {
        /// Of what.
        text: String,
    },
    /// Another card of the same person was taken in.
    Absorbed {
        /// Which.
        other: ClientId,
        /// As it was, to be looked back at.
        card: Box<Client>,
        /// What this card took from it.
        changes: Vec<Change>,
    },
    /// This card was taken into another one.
    MergedInto {
        /// Which.
        client: ClientId,
    },
    /// The client's data were erased on request. Entries before it hold none either: see [`redacted`](super::redacted).
    Erased,
}

impl Event {
    /// Its kind, as in JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Created { .. } => "created",
            Event::Edited { .. } => "edited",
            Event::Confirmed { .. } => "confirmed",
            Event::Blocked { .. } => "blocked",
            Event::Unblocked => "unblocked",
            Event::Complained { .. } => "complained",
            Event::Absorbed { .. } => "absorbed",
            Event::MergedInto { .. } => "merged_into",
            Event::Erased => "erased",
        }
    }

    /// What is to be counted with it.
    #[must_use]
    pub fn tally(&self) -> Option<Tally> {
        match self {
            Event::Complained { .. } => Some(Tally::Complaint),
            Event::Created { .. }
            | Event::Edited { .. }
            | Event::Confirmed { .. }
            | Event::Blocked { .. }
            | Event::Unblocked
            | Event::Absorbed { .. }
            | Event::MergedInto { .. }
            | Event::Erased => None,
        }
    }
}

/// One thing that people may change on a card. Lists are set as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(tag = "field", content = "value", rename_all = "snake_case")]
pub enum Detail {
    /// The card's id as people know it.
    Code(String),
    /// Personal or corporate.
    Kind(Kind),
    /// Name.
    Name(Name),
    /// Numbers, the main one first.
    Phones(Vec<CardPhone>),
    /// Address.
    Address(Option<Address>),
    /// E-mail; may be empty.
    Email(String),
    /// Default tariff.
    Tariff(Option<TariffId>),
    /// Note.
    Note(String),
    /// Days to think of the client.
    Dates(Dates),
    /// Language.
    Language(Option<Language>),
    /// Wishes about being informed.
    Notify(ClientNotify),
    /// Level of conflict, 0 to 3.
    Conflict(u8),
    /// Cars.
    Cars(Vec<CardCar>),
    /// Tags.
    Tags(BTreeSet<String>),
    /// Own discount.
    Discount(Option<Discount>),
    /// Group.
    Group(Option<GroupId>),
}

/// A detail that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Change {
    /// What it was.
    pub before: Detail,
    /// What it is now.
    pub after: Detail,
}
