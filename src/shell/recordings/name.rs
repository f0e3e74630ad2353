//! Names of recordings: `perezvon/<folder>/<id of the caller's channel>_<digits of the number>`, given by the dialplan.

use crate::domain::phone::Phone;
use crate::engine::ids::{CallId, Own};
use crate::engine::time::Wall;

/// Recordings of the engine's calls lie in this folder of Asterisk's recording folder.
pub(super) const FOLDER: &str = "perezvon/";

/// What a name tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    /// The caller's channel.
    pub(super) channel: &'a str,
    /// Canonical number; empty when hidden.
    pub(super) number: String,
    /// When the channel was made.
    pub(super) made: Wall,
}

impl<'a> Name<'a> {
    /// Reads a name; `None` for one that the dialplan did not give.
    pub(super) fn parse(name: &'a str) -> Option<Name<'a>> {
        let rest = name.strip_prefix(FOLDER)?;
        let file = match rest.split_once('/') {
            Some((folder, file)) if folder.starts_with('c') => file,
            Some(_) => return None,
            // Of a dialplan from before there were folders.
            None => rest,
        };
        let (channel, digits) = file.rsplit_once('_')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if channel.is_empty() || !channel.chars().all(plain) || !digits.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let made = match Own::parse(channel) {
            Some((call, _)) => moment(call),
            None => {
                // `<system name>-<seconds since 1970>.<number of the channel>`
                let (seconds, _) = channel.rsplit('-').next()?.split_once('.')?;
                Wall(seconds.parse::<i64>().ok()?.checked_mul(1000)?)
            }
        };
        Some(Name { channel, number: Phone::parse(digits).as_str().to_owned(), made })
    }
}

/// The moment at which a call's id was given.
pub(super) fn moment(call: CallId) -> Wall {
    Wall(i64::try_from(call.0 >> 20).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_channel_number_and_time() {
        let name = Name::parse("perezvon/c27/pz-1-1795293198.27_79001234567").unwrap();
        assert_eq!((name.channel, name.number.as_str()), ("pz-1-1795293198.27", "+79001234567"));
        assert_eq!(name.made, Wall(1_795_293_198_000));
        let hidden = Name::parse("perezvon/c28/1795293198.28_").unwrap();
        assert_eq!((hidden.channel, hidden.number.as_str()), ("1795293198.28", ""));
        let former = Name::parse("perezvon/1795293198.29_79001234567").unwrap();
        assert_eq!((former.channel, former.number.as_str()), ("1795293198.29", "+79001234567"));
    }

    #[test]
    fn the_leg_of_a_call_gives_the_time_of_the_call() {
        let call = CallId(1_795_293_198_123 << 20);
        let text = format!("perezvon/cl1/{}_79", Own::Leg(1).id(call));
        assert_eq!(Name::parse(&text).unwrap().made, Wall(1_795_293_198_123));
        assert_eq!(moment(call), Wall(1_795_293_198_123));
    }

    #[test]
    fn names_of_others_are_left_alone() {
        for text in [
            "",
            "perezvon/",
            "voicemail/c27/1795293198.27_79",
            "perezvon/../1795293198.27_79",
            "perezvon/c27/1795293198.27",
            "perezvon/c98/1795293198_79",
            "perezvon/c.1/../1.1_79",
            "perezvon/c.1/a b-1.1_79",
            "perezvon/c27/1795293198.27_7я",
            "perezvon/c.1/99999999999999999999.1_79",
            "perezvon/c.1/9223372036854775807.1_79",
        ] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }
}
