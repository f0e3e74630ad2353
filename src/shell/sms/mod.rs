//! SMS through gateways: what is queued is handed to the first gateway that takes it, over and over while it is of use.
//!
//! - A gateway is tried in the order of the configuration; one that failed rests for a while, as long as another is there.
//! - What none takes is tried again after a pause that doubles. Attempts and due times are in the database.
//! - What a gateway took is written down before anything else is done with it, and never sent again. Only a crash between
//!   the gateway's answer and that line sends an SMS twice, and only a time-out may: nobody knows then whether it was taken.
//!
//! `kannel`, `http`, `smpp` and what they share speak to gateways, `inbound` takes what gateways tell.

mod gateway;
pub mod http;
mod inbound;
pub mod kannel;
pub mod provider;
pub mod smpp;
mod stats;
#[cfg(test)]
mod tests;
mod worker;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::shell::store::Secret;

use provider::Line;

pub use gateway::client;
pub use inbound::{Clock, Inbound, Incoming};
pub use provider::Provider;
pub use stats::Stats;
pub use worker::{Worker, start};

/// How SMS are sent.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Gateways, the preferred one first. Without any nothing can be sent.
    pub providers: Vec<Provider>,
    /// Russian goes out in Latin letters.
    pub transliterate: bool,
    /// Beginnings of numbers that SMS may go to.
    pub allowed_numbers: Vec<String>,
    /// What gateways must know to report to us; none: nobody may.
    pub secret: Option<Secret>,
    /// Answers to one number within an hour: two robots that answer each other end here.
    pub answers_per_hour: u32,
    /// How attempts follow each other.
    pub pace: Pace,
}

impl Settings {
    /// Whether an SMS may go to this number.
    #[must_use]
    pub fn allows(&self, number: &str) -> bool {
        self.allowed_numbers.iter().any(|start| number.starts_with(start.as_str()))
    }
}

/// Keeps the lines up of those gateways that have one, until `cancel`.
pub fn keep_lines(settings: &Settings, inbound: &Inbound, cancel: &CancellationToken) {
    for provider in &settings.providers {
        match &provider.line {
            Line::Smpp(smpp) => smpp.start(&provider.name, inbound.clone(), cancel.clone()),
            Line::Kannel(_) | Line::Http(_) => {}
        }
    }
}

/// How attempts follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The queue is looked into this often.
    pub every: Duration,
    /// Before the second attempt; doubled before each further one.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// A gateway that failed is asked last for so long.
    pub rest: Duration,
    /// SMS on their way at once.
    pub at_once: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            every: Duration::from_millis(500),
            first_pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(120),
            rest: Duration::from_secs(30),
            at_once: 16,
        }
    }
}
