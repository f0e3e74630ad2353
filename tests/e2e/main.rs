//! End to end: a real Asterisk, the real engine, real SIP calls by SIPp, real audio.
//!
//! Each test has an office of its own (folder, ports, Asterisk, engine, database) and so runs alone or beside others, in
//! one process or in several. What an office left behind is kept when its test fails, and the end of each log is shown.
//!
//! - `office`: Asterisk, engine and database of one test; `ports`, `process`: what they stand on
//! - `api`: the engine's HTTP API; `ari`: Asterisk's side, as a second pair of eyes
//! - `story`: what the journal tells of a call
//! - `phones`: callers and agents' phones (SIPp); `audio`: what is in a recording;
//!   `ear`: what a caller hears, and keys
//! - `kannel`: a real SMS gateway and its stand-in for a mobile network
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod api;
mod archive;
mod ari;
mod audio;
mod callbacks;
mod dialled;
mod ear;
mod kannel;
mod kept_places;
mod office;
mod phones;
mod ports;
mod postgres;
mod process;
#[path = "../cli/rhvoice.rs"]
mod rhvoice;
mod story;
mod wait;

mod agents;
mod faults;
mod fifty;
mod hang_ups;
mod ivr;
mod logs;
mod machines;
mod main_flow;
mod monitors;
mod pauses;
mod queue;
mod restart;
mod settings;
mod setup;
mod sms;
mod talk;
mod told;
