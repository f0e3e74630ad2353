//! One attempt to reach a client: dialled, ringing, answered, screened; and what its end means.

use crate::engine::ids::{CallId, CallbackId, ChannelId, NodeId};
use crate::engine::time::Instant;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// A person heard it, or pressed a key.
    Delivered,
    /// Answered, and hung up before the essential part was heard.
    HungUp,
    /// An answering machine.
    Machine,
    /// The line is busy.
    Busy,
    /// It rang, and nobody answered.
    NoAnswer,
    /// Refused by the one who was called.
    Rejected,
    /// The phone is switched off or out of reach.
    Unreachable,
    /// The network or the trunk has no way at this moment.
    Congestion,
    /// There is no such number.
    NoSuchNumber,
    /// The number is not among those that may be called.
    NotAllowed,
    /// Asterisk was restarted, or the engine could not follow the call to its end.
    Interrupted,
    /// Given up because the client rang in meanwhile, nothing was left to tell, or the reserved agent went away.
    GivenUp,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 12] = [
        Outcome::Delivered,
        Outcome::HungUp,
        Outcome::Machine,
        Outcome::Busy,
        Outcome::NoAnswer,
        Outcome::Rejected,
        Outcome::Unreachable,
        Outcome::Congestion,
        Outcome::NoSuchNumber,
        Outcome::NotAllowed,
        Outcome::Interrupted,
        Outcome::GivenUp,
    ];

    /// The word of the database and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Delivered => "delivered",
            Outcome::HungUp => "hung_up",
            Outcome::Machine => "machine",
            Outcome::Busy => "busy",
            Outcome::NoAnswer => "no_answer",
            Outcome::Rejected => "rejected",
            Outcome::Unreachable => "unreachable",
            Outcome::Congestion => "congestion",
            Outcome::NoSuchNumber => "no_such_number",
            Outcome::NotAllowed => "not_allowed",
            Outcome::Interrupted => "interrupted",
            Outcome::GivenUp => "given_up",
        }
    }

    /// What a call means that ended unanswered with this cause. `rang`: the far phone was told to ring.
    ///
    /// Causes are those of ITU-T Q.850; for a SIP status they are what RFC 3398 (section 8.2.6.1) and Asterisk's
    /// `hangup_sip2cause` make of it, or what the network itself says in a `Reason` header (RFC 3326; RFC 4411 adds
    /// the pre-emption of a call, which comes as 8 or 9).
    ///
    /// | cause | Q.850 | SIP | outcome |
    /// | --- | --- | --- | --- |
    /// | 1, 2, 3 | unallocated number; no route | 404, 410, 485, 604 | no such number |
    /// | 22, 28 | number changed; invalid number format | 410, 484 | no such number |
    /// | 17 | user busy | 486, 600 | busy |
    /// | 18, 19 | no user responding; no answer | 408, 480 | no answer |
    /// | 21 | call rejected | 401, 403, 407, 603 | rejected |
    /// | 20, 27 | subscriber absent; destination out of order | 480 with a reason, 502 | unreachable |
    /// | 31, 127, 0, 16 | unspecified, interworking, none | 4xx, 487 | no answer if it rang, else unreachable |
    /// | 8, 9, 34, 38, 41, 42, 44, 47 | pre-empted; no circuit; out of order; failure; congestion | 5xx | congestion |
    #[must_use]
    pub fn of_cause(cause: u16, rang: bool) -> Outcome {
        match cause {
            1..=3 | 22 | 28 => Outcome::NoSuchNumber,
            17 => Outcome::Busy,
            18 | 19 => Outcome::NoAnswer,
            21 => Outcome::Rejected,
            20 | 27 => Outcome::Unreachable,
            8 | 9 | 34 | 38 | 41..=44 | 46 | 47 | 58 | 63 | 102 => Outcome::Congestion,
            _ if rang => Outcome::NoAnswer,
            _ => Outcome::Unreachable,
        }
    }

    /// Whether it is one of the set number of attempts.
    #[must_use]
    pub fn counts(self) -> bool {
        match self {
            Outcome::Interrupted | Outcome::GivenUp => false,
            Outcome::Delivered
            | Outcome::HungUp
            | Outcome::Machine
            | Outcome::Busy
            | Outcome::NoAnswer
            | Outcome::Rejected
            | Outcome::Unreachable
            | Outcome::Congestion
            | Outcome::NoSuchNumber
            | Outcome::NotAllowed => true,
        }
    }

    /// No further attempt will do better.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Outcome::Delivered | Outcome::NoSuchNumber | Outcome::NotAllowed => true,
            Outcome::HungUp
            | Outcome::Machine
            | Outcome::Busy
            | Outcome::NoAnswer
            | Outcome::Rejected
            | Outcome::Unreachable
            | Outcome::Congestion
            | Outcome::Interrupted
            | Outcome::GivenUp => false,
        }
    }
}

