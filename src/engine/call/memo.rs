//! The engine's note on a caller's channel. It lives in Asterisk as long as the channel, so that a call can be taken up
//! again by an engine that has never heard of it.

use crate::engine::call::Call;
use crate::engine::ids::CallId;
use crate::engine::shared::Shared;
use crate::engine::time::Wall;

/// What is written down: everything that the channel itself, its bridge and its legs do not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Memo {
    pub call: CallId,
    pub arrived: Wall,
    /// When the caller entered the queue, if so.
    pub queued: Option<Wall>,
    /// The queue, by name: ids change with the settings.
    pub queue: String,
    /// What the card adds to the queue's priority.
    pub priority: i16,
    /// The caller has talked with somebody already.
    pub talked: bool,
}

/// Version of the format.
const VERSION: &str = "1";

impl Memo {
    pub fn write(&self) -> String {
        let queued = self.queued.map_or_else(String::new, |at| at.0.to_string());
        let talked = u8::from(self.talked);
        format!("{VERSION};{};{};{queued};{};{};{talked}", self.call, self.arrived.0, self.priority, self.queue)
    }

    /// Reads a note; `None` if it is not one of ours or of another version.
    pub fn read(text: &str) -> Option<Memo> {
        let mut fields = text.split(';');
        if fields.next()? != VERSION {
            return None;
        }
        let call = CallId::parse(fields.next()?)?;
        let arrived = Wall(fields.next()?.parse().ok()?);
        let queued = match fields.next()? {
            "" => None,
            at => Some(Wall(at.parse().ok()?)),
        };
        let priority = fields.next()?.parse().ok()?;
        let queue = fields.next()?.to_owned();
        let talked = fields.next()? == "1";
        Some(Memo { call, arrived, queued, queue, priority, talked })
    }
}

impl Call {
    pub(super) fn memo(&self, core: &Shared) -> String {
        Memo {
            call: self.id,
            arrived: self.arrived.wall,
            queued: self.queued.map(|at| core.now.wall_of(at)),
            queue: core.queue(self.queue).name.clone(),
            priority: self.card.priority,
            talked: self.first_talk.is_some(),
        }
        .write()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_is_read_back_as_it_was_written() {
        for queued in [None, Some(Wall(1_795_293_198_123))] {
            let memo = Memo {
                call: CallId(0x1234_5678),
                arrived: Wall(1_795_293_190_000),
                queued,
                queue: "main".to_owned(),
                priority: -2,
                talked: true,
            };
            assert_eq!(Memo::read(&memo.write()), Some(memo));
        }
    }

    #[test]
    fn what_others_wrote_is_not_taken_for_a_memo() {
        for text in ["", ";", "2;x", "1;zz", "1;0000000012345678;x;;0;main;0", "1;0000000012345678;5", "я;я;я"] {
            assert_eq!(Memo::read(text), None, "{text}");
        }
    }
}
