//! Identifiers. The core chooses the ids of all it makes in Asterisk, so that an event can be matched before the
//! REST reply comes and a repeated request is harmless.

use std::fmt;
use std::sync::Arc;

use super::time::Wall;

/// One call, for ever: milliseconds of its arrival shifted left by 20 bits, plus a counter. Ids grow with time.
/// Written as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

impl CallId {
    /// The next id after `last` at the moment `at`; greater than `last` even when the clock was set back.
    #[must_use]
    pub fn next(last: CallId, at: Wall) -> CallId {
        let by_clock = u64::try_from(at.0).unwrap_or(0) << 20;
        CallId(by_clock.max(last.0.saturating_add(1)))
    }

    /// Reads 16 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<CallId> {
        if text.len() != 16 {
            return None;
        }
        u64::from_str_radix(text, 16).ok().map(CallId)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// An Asterisk of the configuration, by its place in the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

/// An agent, by the number of the row in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentId(pub u32);

/// A queue, by its place in the configuration's list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub u16);

/// A request of a person or program that waits for [`Command::Respond`](super::command::Command::Respond); chosen by the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A callback: something that a client is to be called for, by the number of the row in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallbackId(pub i64);

macro_rules! asterisk_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as Asterisk writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                $name(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                $name(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

asterisk_id! {
    /// A channel of Asterisk.
    ChannelId
}
asterisk_id! {
    /// A bridge of Asterisk.
    BridgeId
}
asterisk_id! {
    /// A playback of Asterisk.
    PlaybackId
}

/// What an id that the core chose stands for. Written `pz-<call>-<letter><number>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Own {
    /// Leg number n of the call (letter `l`).
    Leg(u32),
    /// The bridge in which caller and agent talk (letter `b`).
    TalkBridge,
    /// The bridge in which the caller talks with a second party and all further ones (letter `m`): it mixes the sound
    /// anew. In a plain bridge packets go through as they are, numbered by each phone for itself, and Asterisk's
    /// recorder takes the second phone's for late ones of the first and drops them: up to 20 minutes of silence.
    MixBridge,
    /// The bridge in which an agent consults before a transfer (letter `c`).
    ConsultBridge,
    /// The channel of the client whom the office calls (letter `o`).
    Outgoing,
    /// Playback number n of the call (letter `p`).
    Playback(u32),
    /// Leg number n of the call: the phone of a supervisor who hears it (letter `v`).
    Monitor(u32),
    /// The bridge of that leg with a snoop (letter `w`).
    MonitorBridge(u32),
    /// Snoop number n of the call (letter `s`).
    Snoop(u32),
}

impl Own {
    /// The text of the id for this call.
    #[must_use]
    pub fn id(self, call: CallId) -> String {
        match self {
            Own::Leg(n) => format!("pz-{call}-l{n}"),
            Own::TalkBridge => format!("pz-{call}-b"),
            Own::MixBridge => format!("pz-{call}-m"),
            Own::ConsultBridge => format!("pz-{call}-c"),
            Own::Outgoing => format!("pz-{call}-o"),
            Own::Playback(n) => format!("pz-{call}-p{n}"),
            Own::Monitor(n) => format!("pz-{call}-v{n}"),
            Own::MonitorBridge(n) => format!("pz-{call}-w{n}"),
            Own::Snoop(n) => format!("pz-{call}-s{n}"),
        }
    }

    /// Reads an id back; `None` for ids that others chose.
    #[must_use]
    pub fn parse(text: &str) -> Option<(CallId, Own)> {
        let rest = text.strip_prefix("pz-")?;
        let (call, own) = rest.split_once('-')?;
        let call = CallId::parse(call)?;
        let own = match own {
            "b" => Own::TalkBridge,
            "m" => Own::MixBridge,
            "c" => Own::ConsultBridge,
            "o" => Own::Outgoing,
            _ => match own.split_at_checked(1)? {
                ("l", n) => Own::Leg(n.parse().ok()?),
                ("p", n) => Own::Playback(n.parse().ok()?),
                ("v", n) => Own::Monitor(n.parse().ok()?),
                ("w", n) => Own::MonitorBridge(n.parse().ok()?),
                ("s", n) => Own::Snoop(n.parse().ok()?),
                _ => return None,
            },
        };
        Some((call, own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_ids_are_read_back_as_they_were_written() {
        let call = CallId(0x0123_4567_89ab_cdef);
        for own in [Own::Leg(7), Own::TalkBridge, Own::MixBridge, Own::ConsultBridge, Own::Outgoing, Own::Playback(12)]
            .into_iter()
            .chain([Own::Monitor(3), Own::MonitorBridge(3), Own::Snoop(4)])
        {
            assert_eq!(Own::parse(&own.id(call)), Some((call, own)));
        }
    }

    #[test]
    fn ids_of_others_are_not_taken_for_own() {
        for text in [
            "",
            "pz-",
            "pz-12-b",
            "1795293198.27",
            "pz-0123456789abcdef-",
            "pz-0123456789abcdef-lx",
            "pz-0123456789abcdef-я",
        ] {
            assert_eq!(Own::parse(text), None, "{text}");
        }
    }

    #[test]
    fn call_ids_grow_even_when_the_clock_is_set_back() {
        let first = CallId::next(CallId(0), Wall(1_000));
        let second = CallId::next(first, Wall(500));
        assert!(second > first);
    }
}
