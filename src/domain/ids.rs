//! Numbers of the rows that orders, cards, tariffs, groups and contacts are kept in; given by whoever keeps them.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

row_id! {
    /// An order.
    OrderId
}
row_id! {
    /// A client's card. Not what people call the card's id: that is [`Client::code`](super::client::Client::code).
    ClientId
}
row_id! {
    /// A tariff.
    TariffId
}
row_id! {
    /// A group of clients.
    GroupId
}
row_id! {
    /// An SMS, in or out.
    SmsId
}
row_id! {
    /// A contact: a call or a visit in the journal.
    ContactId
}
row_id! {
    /// A purpose of contacts.
    PurposeId
}
