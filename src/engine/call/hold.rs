//! Hold and resume.

use crate::engine::call::{Call, Phase};
use crate::engine::command::Denied;
use crate::engine::event::Actor;
use crate::engine::shared::Shared;

impl Call {
    /// The caller hears music, the agent is alone; nothing is recorded meanwhile.
    pub(in crate::engine) fn hold(&mut self, core: &mut Shared, by: Actor) -> Result<(), Denied> {
        match self.phase {
            Phase::Talking(no) => {
                self.put_on_hold(core);
                self.phase = Phase::Held(no);
                self.note(core, "held", String::new(), by);
                self.publish(core);
                Ok(())
            }
            Phase::Held(_) => Ok(()),
            Phase::Loading
            | Phase::Greeting
            | Phase::Menu
            | Phase::Waiting
            | Phase::Dialling(_)
            | Phase::Joining(_)
            | Phase::Consulting(..)
            | Phase::Ending => Err(self.wrong_stage("talking")),
        }
    }

    /// Back to the talk.
    pub(in crate::engine) fn resume(&mut self, core: &mut Shared, by: Actor) -> Result<(), Denied> {
        match self.phase {
            Phase::Held(no) => {
                self.note(core, "resumed", String::new(), by);
                self.join(core, no);
                self.publish(core);
                Ok(())
            }
            Phase::Talking(_) => Ok(()),
            Phase::Loading
            | Phase::Greeting
            | Phase::Menu
            | Phase::Waiting
            | Phase::Dialling(_)
            | Phase::Joining(_)
            | Phase::Consulting(..)
            | Phase::Ending => Err(self.wrong_stage("held")),
        }
    }

    pub(super) fn put_on_hold(&mut self, core: &mut Shared) {
        self.leave_talk(core);
        self.set_memo(core);
        self.music_on(core);
    }

    pub(super) fn wrong_stage(&self, needed: &'static str) -> Denied {
        Denied::WrongStage { now: self.stage().as_str(), needed }
    }
}
