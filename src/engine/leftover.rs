//! What must still be done in an Asterisk for a call that is forgotten, and was refused: legs and bridges to remove,
//! callers to give to the fallback dialplan. Asked for again from time to time, until it is done or there is no such
//! thing any more.

use std::collections::VecDeque;

use super::command::AriRequest;
use super::event::{Refusal, spans};
use super::ids::{CallId, NodeId};
use super::shared::Shared;
use super::time::Instant;
use super::timers::Owner;

/// Beyond so many Asterisk has other troubles; the snapshot at the next connection finds what is left out here.
const MOST: usize = 200;

#[derive(Clone, Debug)]
struct Leftover {
    due: Instant,
    node: NodeId,
    call: CallId,
    request: AriRequest,
}

/// Requests to be made again, soonest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Leftovers(VecDeque<Leftover>);

/// Whether a request that was refused must be made again.
pub(super) fn worth_repeating(request: &AriRequest, why: &Refusal) -> bool {
    match request {
        AriRequest::HangUp { .. } | AriRequest::DestroyBridge(_) => *why != Refusal::NotFound,
        // In the dialplan already, if it is a conflict.
        AriRequest::ToFallback { .. } => !matches!(why, Refusal::NotFound | Refusal::Conflict),
        AriRequest::Answer(_)
        | AriRequest::SetMemo { .. }
        | AriRequest::Play { .. }
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
        | AriRequest::SetFallbackAgents(_) => false,
    }
}

impl Shared {
    /// Makes this request again in a while.
    pub fn ask_later(&mut self, node: NodeId, call: CallId, request: AriRequest) {
        if self.leftovers.0.len() < MOST {
            let due = self.now.mono + spans::RELEASE;
            self.leftovers.0.push_back(Leftover { due, node, call, request });
            self.timers.arm(due, Owner::Leftovers, "leftover");
        }
    }

    /// Makes all requests that are due. An Asterisk that cannot be heard has none: its next snapshot tells.
    pub fn ask_leftovers(&mut self) {
        while let Some(leftover) = self.leftovers.0.pop_front_if(|leftover| leftover.due <= self.now.mono) {
            if self.node_up(leftover.node) {
                self.ari(leftover.node, leftover.call, leftover.request);
            }
        }
    }
}
