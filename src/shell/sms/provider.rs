//! A gateway that takes SMS, whatever its kind.

use std::time::Duration;

use crate::domain::ids::SmsId;
use crate::domain::sms::Segments;

use super::http::Template;
use super::kannel::Kannel;
use super::smpp::Smpp;

/// An SMS on its way to a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Which.
    pub id: SmsId,
    /// Our name for this attempt, which the gateway's reports may give back.
    pub reference: String,
    /// To whom: `+` and digits.
    pub to: String,
    /// What, as it goes out.
    pub text: String,
    /// The same as the network counts it.
    pub segments: Segments,
    /// How long it is of use.
    pub valid: Duration,
}

/// A gateway took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What its reports will name; empty where none will come.
    pub references: Vec<String>,
}

/// Why a gateway did not take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened, and what to do.
    pub error: String,
    /// This SMS will never be taken, however often it is tried; the gateway itself is well.
    pub refused: bool,
}

impl Failure {
    /// Another attempt may succeed.
    pub fn for_now(error: impl Into<String>) -> Failure {
        Failure { error: error.into(), refused: false }
    }

    /// None will.
    pub fn for_good(error: impl Into<String>) -> Failure {
        Failure { error: error.into(), refused: true }
    }
}

/// A gateway with its name in the configuration.
#[derive(Clone, Debug)]
pub struct Provider {
    /// For people, logs, metrics and the path of its reports.
    pub name: String,
    /// How it is spoken to.
    pub line: Line,
}

/// How a gateway is spoken to.
#[derive(Clone, Debug)]
pub enum Line {
    /// Kannel's `sendsms`.
    Kannel(Kannel),
    /// Any request that a template can write.
    Http(Template),
    /// A line to a network's SMS centre.
    Smpp(Smpp),
}

impl Provider {
    /// Hands it over.
    ///
    /// # Errors
    /// [`Failure`]; after a time-out nobody knows whether it was taken.
    pub async fn send(&self, sms: &Outgoing) -> Result<Accepted, Failure> {
        match &self.line {
            Line::Kannel(kannel) => kannel.send(sms).await,
            Line::Http(template) => template.send(sms).await,
            Line::Smpp(smpp) => smpp.send(sms).await,
        }
    }

    /// Whether it answers, without sending anything: its words, or what is wrong.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub async fn probe(&self) -> Result<String, String> {
        match &self.line {
            Line::Kannel(kannel) => kannel.probe().await,
            Line::Http(template) => template.probe().await,
            Line::Smpp(smpp) => smpp.probe().await,
        }
    }
}
