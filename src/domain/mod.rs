//! Order logic of the office: what is true of clients, numbers and orders, whoever asks. Standard library only.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod hint;
pub mod phone;
pub mod search;