/// Where an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Asked for.
    Dialling,
    /// The far phone rings, or the network plays something instead (early media is no answer).
    Ringing,
    /// Answered; the dialplan finds out by whom.
    Screening,
    /// A person is on the line: the call has it.
    Talking,
    /// Being hung up; how it ended is known.
    Ending(Outcome),
}

/// One attempt.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub callback: CallbackId,
    pub node: NodeId,
    pub channel: ChannelId,
    pub stage: Stage,
    /// When the present stage must be over; none while the call has it.
    pub due: Option<Instant>,
    pub hang_ups: u8,
    /// It was heard.
    pub delivered: bool,
    /// The network plays something, and no phone is known to ring.
    pub early_media: bool,
    /// The dialplan has armed a recording, and no call will collect it.
    pub armed: bool,
    /// What it was for, once it was delivered: the callback is forgotten then.
    pub about: Option<&'static str>,
}

impl Attempt {
    pub fn new(id: CallId, callback: CallbackId, node: NodeId) -> Attempt {
        let channel = crate::engine::ids::Own::Outgoing.id(id).into();
        Attempt {
            callback,
            node,
            channel,
            stage: Stage::Dialling,
            due: None,
            hang_ups: 0,
            delivered: false,
            early_media: false,
            armed: false,
            about: None,
        }
    }
}

/// The first note on an outgoing channel: whose attempt it is, before there is a call.
#[must_use]
pub(super) fn memo(callback: CallbackId) -> String {
    format!("o;{}", callback.0)
}

/// Reads [`memo`].
#[must_use]
pub(super) fn read_memo(text: &str) -> Option<CallbackId> {
    text.strip_prefix("o;")?.parse().ok().map(CallbackId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_means_what_the_table_says() {
        use Outcome::*;
        for (cause, before, ringing) in [
            (1, NoSuchNumber, NoSuchNumber),
            (17, Busy, Busy),
            (19, NoAnswer, NoAnswer),
            (20, Unreachable, Unreachable),
            (21, Rejected, Rejected),
            (27, Unreachable, Unreachable),
            (28, NoSuchNumber, NoSuchNumber),
            (34, Congestion, Congestion),
            (38, Congestion, Congestion),
            (42, Congestion, Congestion),
            (0, Unreachable, NoAnswer),
            (16, Unreachable, NoAnswer),
            (127, Unreachable, NoAnswer),
        ] {
            assert_eq!((Outcome::of_cause(cause, false), Outcome::of_cause(cause, true)), (before, ringing), "{cause}");
        }
    }

    #[test]
    fn the_note_on_a_channel_is_read_back_and_others_are_not() {
        assert_eq!(read_memo(&memo(CallbackId(17))), Some(CallbackId(17)));
        for text in ["", "o;", "o;x", "1;0000000012345678;5;;0;main;;;"] {
            assert_eq!(read_memo(text), None, "{text}");
        }
    }
}
