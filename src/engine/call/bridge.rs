//! Joining the caller with a leg, and counting the talk.

use crate::engine::call::{Call, LegStage, Phase, Timer};
use crate::engine::command::{AriRequest, Fact, Update};
use crate::engine::event::{Actor, Refusal, spans};
use crate::engine::ids::{BridgeId, ChannelId, Own};
use crate::engine::shared::{Shared, Tiding};
use crate::engine::view::{Disposition, OfferOutcome};

/// Attempts to bring two into one bridge before the caller goes to the fallback dialplan.
const ATTEMPTS: u8 = 4;

impl Call {
    /// Brings the caller and this leg together.
    pub(super) fn join(&mut self, core: &mut Shared, no: u32) {
        self.phase = Phase::Joining(no);
        if self.first_talk.is_some() && self.heard != Some(no) && !self.mixes {
            // Another party than before: see `Own::MixBridge`.
            self.mixes = true;
            self.caller_in = false;
            self.legs.iter_mut().for_each(|leg| leg.in_talk = false);
        }
        // A prompt still playing would hold up the bridge until its end.
        self.stop_prompt(core);
        self.music_off(core);
        self.ask_to_join(core, no);
        self.arm(core, Timer::Join, spans::JOIN);
        // Between two talks the screens show the caller as waiting for the other side.
        if self.first_talk.is_some() {
            self.publish(core);
        }
    }

    /// The bridge in which the caller talks now, or will.
    pub(super) fn talk_own(&self) -> Own {
        if self.mixes { Own::MixBridge } else { Own::TalkBridge }
    }

    fn ask_to_join(&mut self, core: &mut Shared, no: u32) {
        self.make_bridge(core, self.talk_own());
        let Some(leg) = self.leg(no) else { return };
        let mut channels = Vec::with_capacity(2);
        if !self.caller_in {
            channels.push(self.channel.clone());
        }
        if !leg.in_talk {
            channels.push(leg.channel.clone());
        }
        let bridge = self.bridge_id(self.talk_own());
        self.ari(core, AriRequest::Join { bridge, channels });
    }

    /// A channel of this call is in one of its bridges.
    pub(in crate::engine) fn entered(&mut self, core: &mut Shared, bridge: &BridgeId, channel: &ChannelId) {
        if Own::parse(bridge.as_str()) != Some((self.id, self.talk_own())) {
            return;
        }
        if *channel == self.channel {
            self.caller_in = true;
        } else if let Some(leg) = self.legs.iter_mut().find(|leg| leg.channel == *channel) {
            leg.in_talk = true;
        }
        self.talk_begins(core);
    }

    /// A channel of this call left one of its bridges.
    pub(in crate::engine) fn parted(&mut self, core: &mut Shared, bridge: &BridgeId, channel: &ChannelId) {
        if Own::parse(bridge.as_str()) != Some((self.id, self.talk_own())) {
            return;
        }
        if *channel == self.channel {
            self.caller_in = false;
        } else if let Some(leg) = self.legs.iter_mut().find(|leg| leg.channel == *channel) {
            leg.in_talk = false;
        }
        self.talk_pauses(core);
        // A hang-up follows at once if there is one. If not, something took them apart that nobody wants any more,
        // such as a hold that was given up as not answered and was done late.
        if matches!(self.phase, Phase::Talking(_)) {
            self.arm(core, Timer::Join, spans::JOIN_AGAIN);
        }
    }

    pub(super) fn talk_begins(&mut self, core: &mut Shared) {
        let Phase::Joining(no) = self.phase else { return };
        let Some(leg) = self.leg(no) else { return };
        if !self.caller_in || !leg.in_talk {
            return;
        }
        let agent = leg.agent;
        self.phase = Phase::Talking(no);
        self.disarm(Timer::Join);
        self.join_failures = 0;
        self.talk_since = Some(core.now.mono);
        self.first_talk.get_or_insert(core.now.mono);
        if self.heard.is_some_and(|heard| heard != no) {
            // It was asked for with another party.
            self.pause_over(core, Actor::Engine);
        }
        self.heard = Some(no);
        if self.outgoing {
            core.tidings.push_back(Tiding::Delivered(self.id));
        }
        if let Some(leg) = self.leg_mut(no)
            && leg.outcome.is_none()
            && leg.purpose == super::Purpose::Offer
        {
            leg.outcome = Some(OfferOutcome::Answered);
            if let Some(agent) = agent {
                let (call, at) = (self.id, core.now.wall);
                core.persist(Fact::OfferEnded { call, offer: no, outcome: OfferOutcome::Answered, at });
                core.publish(Update::OfferEnded { agent, call, outcome: OfferOutcome::Answered });
            }
        }
        if agent.is_some() {
            self.last_agent = agent;
        }
        core.persist(Fact::CallBridged { call: self.id, leg: no, agent, at: core.now.wall });
        self.set_memo(core);
        self.publish(core);
    }

