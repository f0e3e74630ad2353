//! Call logic: the state machines and the one `Engine` that owns them.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod command;
pub mod event;
pub mod ids;
pub mod settings;
pub mod time;
pub mod view;
