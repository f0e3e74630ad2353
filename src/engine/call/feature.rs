//! An agent dials the engine: a feature code changes the status, with a spoken answer.

use crate::engine::command::{AriRequest, HangUpCause};
use crate::engine::event::{Actor, Refusal, spans};
use crate::engine::ids::{AgentId, CallId, ChannelId, NodeId, Own, PlaybackId};
use crate::engine::shared::Shared;
use crate::engine::time::Instant;
use crate::engine::view::{PauseReason, Status};
use crate::speech::Phrase;

/// What a code asks for: `*60` ready, `*61` to `*68` pause with the office's reason of that digit, `*69` offline.
fn status_of(code: &str) -> Option<Status> {
    match code {
        "*60" => Some(Status::Ready),
        "*69" => Some(Status::Offline),
        "*61" | "*62" | "*63" | "*64" | "*65" | "*66" | "*67" | "*68" => {
            let digit = code.trim_start_matches("*6");
            Some(Status::Pause(PauseReason::Declared(format!("code_{digit}"))))
        }
        _ => None,
    }
}

/// A call from an agent's phone to the engine itself.
#[derive(Clone, Debug)]
pub(in crate::engine) struct FeatureCall {
    pub id: CallId,
    pub node: NodeId,
    pub channel: ChannelId,
    agent: Option<AgentId>,
    playback: Option<PlaybackId>,
    due: Instant,
    hang_ups: u8,
}

impl FeatureCall {
    /// Takes the code, answers and says what is now true.
    pub fn begin(core: &mut Shared, id: CallId, node: NodeId, channel: ChannelId, endpoint: &str, code: &str) -> Self {
        let agent = core.agents.by_endpoint(endpoint).map(|agent| agent.profile.agent);
        let phrase = match (agent, status_of(code)) {
            (None, _) => Phrase::NotAnAgent,
            (Some(_), None) => Phrase::CodeUnknown,
            (Some(agent), Some(status)) => {
                // In hand first: a call must not be offered to a phone that is still dialling.
                core.agents.dials(agent, id);
                let phrase = match status {
                    Status::Ready => Phrase::AgentReady,
                    Status::Pause(_) => Phrase::AgentPaused,
                    Status::Offline => Phrase::AgentOffline,
                };
                core.declare(agent, status, Actor::Agent(agent));
                phrase
            }
        };
        let playback: PlaybackId = Own::Playback(1).id(id).into();
        core.ari(node, id, AriRequest::Answer(channel.clone()));
        let language = core.settings.language;
        let play =
            AriRequest::Play { channel: channel.clone(), playback: playback.clone(), phrases: vec![phrase], language };
        core.ari(node, id, play);
        let due = core.now.mono + spans::PLAYBACK;
        core.arm(id, due, "feature code");
        FeatureCall { id, node, channel, agent, playback: Some(playback), due, hang_ups: 0 }
    }

    pub fn playback_ended(&mut self, core: &mut Shared, playback: &str) {
        if self.playback.as_ref().is_some_and(|own| own.as_str() == playback) {
            self.hang_up(core);
        }
    }

    fn hang_up(&mut self, core: &mut Shared) {
        self.playback = None;
        self.hang_ups += 1;
        self.due = core.now.mono + spans::RELEASE;
        core.arm(self.id, self.due, "feature code");
        core.ari(self.node, self.id, AriRequest::HangUp { channel: self.channel.clone(), cause: HangUpCause::Normal });
    }

    /// Does what is due; true when the call is to be given up.
    pub fn wake(&mut self, core: &mut Shared) -> bool {
        if self.due > core.now.mono || !core.node_up(self.node) {
            return false;
        }
        if self.hang_ups >= 3 {
            return true;
        }
        self.hang_up(core);
        false
    }

    /// Asterisk did not do what was asked; true when the channel is gone.
    pub fn refused(&mut self, core: &mut Shared, request: &AriRequest, why: &Refusal) -> bool {
        match request {
            AriRequest::Answer(_) | AriRequest::HangUp { .. } => *why == Refusal::NotFound,
            AriRequest::Play { playback, .. } => {
                self.playback_ended(core, playback.as_str());
                false
            }
            AriRequest::SetMemo { .. }
            | AriRequest::StopPlayback(_)
            | AriRequest::MusicOn(_)
            | AriRequest::MusicOff(_)
            | AriRequest::RingbackOn(_)
            | AriRequest::RingbackOff(_)
            | AriRequest::Ring { .. }
            | AriRequest::Dial { .. }
            | AriRequest::Screen { .. }
            | AriRequest::CreateBridge(..)
            | AriRequest::Join { .. }
            | AriRequest::Part { .. }
            | AriRequest::Snoop { .. }
            | AriRequest::DestroyBridge(_)
            | AriRequest::ToFallback { .. }
            | AriRequest::SetFallbackAgents(_) => false,
        }
    }

    /// The channel is gone: the phone is on the hook.
    pub fn gone(self, core: &mut Shared) {
        if let Some(agent) = self.agent {
            core.agent_puts_down(agent, self.id);
        }
    }
}
