//! Pauses of the recording, while a caller says what is not to be kept (the number of a card).
//!
//! Asterisk's recorder runs on the caller's channel from the dialplan on, and nothing in ARI silences it without silencing
//! the talk. So a pause is noted with its place in the recording, which is the time in talks so far, and the archive
//! silences both sides there before the file gets a checksum and is stored; what Asterisk has is removed afterwards. The
//! note is a fact of the journal, written before the request is answered: it outlives a crash of the engine, and a pause
//! whose end nobody saw lasts to the end of the recording.

use std::time::Duration;

use crate::engine::call::{Call, Timer};
use crate::engine::command::Denied;
use crate::engine::event::Actor;
use crate::engine::shared::Shared;
use crate::engine::time::Wall;

/// Of the notes in a call's timeline: from here on nothing is kept. The detail is the place in the recording: whole
/// milliseconds, ` ms`.
pub const PAUSED: &str = "recording_paused";
/// From here on everything is kept again.
pub const RESUMED: &str = "recording_resumed";

impl Call {
    /// What is said from now on is not kept. Asked for again, it lasts longer.
    pub(in crate::engine) fn pause_recording(&mut self, core: &mut Shared, by: Actor) -> Result<(), Denied> {
        if self.serving().is_none() || self.first_talk.is_none() {
            return Err(self.wrong_stage("talking or held"));
        }
        let limit = core.settings.recording_pause;
        let begins = self.unkept_until.is_none();
        self.unkept_until = Some(core.now.mono + limit);
        self.was_paused = true;
        self.arm(core, Timer::Pause, limit);
        if begins {
            self.note(core, PAUSED, self.place_in_recording(core), by);
        }
        self.set_memo(core);
        self.publish(core);
        Ok(())
    }

    /// What is said from now on is kept again.
    pub(in crate::engine) fn resume_recording(&mut self, core: &mut Shared, by: Actor) -> Result<(), Denied> {
        if self.serving().is_none() {
            return Err(self.wrong_stage("talking or held"));
        }
        if self.unkept_until.is_some() {
            self.pause_over(core, by);
            self.publish(core);
        }
        Ok(())
    }

    /// The pause is over, if there is one.
    pub(super) fn pause_over(&mut self, core: &mut Shared, by: Actor) {
        if self.unkept_until.take().is_some() {
            self.disarm(Timer::Pause);
            self.note(core, RESUMED, self.place_in_recording(core), by);
            self.set_memo(core);
        }
    }

    /// A pause that a former engine began goes on.
    pub(super) fn take_up_pause(&mut self, core: &mut Shared, was_paused: bool, until: Option<Wall>) {
        self.was_paused |= was_paused;
        let Some(until) = until else { return };
        let left = u64::try_from(until.0.saturating_sub(core.now.wall.0)).unwrap_or(0);
        let left = Duration::from_millis(left).min(core.settings.recording_pause);
        self.unkept_until = Some(core.now.mono + left);
        self.arm(core, Timer::Pause, left);
    }

    /// How long the recording is by now: it holds what is said while the caller talks with somebody.
    fn place_in_recording(&self, core: &Shared) -> String {
        let talking = self.talk_since.map_or(Duration::ZERO, |since| core.now.mono.since(since));
        format!("{} ms", (self.talked + talking).as_millis())
    }
}
