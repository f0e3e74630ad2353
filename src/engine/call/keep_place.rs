//! A waiting caller who would rather be called back: the keys of [`CallBack`], and the end of the call when the place is
//! kept. Meanwhile the caller stands in line like any other: who is offered to an agent is about to talk.

use crate::engine::acd::queue::{Eligible, Place};
use crate::engine::call::{Call, Phase, Timer};
use crate::engine::callback::request::KeptPlace;
use crate::engine::command::Command;
use crate::engine::event::CallerCard;
use crate::engine::ivr::Choice;
use crate::engine::ivr::call_back::{Ask, CallBack};
use crate::engine::shared::Shared;
use crate::engine::time::Instant;
use crate::speech::Phrase;

impl Call {
    /// This caller may choose to be called back: the queue offers it, and clients can be called.
    pub(super) fn may_be_called_back(&self, core: &Shared) -> bool {
        let possible = core.settings.callback.enabled && core.settings.trunk.is_some();
        // Who was called has waited enough; who has talked already belongs to a talk.
        possible && core.queue(self.queue).callback_offer && !self.outgoing && self.first_talk.is_none()
    }

    /// A key of a caller who waits. 1 asks to be called back.
    pub(super) fn waiting_key(&mut self, core: &mut Shared, key: char) {
        // A phone rings already.
        if !self.legs.is_empty() || self.place.is_none() {
            return;
        }
        let Some(mut dialog) = self.call_back.take() else {
            if key == '1' && self.may_be_called_back(core) {
                let own = core.settings.outside(&self.number).map(|_| self.number.clone());
                let (dialog, ask) = CallBack::begin(own);
                self.call_back = Some(dialog);
                self.go_on_asking(core, None, ask);
            }
            return;
        };
        let (choice, ask) = dialog.key(key, |number| core.settings.outside(number).is_some());
        self.call_back = Some(dialog);
        self.go_on_asking(core, choice, ask);
    }

    fn go_on_asking(&mut self, core: &mut Shared, choice: Option<Choice>, ask: Ask) {
        if let Some(choice) = choice {
            self.chose(core, choice);
        }
        match ask {
            Ask::Say(phrases) => {
                self.disarm(Timer::Key);
                self.play(core, phrases, false);
            }
            Ask::Keep(number) => self.ask_to_keep(core, number),
            Ask::Back(phrases) => {
                self.stop_asking(core);
                self.play(core, phrases, false);
            }
            // Who enters a number hears nothing but the own keys; the office's answer is not waited for any longer.
            Ask::Listen if !self.is_keeping_place() => {
                self.stop_prompt(core);
                self.await_answer(core);
            }
            Ask::Listen => {}
        }
    }

    /// Waits for a key or for the office, unless something is being said: then the wait begins after it.
    pub(super) fn await_answer(&mut self, core: &mut Shared) {
        if self.prompt.is_none()
            && let Some(dialog) = &self.call_back
        {
            let patience = dialog.patience();
            self.arm(core, Timer::Key, patience);
        }
    }

    fn ask_to_keep(&mut self, core: &mut Shared, number: String) {
        let Some((place, _)) = self.place else { return };
        // Not offered while the office writes it down.
        self.make_eligible(core, place, Eligible::Nobody);
        self.stop_prompt(core);
        let entered = self.queued.unwrap_or(core.now.mono);
        let place = KeptPlace {
            call: self.id,
            node: self.node,
            queue: core.queue(self.queue).name.clone(),
            priority: self.card.priority,
            entered: core.now.wall_of(entered),
        };
        let client = self.card.client.filter(|_| number == self.number);
        core.out.push_back(Command::KeepPlace { call: self.id, number, client, language: self.language, place });
        self.await_answer(core);
        self.publish(core);
    }

    /// The office is writing down that the place is kept.
    pub(in crate::engine) fn is_keeping_place(&self) -> bool {
        self.phase == Phase::Waiting && self.call_back.as_ref().is_some_and(CallBack::is_keeping)
    }

    /// No key, or no answer of the office.
    pub(super) fn not_answered(&mut self, core: &mut Shared) {
        if let Some(mut dialog) = self.call_back.take() {
            let (choice, ask) = dialog.silence();
            self.call_back = Some(dialog);
            self.go_on_asking(core, choice, ask);
        }
    }

    /// The caller waits on the line as before.
    pub(super) fn stop_asking(&mut self, core: &mut Shared) {
        let was_keeping = self.is_keeping_place();
        if self.call_back.take().is_some() {
            self.disarm(Timer::Key);
        }
        if was_keeping && let Some((place, Eligible::Nobody)) = self.place {
            self.make_eligible(core, place, Eligible::Anyone);
            self.publish(core);
        }
    }

    /// An offer begins: whatever was being asked is dropped.
    pub(super) fn offer_interrupts(&mut self, core: &mut Shared) {
        if self.call_back.take().is_some() {
            self.disarm(Timer::Key);
            if self.prompt.is_none() {
                self.music_on(core);
            }
        }
    }

    /// The place is kept: the caller is told, and the call ends.
    pub(in crate::engine) fn place_is_kept(&mut self, core: &mut Shared) {
        self.chose(core, Choice::KeptPlace);
        self.call_back = None;
        self.menu = None;
        self.kept_place = true;
        self.disarm(Timer::Key);
        self.leave_line(core);
        self.phase = Phase::Menu;
        self.play(core, vec![Phrase::PlaceKept], false);
        self.publish(core);
    }

    /// The place could not be kept: the caller waits on.
    pub(in crate::engine) fn place_is_not_kept(&mut self, core: &mut Shared) {
        self.not_answered(core);
    }

    /// The client of a kept place came to the queue by another way, and has that place if it is the better one.
    pub(in crate::engine) fn takes_place(&mut self, core: &mut Shared, entered: Instant, priority: i16) {
        let (Some((place, eligible)), Some(queued)) = (self.place, self.queued) else { return };
        let queue_priority = core.queue(self.queue).priority;
        let entered = entered.min(queued);
        self.group_priority = self.group_priority.max(priority);
        self.card.priority = self.card.priority.max(priority);
        self.priority = queue_priority.saturating_add(self.card.priority);
        let better = Place::new(self.id, entered, self.priority, core.settings.priority_step).min(place);
        self.queued = Some(entered);
        self.place = Some((better, eligible));
        let line = core.line(self.queue, self.node);
        line.leave(place, eligible);
        line.enter(better, eligible);
        self.set_memo(core);
        self.journal_queued(core, entered);
        self.publish(core);
    }

    /// The caller is called back: this call only says so.
    pub(in crate::engine) fn keeps_place(&self) -> bool {
        self.kept_place
    }

    /// The client talked with an agent.
    pub(in crate::engine) fn has_been_heard(&self) -> bool {
        self.first_talk.is_some()
    }

    /// What the office knows of the client.
    pub(in crate::engine) fn card(&self) -> &CallerCard {
        &self.card
    }

    /// Waits in a queue.
    pub(in crate::engine) fn waits(&self) -> bool {
        self.phase == Phase::Waiting && self.place.is_some()
    }
}