    /// The two are no longer together; the talk so far counts.
    pub(super) fn talk_pauses(&mut self, core: &mut Shared) {
        if let Some(since) = self.talk_since.take() {
            self.talked += core.now.mono.since(since);
        }
    }

    /// Asterisk refused to bring two together. Once more in a moment: the end of one of them may be on its way.
    pub(super) fn join_refused(&mut self, core: &mut Shared, bridge: &BridgeId, why: &Refusal) {
        match why {
            // It may have been done.
            Refusal::TimedOut => return,
            Refusal::NotFound => self.bridge_missing(bridge, false),
            Refusal::Conflict | Refusal::Unprocessable(_) | Refusal::Failed(_) | Refusal::Unreachable => {}
        }
        let wanted = match self.phase {
            Phase::Joining(_) => Some(self.talk_own()),
            Phase::Consulting(..) => Some(Own::ConsultBridge),
            Phase::Loading
            | Phase::Greeting
            | Phase::Menu
            | Phase::Waiting
            | Phase::Dialling(_)
            | Phase::Talking(_)
            | Phase::Held(_)
            | Phase::Ending => None,
        };
        if wanted.is_some_and(|own| *bridge == self.bridge_id(own)) {
            self.arm(core, Timer::Join, spans::JOIN_AGAIN);
        }
    }

    /// Two who should be together are not, or that is not known.
    pub(super) fn join_due(&mut self, core: &mut Shared) {
        let (serving, target) = match self.phase {
            Phase::Consulting(serving, target) => (serving, target),
            Phase::Talking(no) => {
                if !self.caller_in || self.leg(no).is_none_or(|leg| !leg.in_talk) {
                    self.join(core, no);
                }
                return;
            }
            Phase::Loading
            | Phase::Greeting
            | Phase::Menu
            | Phase::Waiting
            | Phase::Dialling(_)
            | Phase::Joining(_)
            | Phase::Held(_)
            | Phase::Ending => {
                self.join_failed(core, "they were not both in the bridge in time");
                return;
            }
        };
        self.join_failures += 1;
        if self.join_failures < ATTEMPTS {
            self.consultation_begins(core, target);
        } else {
            // Better the caller than silence.
            self.join_failures = 0;
            self.target_left(core, serving);
            self.release_leg(core, target, Some(OfferOutcome::Failed));
        }
    }

    /// The two could not be brought together: once more, then another agent, then the fallback dialplan.
    pub(super) fn join_failed(&mut self, core: &mut Shared, why: &str) {
        let Phase::Joining(no) = self.phase else { return };
        self.join_failures += 1;
        if self.join_failures % 2 == 1 && self.leg(no).is_some_and(|leg| leg.stage == LegStage::Up) {
            self.arm(core, Timer::Join, spans::JOIN);
            self.ask_to_join(core, no);
            return;
        }
        if self.join_failures >= ATTEMPTS {
            core.alarm(self.id, format!("caller and leg {no}: {why}; the caller goes to the fallback dialplan"));
            self.give_to_fallback(core);
            return;
        }
        core.alarm(self.id, format!("caller and leg {no}: {why}; the caller goes back to the queue"));
        // The phase first: the loss of this leg must not end the call.
        self.back_to_queue(core);
        self.release_leg(core, no, Some(OfferOutcome::Failed));
    }

    /// The caller waits again, where the first entry put the caller.
    pub(super) fn back_to_queue(&mut self, core: &mut Shared) {
        self.disarm(Timer::Join);
        self.leave_talk(core);
        self.enter_queue(core, self.queue, None);
    }

    /// Takes the caller out of the talk bridge, if in it.
    pub(super) fn leave_talk(&mut self, core: &mut Shared) {
        self.talk_pauses(core);
        if std::mem::take(&mut self.caller_in) {
            let (bridge, channel) = (self.bridge_id(self.talk_own()), self.channel.clone());
            self.ari(core, AriRequest::Part { bridge, channel });
        }
    }

    /// Gives the caller to the fallback dialplan: never to silence.
    pub(super) fn give_to_fallback(&mut self, core: &mut Shared) {
        self.stop_prompt(core);
        self.music_off(core);
        self.leave_talk(core);
        // The call ends here: the dialplan there removes the note on the channel.
        // Where the office called, the extension is the attempt's id and no number.
        let dialled = if self.outgoing { String::new() } else { self.dialled.clone() };
        self.ari(core, AriRequest::ToFallback { channel: self.channel.clone(), dialled });
        self.caller_gone = true;
        self.finish(core, Disposition::Fallback, 0);
    }
}
