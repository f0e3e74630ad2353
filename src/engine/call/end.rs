//! The end of a call: exactly one disposition, then everything that hung on it is released.

use crate::engine::call::{Call, Phase, TIMERS, Timer};
use crate::engine::command::{AriRequest, Fact, HangUpCause, Update};
use crate::engine::event::{Refusal, spans};
use crate::engine::ids::{ChannelId, Own};
use crate::engine::leftover::worth_repeating;
use crate::engine::shared::Shared;
use crate::engine::view::{Disposition, OfferOutcome};

impl Call {
    /// The call is over for its caller. The first disposition stays.
    pub(super) fn finish(&mut self, core: &mut Shared, disposition: Disposition, cause: u16) {
        if self.disposition.is_some() {
            return;
        }
        self.disposition = Some(disposition);
        self.talk_pauses(core);
        self.leave_line(core);
        self.prompt = None;
        self.phase = Phase::Ending;
        self.timers = [None; TIMERS.len()];
        // A client who was called back waited on the line from the answer on, wherever the place was.
        let waits_since = self.queued.map(|queued| queued.max(self.arrived.mono));
        let waited = match (waits_since, self.first_talk) {
            (Some(queued), Some(talk)) => talk.since(queued),
            (Some(queued), None) => core.now.mono.since(queued),
            (None, _) => std::time::Duration::ZERO,
        };
        if self.first_talk.is_some() {
            let handled = self.talked + core.queue(self.queue).wrap_up;
            core.estimate(self.queue).handled(handled);
        }
        core.persist(Fact::CallEnded {
            call: self.id,
            disposition,
            cause,
            waited,
            talked: self.talked,
            agent: self.last_agent,
            at: core.now.wall,
        });
        let outcome = if disposition == Disposition::Lost { OfferOutcome::Lost } else { OfferOutcome::CallerGone };
        for no in self.legs.iter().map(|leg| leg.no).collect::<Vec<_>>() {
            self.release_leg(core, no, Some(outcome));
        }
        if !self.caller_gone && self.caller_hang_ups == 0 {
            self.hang_up_caller(core, HangUpCause::Normal);
        }
        self.arm(core, Timer::Release, spans::RELEASE);
        core.publish(Update::CallEnded { call: self.id, disposition });
    }

    pub(super) fn hang_up_caller(&mut self, core: &mut Shared, cause: HangUpCause) {
        self.caller_hang_ups += 1;
        self.ari(core, AriRequest::HangUp { channel: self.channel.clone(), cause });
    }

    /// The caller's channel is gone.
    pub(in crate::engine) fn caller_gone(&mut self, core: &mut Shared, cause: u16) {
        self.caller_gone = true;
        self.caller_in = false;
        let disposition = match self.first_talk {
            Some(_) => Disposition::CompleteCaller,
            None if self.closed => Disposition::AfterHours,
            None if self.kept_place => Disposition::Callback,
            None if self.is_informed() => Disposition::Informed,
            None if self.outgoing && self.queued.is_none() => Disposition::Unheard,
            None => Disposition::Abandon,
        };
        self.finish(core, disposition, cause);
    }

    /// The caller's channel is not in the Asterisk any more, and nobody saw it go.
    pub(super) fn caller_lost(&mut self, core: &mut Shared) {
        self.caller_gone = true;
        self.caller_in = false;
        self.finish(core, Disposition::Lost, 0);
    }

    /// The caller's channel left the application. Its end usually follows at once; if not, it is elsewhere now.
    pub(in crate::engine) fn caller_left(&mut self, core: &mut Shared) {
        if self.phase != Phase::Ending {
            self.arm(core, Timer::Release, spans::RING_START);
        }
    }

    /// Ended by a person.
    pub(in crate::engine) fn end_by_request(&mut self, core: &mut Shared) {
        self.finish(core, Disposition::Ended, 16);
    }

