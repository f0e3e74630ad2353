//! Order logic of the office: what is true of clients, numbers, orders and money, whoever asks.
//!
//! Every operation takes a state, a command, who commands ([`history::By`]) and the time, and gives the new state with
//! the entries for its history, or a [`rejected::Rejected`]. The state is the sum of its entries: folding them again
//! gives the same state. No clock, no I/O, no order that depends on a hash.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod address;
pub mod client;
pub mod contact;
pub mod fare;
pub mod group;
pub mod hint;
pub mod history;
pub mod ids;
pub mod language;
pub mod ledger;
mod limit;
pub mod money;
pub mod notify;
pub mod order;
pub mod phone;
pub mod quality;
pub mod rejected;
pub mod search;
pub mod sms;
pub mod tariff;
pub mod taximeter;
pub mod time;
