//! SMS: why one is written, how long it is of use, how networks count it, and what clients write back.

mod segment;
mod translit;
mod wish;

use std::time::Duration;

use super::limit::{self, LONG};
use super::notify::Occasion;
use super::rejected::Rejected;

pub use segment::{Encoding, Segments, segments};
pub use translit::transliterate;
pub use wish::Wish;

/// Why an SMS is written to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SmsReason {
    /// To tell of an order.
    Announcement(Occasion),
    /// All calls about the order failed.
    AttemptsExhausted,
    /// Somebody of the office wrote it.
    Agent,
    /// It answers an SMS.
    Answer,
    /// A birthday or another day of the client's.
    Attention,
}

impl SmsReason {
    /// All of them.
    pub const ALL: [SmsReason; 10] = [
        SmsReason::Announcement(Occasion::Assigned),
        SmsReason::Announcement(Occasion::EtaChanged),
        SmsReason::Announcement(Occasion::Arrived),
        SmsReason::Announcement(Occasion::NotFound),
        SmsReason::Announcement(Occasion::Closed),
        SmsReason::Announcement(Occasion::Cancelled),
        SmsReason::AttemptsExhausted,
        SmsReason::Agent,
        SmsReason::Answer,
        SmsReason::Attention,
    ];

    /// As it stands in JSON and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            SmsReason::Announcement(occasion) => occasion.as_str(),
            SmsReason::AttemptsExhausted => "attempts_exhausted",
            SmsReason::Agent => "agent",
            SmsReason::Answer => "answer",
            SmsReason::Attention => "attention",
        }
    }

    /// Reads [`as_str`](SmsReason::as_str).
    #[must_use]
    pub fn parse(text: &str) -> Option<SmsReason> {
        SmsReason::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// After so long it is of no use any more: «машина вас ждёт» an hour late only makes angry.
    #[must_use]
    pub fn lifetime(self) -> Duration {
        let minutes = match self {
            SmsReason::Announcement(Occasion::EtaChanged) | SmsReason::Answer => 15,
            SmsReason::Announcement(Occasion::Assigned | Occasion::Arrived) => 30,
            SmsReason::Announcement(Occasion::NotFound | Occasion::Cancelled) | SmsReason::AttemptsExhausted => 120,
            SmsReason::Attention => 12 * 60,
            SmsReason::Announcement(Occasion::Closed) | SmsReason::Agent => 24 * 60,
        };
        Duration::from_secs(minutes * 60)
    }

    /// Whether it tells the state of an order, so that what is told later makes it needless.
    #[must_use]
    pub fn is_of_an_order(self) -> bool {
        match self {
            SmsReason::Announcement(_) | SmsReason::AttemptsExhausted => true,
            SmsReason::Agent | SmsReason::Answer | SmsReason::Attention => false,
        }
    }
}

/// How far an SMS is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SmsState {
    /// Waits to be sent.
    Queued,
    /// A gateway took it and has not told more.
    Sent,
    /// The telephone has it.
    Delivered,
    /// It will not arrive.
    Failed,
    /// It was of no use any more before it arrived.
    Expired,
    /// Something newer about the same order was told, before it was sent.
    Superseded,
    /// Came in, and is for people to read.
    Received,
    /// Came in, and was answered by the engine.
    Answered,
}

impl SmsState {
    /// All of them.
    pub const ALL: [SmsState; 8] = [
        SmsState::Queued,
        SmsState::Sent,
        SmsState::Delivered,
        SmsState::Failed,
        SmsState::Expired,
        SmsState::Superseded,
        SmsState::Received,
        SmsState::Answered,
    ];

    /// As it stands in JSON and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            SmsState::Queued => "queued",
            SmsState::Sent => "sent",
            SmsState::Delivered => "delivered",
            SmsState::Failed => "failed",
            SmsState::Expired => "expired",
            SmsState::Superseded => "superseded",
            SmsState::Received => "received",
            SmsState::Answered => "answered",
        }
    }

    /// Reads [`as_str`](SmsState::as_str).
    #[must_use]
    pub fn parse(text: &str) -> Option<SmsState> {
        SmsState::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Refuses a text that somebody wrote and that cannot be sent: empty, or longer than networks and readers bear.
///
/// # Errors
/// [`Rejected::Field`].
pub fn check_text(text: &str) -> Result<(), Rejected> {
    limit::check_some("text", text, LONGEST.min(LONG))
}

/// Characters of one SMS at most: ten parts of Russian text.
pub const LONGEST: usize = 670;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_and_state_is_read_back() {
        for reason in SmsReason::ALL {
            assert_eq!(SmsReason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(SmsReason::parse(""), None);
        for state in SmsState::ALL {
            assert_eq!(SmsState::parse(state.as_str()), Some(state));
        }
    }
}
