//! Transfers: at once or after asking; to an agent, a queue or an allowed outside number.

use std::time::Duration;

use crate::domain::phone::Phone;
use crate::engine::call::{Call, LegStage, Phase, Purpose};
use crate::engine::command::{AriRequest, Denied};
use crate::engine::event::{Actor, Target, TransferMode};
use crate::engine::ids::{AgentId, Own, QueueId};
use crate::engine::shared::Shared;
use crate::engine::view::OfferOutcome;
use crate::speech::Phrase;

/// How long an outside number may ring.
const OUTSIDE_RING: Duration = Duration::from_secs(45);

/// A target that was found fit.
enum Fit {
    Agent(AgentId, String),
    Queue(QueueId),
    Number(String, String),
}

impl Call {
    /// Sends the caller on, or begins to ask.
    pub(in crate::engine) fn transfer(
        &mut self,
        core: &mut Shared,
        to: &Target,
        mode: TransferMode,
        by: Actor,
    ) -> Result<(), Denied> {
        let (Phase::Talking(serving) | Phase::Held(serving)) = self.phase else {
            return Err(self.wrong_stage("talking or held"));
        };
        let fit = self.fit(core, to)?;
        let target = match (&fit, mode) {
            (Fit::Agent(id, _), _) => format!("agent {}", id.0),
            (Fit::Queue(id), TransferMode::Blind) => format!("queue {}", core.queue(*id).name),
            // There is nobody in a queue to ask.
            (Fit::Queue(_), TransferMode::Attended) => return Err(Denied::NoSuchQueue),
            (Fit::Number(number, _), _) => format!("number {number}"),
        };
        let what = match mode {
            TransferMode::Blind => "transferred",
            TransferMode::Attended => "consultation_started",
        };
        self.note(core, what, target, by);
        match mode {
            TransferMode::Blind => self.send_on(core, serving, fit),
            TransferMode::Attended => self.consult(core, serving, fit),
        }
        self.publish(core);
        Ok(())
    }

    fn fit(&self, core: &Shared, to: &Target) -> Result<Fit, Denied> {
        match to {
            Target::Agent(id) => {
                let agent = core.agents.get(*id).ok_or(Denied::NoSuchAgent(*id))?;
                if !agent.free() || agent.profile.node != self.node {
                    return Err(Denied::AgentNotFree(*id));
                }
                Ok(Fit::Agent(*id, format!("PJSIP/{}", agent.profile.endpoint)))
            }
            Target::Queue(id) if usize::from(id.0) < core.settings.queues.len() => Ok(Fit::Queue(*id)),
            Target::Queue(_) => Err(Denied::NoSuchQueue),
            Target::Number(text) => {
                let dial = core.settings.outside(text).ok_or(Denied::NumberNotAllowed)?;
                Ok(Fit::Number(Phone::parse(text).as_str().to_owned(), dial))
            }
        }
    }

    /// Blind: the agent is free at once.
    fn send_on(&mut self, core: &mut Shared, serving: u32, fit: Fit) {
        self.leave_talk(core);
        match fit {
            Fit::Agent(id, _) => self.enter_queue(core, self.queue, Some(id)),
            Fit::Queue(queue) => self.enter_queue(core, queue, None),
            Fit::Number(_, dial) => {
                self.set_memo(core);
                self.music_on(core);
                let no = self.ring(core, None, dial, Purpose::Transfer, OUTSIDE_RING);
                self.phase = Phase::Dialling(no);
            }
        }
        self.release_leg(core, serving, None);
    }

