//! The engine's note on a caller's channel. It lives in Asterisk as long as the channel, so that a call can be taken up
//! again by an engine that has never heard of it.

use std::time::Duration;

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
    /// When the caller first talked with somebody, if so.
    pub first_talk: Option<Wall>,
    /// The time in talks that are over.
    pub talked: Duration,
    /// Since when the present talk lasts, if there is one.
    pub talks_since: Option<Wall>,
    /// The recording was paused at some time.
    pub was_paused: bool,
    /// What is said is not kept, until then at most.
    pub unkept_until: Option<Wall>,
}

/// Version of the format.
const VERSION: &str = "1";

impl Memo {
    pub fn write(&self) -> String {
        let moment = |at: Option<Wall>| at.map_or_else(String::new, |at| at.0.to_string());
        let (queued, first_talk) = (moment(self.queued), moment(self.first_talk));
        let (talked, since) = (self.talked.as_millis(), moment(self.talks_since));
        let unkept = if self.was_paused { format!(";{}", moment(self.unkept_until)) } else { String::new() };
        let (call, arrived, priority, queue) = (self.call, self.arrived.0, self.priority, &self.queue);
        format!("{VERSION};{call};{arrived};{queued};{priority};{queue};{first_talk};{talked};{since}{unkept}")
    }

    /// Reads a note; `None` if it is not one of ours or of another version.
    pub fn read(text: &str) -> Option<Memo> {
        let mut fields = text.split(';');
        if fields.next()? != VERSION {
            return None;
        }
        let call = CallId::parse(fields.next()?)?;
        let arrived = Wall(fields.next()?.parse().ok()?);
        let queued = moment(fields.next()?)?;
        let priority = fields.next()?.parse().ok()?;
        let queue = fields.next()?.to_owned();
        let first_talk = moment(fields.next()?)?;
        let talked = Duration::from_millis(fields.next()?.parse().ok()?);
        let talks_since = moment(fields.next()?)?;
        let pause = fields.next();
        let (was_paused, unkept_until) = (pause.is_some(), pause.map_or(Some(None), moment)?);
        Some(Memo { call, arrived, queued, queue, priority, first_talk, talked, talks_since, was_paused, unkept_until })
    }
}

/// A moment that may be missing; `None` if it is not written as one.
#[allow(clippy::option_option)]
fn moment(text: &str) -> Option<Option<Wall>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(|at| Some(Wall(at))) }
}

impl Call {
    pub(super) fn memo(&self, core: &Shared) -> String {
        Memo {
            call: self.id,
            arrived: self.arrived.wall,
            queued: self.queued.map(|at| core.now.wall_of(at)),
            queue: core.queue(self.queue).name.clone(),
            priority: self.card.priority,
            first_talk: self.first_talk.map(|at| core.now.wall_of(at)),
            talked: self.talked,
            talks_since: self.talk_since.map(|at| core.now.wall_of(at)),
            was_paused: self.was_paused,
            unkept_until: self.unkept_until.map(|at| core.now.wall_of(at)),
        }
        .write()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_is_read_back_as_it_was_written() {
        for moment in [None, Some(Wall(1_795_293_198_123))] {
            let memo = Memo {
                call: CallId(0x1234_5678),
                arrived: Wall(1_795_293_190_000),
                queued: moment,
                queue: "main".to_owned(),
                priority: -2,
                first_talk: moment,
                talked: Duration::from_millis(1500),
                talks_since: moment,
                was_paused: true,
                unkept_until: moment,
            };
            assert_eq!(Memo::read(&memo.write()), Some(memo));
        }
    }

    #[test]
    fn a_memo_without_a_pause_is_read() {
        let memo = Memo::read("1;0000000012345678;5;;0;main;;0;").unwrap();
        assert_eq!((memo.was_paused, memo.unkept_until), (false, None));
        assert_eq!(Memo { was_paused: false, ..memo.clone() }.write(), "1;0000000012345678;5;;0;main;;0;");
    }

    #[test]
    fn what_others_wrote_is_not_taken_for_a_memo() {
        let texts =
            ["", ";", "2;x", "1;zz", "1;0000000012345678;x;;0;main;;0;", "1;0000000012345678;5;;0;main;;;", "я;я;я"];
        for text in texts {
            assert_eq!(Memo::read(text), None, "{text}");
        }
    }
}