    pub(super) fn release_again(&mut self, core: &mut Shared) {
        if self.phase != Phase::Ending {
            // Left the application and did not end: somebody else has the caller now.
            self.caller_gone = true;
            self.finish(core, Disposition::Fallback, 0);
            return;
        }
        if self.caller_gone {
            return;
        }
        if self.caller_hang_ups >= 3 {
            core.alarm(self.id, "the caller's channel did not end after 3 requests; the call is closed".to_owned());
            core.ask_later(
                self.node,
                self.id,
                AriRequest::HangUp { channel: self.channel.clone(), cause: HangUpCause::Normal },
            );
            self.caller_gone = true;
            return;
        }
        self.hang_up_caller(core, HangUpCause::Normal);
        self.arm(core, Timer::Release, spans::RELEASE);
    }

    /// Asterisk did not do what was asked.
    pub(in crate::engine) fn refused(&mut self, core: &mut Shared, request: &AriRequest, why: &Refusal) {
        if self.monitor_refused(core, request, why) {
            return;
        }
        match request {
            AriRequest::Ring { channel, .. } => {
                if let Some(no) = self.leg_of(channel) {
                    self.ring_refused(core, no, why);
                }
            }
            AriRequest::Play { playback, channel, .. } => {
                if *why == Refusal::NotFound {
                    self.channel_unknown(core, channel);
                }
                // What cannot be played is skipped: the caller goes on, in silence rather than nowhere.
                if self.is_playing(playback.as_str()) {
                    self.prompt_ended(core, false);
                }
            }
            AriRequest::Join { bridge, .. } => self.join_refused(core, bridge, why),
            AriRequest::CreateBridge(bridge, note) => {
                self.bridge_missing(bridge, *why == Refusal::TimedOut);
                if note.is_some() && self.phase != Phase::Ending {
                    self.set_memo(core);
                }
            }
            AriRequest::Answer(channel) if *why != Refusal::NotFound => {
                let channel = channel.clone();
                self.answer_failed(core, channel, why);
            }
            AriRequest::Answer(channel) | AriRequest::HangUp { channel, .. } | AriRequest::MusicOn(channel) => {
                if *why == Refusal::NotFound {
                    self.channel_unknown(core, channel);
                }
            }
            AriRequest::ToFallback { channel, .. } => {
                if worth_repeating(request, why) {
                    core.alarm(self.id, format!("{channel} could not be given to the fallback dialplan yet: {why}"));
                    core.ask_later(self.node, self.id, request.clone());
                }
            }
            // Without the note the next engine would take the caller for a new one.
            AriRequest::SetMemo { .. } => {
                if *why != Refusal::NotFound && self.phase != Phase::Ending {
                    self.arm(core, Timer::Memo, spans::MEMO);
                }
            }
            AriRequest::StopPlayback(_)
            | AriRequest::MusicOff(_)
            | AriRequest::Dial { .. }
            | AriRequest::Screen { .. }
            | AriRequest::RingbackOn(_)
            | AriRequest::RingbackOff(_)
            | AriRequest::Part { .. }
            | AriRequest::DestroyBridge(_)
            | AriRequest::Snoop { .. }
            | AriRequest::SetFallbackAgents(_) => {}
        }
    }

    /// An unanswered caller hears nothing and cannot talk: once more, then the fallback dialplan answers.
    fn answer_failed(&mut self, core: &mut Shared, channel: ChannelId, why: &Refusal) {
        if self.phase == Phase::Ending {
            return;
        }
        self.answer_failures += 1;
        if self.answer_failures < 3 {
            self.ari(core, AriRequest::Answer(channel));
        } else {
            core.alarm(self.id, format!("the caller could not be answered: {why}; the fallback dialplan takes over"));
            self.give_to_fallback(core);
        }
    }

    /// Asterisk says that there is no such channel: that is its end, even if the event of it was lost.
    fn channel_unknown(&mut self, core: &mut Shared, channel: &ChannelId) {
        if *channel == self.channel {
            self.caller_gone(core, 0);
        } else if let Some(no) = self.leg_of(channel) {
            self.leg_gone(core, no, 0);
        }
    }

    fn leg_of(&self, channel: &ChannelId) -> Option<u32> {
        match Own::parse(channel.as_str()) {
            Some((call, Own::Leg(no) | Own::Monitor(no))) if call == self.id => Some(no),
            _ => None,
        }
    }
}
