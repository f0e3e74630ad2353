//! The client's card («карточка клиента»).

mod attention;
mod card;
mod check;
mod command;
mod counters;
mod decide;
mod detail;
mod erase;
mod event;
mod merge;
#[cfg(test)]
mod tests;

pub use attention::{Attention, Reason, attention};
pub use card::{Block, CardCar, CardPhone, Client, Dates, Kind, Name, NamedDate, Since};
pub use check::{Check, CheckRules, Doubt, checks};
pub use command::{Command, Create};
pub use counters::{Counters, Tally};
pub use decide::{create, first_call, handle, restore};
pub use erase::redacted;
pub use event::{Change, Detail, Event};
pub use merge::{Merged, Side, merge};
