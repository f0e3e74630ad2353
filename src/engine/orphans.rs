//! What is left in Asterisk of calls that nobody knows any more.

use super::Engine;
use super::call::Found;
use super::command::{AriRequest, HangUpCause};
use super::ids::NodeId;

impl Engine {
    /// Legs, snoops and bridges of calls that are no more.
    pub(super) fn end_orphans(&mut self, node: NodeId, found: &Found) {
        for (id, legs) in &found.legs {
            if self.calls.contains_key(id) || self.dialled.contains_key(id) {
                continue;
            }
            for leg in legs.values() {
                let channel = leg.arrival.channel.clone();
                self.core.ari(node, *id, AriRequest::HangUp { channel, cause: HangUpCause::Normal });
            }
        }
        for (id, snoops) in &found.snoops {
            if !self.calls.contains_key(id) {
                for channel in snoops {
                    let channel = (*channel).clone();
                    self.core.ari(node, *id, AriRequest::HangUp { channel, cause: HangUpCause::Normal });
                }
            }
        }
        for (id, bridges) in &found.bridges {
            if !self.calls.contains_key(id) {
                for (_, bridge, _) in bridges {
                    self.core.ari(node, *id, AriRequest::DestroyBridge((*bridge).clone()));
                }
            }
        }
    }
}
