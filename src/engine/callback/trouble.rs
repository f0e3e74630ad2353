//! What Asterisk does not do, what it lost, and attempts of a former engine.

use std::collections::BTreeMap;

use super::attempt::{Attempt, Outcome, Stage, read_memo};
use super::{Callbacks, Occupied, SETTING_UP};
use crate::engine::command::{AriRequest, Command, Fact};
use crate::engine::event::{ChannelSnapshot, Origin, Refusal, spans};
use crate::engine::ids::{CallId, CallbackId, NodeId};
use crate::engine::shared::{Shared, Tiding};

impl Callbacks {
    /// Asterisk did not do what was asked for an attempt.
    pub fn refused(&mut self, core: &mut Shared, id: CallId, request: &AriRequest, why: &Refusal) {
        match (request, why) {
            (AriRequest::Dial { .. }, Refusal::Unprocessable(_) | Refusal::NotFound) => {
                // The trunk cannot be dialled: nothing was made.
                self.decide(id, Outcome::Congestion);
                self.gone(core, id, 0);
            }
            (AriRequest::Dial { .. }, Refusal::Unreachable) => {
                self.decide(id, Outcome::Interrupted);
                self.gone(core, id, 0);
            }
            (AriRequest::Dial { .. }, Refusal::Conflict | Refusal::Failed(_) | Refusal::TimedOut) => {
                self.hang_up_unless_ending(core, id, Outcome::Interrupted);
            }
            (AriRequest::Screen { .. } | AriRequest::HangUp { .. }, Refusal::NotFound) => self.gone(core, id, 0),
            // In the dialplan already.
            (AriRequest::Screen { .. }, Refusal::Conflict) => {}
            (AriRequest::Screen { .. }, _) => self.hang_up_unless_ending(core, id, Outcome::Interrupted),
            _ => {}
        }
    }

    /// Takes up a call of a former engine with the client of a kept place, who has answered. `talked`: with an agent.
    pub fn resume(&mut self, core: &mut Shared, id: CallId, callback: CallbackId, node: NodeId, talked: bool) {
        let Some(request) = self.schedule.get(callback) else { return };
        let with = Occupied { number: request.number.clone(), client: request.client, reached: false };
        self.schedule.fly(callback, id);
        self.occupied.insert(id, with);
        self.attempts.insert(id, Attempt { stage: Stage::Talking, ..Attempt::new(id, callback, node) });
        if talked {
            core.tidings.push_back(Tiding::Delivered(id));
        }
    }

    /// Attempts on this Asterisk for kept places whose clients have not answered yet.
    pub fn unanswered_places(&self, node: NodeId) -> Vec<(CallId, CallbackId)> {
        let places = self.attempts.iter().filter(|(id, attempt)| attempt.node == node && self.is_unanswered(**id));
        let places = places.filter(|(_, attempt)| self.kept(attempt.callback).is_some());
        places.map(|(id, attempt)| (*id, attempt.callback)).collect()
    }

    fn decide(&mut self, id: CallId, outcome: Outcome) {
        if let Some(attempt) = self.attempts.get_mut(&id)
            && !matches!(attempt.stage, Stage::Ending(_))
        {
            attempt.stage = Stage::Ending(outcome);
        }
    }

    fn hang_up_unless_ending(&mut self, core: &mut Shared, id: CallId, outcome: Outcome) {
        if self.is_unanswered(id) {
            self.hang_up(core, id, outcome);
        }
    }

    /// Brings the attempts of a node into line with what stands there. Those that a call has are the call's.
    pub fn reconcile(&mut self, core: &mut Shared, node: NodeId, found: &BTreeMap<CallId, &ChannelSnapshot>) {
        let own = |(id, attempt): (&CallId, &Attempt)| {
            (attempt.node == node && attempt.stage != Stage::Talking).then_some(*id)
        };
        for id in self.attempts.iter().filter_map(own).collect::<Vec<_>>() {
            match found.get(&id) {
                None => {
                    self.decide(id, Outcome::Interrupted);
                    self.gone(core, id, 0);
                }
                // It is known who has answered: taken up like a call that has just come.
                Some(seen) if matches!(seen.arrival.origin, Origin::Outgoing { .. }) => {}
                Some(seen) if seen.arrival.answered => self.answers(core, id),
                Some(seen) if seen.ringing => self.rings(core, id),
                Some(_) => {}
            }
            if let Some(due) = self.attempts.get(&id).and_then(|attempt| attempt.due) {
                core.arm(id, due.max(core.now.mono + spans::RING_START), "attempt");
            }
        }
    }

    /// Takes up an attempt of a former engine. `false`: nobody wants it any more, the channel is to be ended.
    pub fn adopt(&mut self, core: &mut Shared, node: NodeId, id: CallId, seen: &ChannelSnapshot) -> bool {
        let callback = seen.arrival.memo.as_deref().and_then(read_memo);
        let Some((callback, request)) = callback.and_then(|id| Some((id, self.schedule.get(id)?.clone()))) else {
            return false;
        };
        if self.schedule.flying(callback).is_some() {
            return false;
        }
        self.schedule.fly(callback, id);
        self.occupied.insert(id, Occupied { number: request.number.clone(), client: request.client, reached: false });
        let mut attempt = Attempt::new(id, callback, node);
        let due = core.now.mono + SETTING_UP;
        attempt.due = Some(due);
        self.attempts.insert(id, attempt);
        core.arm(id, due, "attempt");
        core.out.push_back(Command::LoadCaller { call: id, number: request.number, rang_in: false });
        // Written again where the former engine wrote it: it may not have come to that.
        core.persist(Fact::AttemptStarted { callback, attempt: id, at: seen.arrival.created });
        match (&seen.arrival.origin, seen.arrival.answered) {
            // The person is waiting in the application: the engine goes on as with one who has just come in.
            (Origin::Outgoing { .. }, _) => {}
            (_, true) => self.answers(core, id),
            (_, false) => {
                if seen.ringing {
                    self.rings(core, id);
                }
            }
        }
        true
    }
}