    /// Attended: the caller hears music while the agent asks.
    fn consult(&mut self, core: &mut Shared, serving: u32, fit: Fit) {
        let (agent, dial, ring_time) = match fit {
            Fit::Agent(id, dial) => (Some(id), dial, core.queue(self.queue).ring_time),
            Fit::Number(_, dial) => (None, dial, OUTSIDE_RING),
            Fit::Queue(_) => return,
        };
        if let Some(id) = agent
            && !core.agents.offer(id, self.id, self.next_leg + 1)
        {
            return;
        }
        if matches!(self.phase, Phase::Talking(_)) {
            self.put_on_hold(core);
        }
        let target = self.ring(core, agent, dial, Purpose::Transfer, ring_time);
        if let Some(id) = agent {
            core.agent_changed(id, false);
        }
        self.phase = Phase::Consulting(serving, target);
        if let Some(leg) = self.leg(serving) {
            let channel = leg.channel.clone();
            self.ari(core, AriRequest::RingbackOn(channel));
        }
        self.make_bridge(core, Own::ConsultBridge);
    }

    /// The one who is asked has answered.
    pub(super) fn consultation_begins(&mut self, core: &mut Shared, target: u32) {
        let Phase::Consulting(serving, _) = self.phase else { return };
        let Some(asked) = self.leg(target).map(|leg| leg.channel.clone()) else { return };
        let Some(agent) = self.leg_mut(serving) else { return };
        // Out of the talk bridge from now on, whenever that is told: who goes back must ask to be joined again.
        agent.in_talk = false;
        let agent = agent.channel.clone();
        self.ari(core, AriRequest::RingbackOff(agent.clone()));
        self.make_bridge(core, Own::ConsultBridge);
        self.ari(core, AriRequest::Join { bridge: self.bridge_id(Own::ConsultBridge), channels: vec![agent, asked] });
        self.publish(core);
    }

    /// Joins the caller with the one who was asked; the agent is free.
    pub(in crate::engine) fn complete_transfer(&mut self, core: &mut Shared, by: Actor) -> Result<(), Denied> {
        let Phase::Consulting(serving, target) = self.phase else { return Err(self.wrong_stage("consulting")) };
        self.note(core, "transferred", "after asking".to_owned(), by);
        self.hand_over(core, target);
        self.release_leg(core, serving, None);
        self.publish(core);
        Ok(())
    }

    /// The caller goes to the target: at once if it has answered, else as soon as it does.
    fn hand_over(&mut self, core: &mut Shared, target: u32) {
        if self.leg(target).is_some_and(|leg| leg.stage == LegStage::Up) {
            self.join(core, target);
        } else {
            self.phase = Phase::Dialling(target);
        }
    }

    /// Back to the caller.
    pub(in crate::engine) fn cancel_transfer(&mut self, core: &mut Shared, by: Actor) -> Result<(), Denied> {
        let Phase::Consulting(serving, target) = self.phase else { return Err(self.wrong_stage("consulting")) };
        self.note(core, "consultation_cancelled", String::new(), by);
        self.back_to_caller(core, serving);
        self.release_leg(core, target, Some(OfferOutcome::CallerGone));
        self.publish(core);
        Ok(())
    }

    fn back_to_caller(&mut self, core: &mut Shared, serving: u32) {
        if let Some(leg) = self.leg(serving) {
            let channel = leg.channel.clone();
            self.ari(core, AriRequest::RingbackOff(channel));
        }
        self.join(core, serving);
    }

    /// The agent who asks hung up: that completes the transfer.
    pub(super) fn consultant_left(&mut self, core: &mut Shared, target: u32) {
        self.note(core, "transferred", "by hanging up".to_owned(), Actor::Engine);
        self.hand_over(core, target);
        self.publish(core);
    }

    /// The one who is asked is gone or did not answer: back to the caller.
    pub(super) fn target_left(&mut self, core: &mut Shared, serving: u32) {
        self.note(core, "consultation_failed", String::new(), Actor::Engine);
        self.back_to_caller(core, serving);
        self.publish(core);
    }

    /// The outside number or agent did not answer: the caller is told and stands in the queue, where the first entry
    /// was.
    pub(super) fn transfer_failed(&mut self, core: &mut Shared) {
        self.note(core, "transfer_failed", String::new(), Actor::Engine);
        // The prompt last: what waits for the channel's own thread would wait for the end of the prompt.
        self.back_to_queue(core);
        self.play(core, vec![Phrase::TransferFailed], false);
    }
}
