//! What people and programs ask of the engine.

use super::call::Call;
use super::command::{Answer, Denied};
use super::dialled::Dialled;
use super::event::{Actor, Request};
use super::ids::{AgentId, CallId, QueueId};
use super::shared::Shared;
use super::view::{CallView, QueueView, Status, WaitingView};
use super::{Engine, acd::agent::Hands};

impl Engine {
    pub(super) fn request(&mut self, by: Actor, what: Request) -> Result<Answer, Denied> {
        match what {
            Request::SetStatus { agent, status } => {
                self.known(agent)?;
                self.core.declare(agent, status, by);
                self.withdraw_offer(agent);
                Ok(Answer::Done)
            }
            Request::EndWrapUp(agent) => {
                self.known(agent)?;
                self.core.agent_wrap_up_due(agent, true);
                Ok(Answer::Done)
            }
            Request::Hold(id) => self.on_call(id, by, Call::hold),
            Request::Resume(id) => self.on_call(id, by, Call::resume),
            Request::PauseRecording(id) => self.on_call(id, by, Call::pause_recording),
            Request::ResumeRecording(id) => self.on_call(id, by, Call::resume_recording),
            Request::CompleteTransfer(id) => self.on_call(id, by, Call::complete_transfer),
            Request::CancelTransfer(id) => self.on_call(id, by, Call::cancel_transfer),
            Request::Transfer { call, to, mode } => {
                self.on_call(call, by, |call, core, by| call.transfer(core, &to, mode, by))
            }
            Request::Dial { agent, number } => self.dial_for(agent, &number),
            Request::HangUp(id) if self.dialled.contains_key(&id) => {
                self.end_dialled(id, &by).unwrap_or(Err(Denied::NoSuchCall(id)))
            }
            Request::HangUp(id) => self.on_call(id, by, |call, core, _| {
                call.end_by_request(core);
                Ok(())
            }),
            Request::Monitor { call, agent, mode } => {
                self.on_call(call, by, |call, core, by| call.monitor(core, agent, mode, by))
            }
            Request::StopMonitor { call, agent } => {
                self.on_call(call, by, |call, core, _| call.stop_monitor(core, agent))
            }
            Request::ViewQueue => Ok(Answer::Queue(Box::new(self.queue_view()))),
            Request::ViewCalls => Ok(Answer::Calls(self.calls_view())),
        }
    }

    fn known(&self, agent: AgentId) -> Result<(), Denied> {
        self.core.agents.get(agent).map(|_| ()).ok_or(Denied::NoSuchAgent(agent))
    }

    fn on_call(
        &mut self,
        id: CallId,
        by: Actor,
        act: impl FnOnce(&mut Call, &mut Shared, Actor) -> Result<(), Denied>,
    ) -> Result<Answer, Denied> {
        let call = self.calls.get_mut(&id).filter(|call| !call.ending()).ok_or(Denied::NoSuchCall(id))?;
        if let Actor::Agent(agent) = by
            && call.serving_agent() != Some(agent)
        {
            return Err(Denied::NotYours);
        }
        if !self.core.node_up(call.node) {
            return Err(Denied::NodeDown);
        }
        act(call, &mut self.core, by).map(|()| Answer::Done)
    }

    /// An agent who is no longer ready does not want the call that is being offered.
    fn withdraw_offer(&mut self, agent: AgentId) {
        let Some(known) = self.core.agents.get(agent) else { return };
        if known.status == Status::Ready {
            return;
        }
        match known.hands {
            Hands::Offered(call, _) => {
                if let Some(call) = self.calls.get_mut(&call) {
                    call.offer_declined(&mut self.core, agent);
                }
            }
            Hands::Reserved(_) => self.reservation_lost(agent),
            Hands::Empty | Hands::Talking(..) | Hands::Releasing(..) | Hands::Dialling(_) => {}
        }
    }

    pub(super) fn withdraw_offers_of_unready(&mut self, endpoint: &str) {
        if let Some(agent) = self.core.agents.by_endpoint(endpoint).map(|agent| agent.profile.agent) {
            self.withdraw_offer(agent);
        }
    }

    fn queue_view(&self) -> QueueView {
        let core = &self.core;
        let mut view = QueueView {
            agents: core.agents.iter().filter_map(|agent| core.agents.view(agent.profile.agent, core.now)).collect(),
            ..QueueView::default()
        };
        for (at, settings) in core.settings.queues.iter().enumerate() {
            let queue = QueueId(u16::try_from(at).unwrap_or(u16::MAX));
            let waiting = core.waiting(queue);
            view.queues.push((queue, settings.name.clone(), u32::try_from(waiting).unwrap_or(u32::MAX)));
            view.next_wait.push(core.wait_at(queue, waiting + 1));
            view.waiting_total = view.waiting_total.saturating_add(u32::try_from(waiting).unwrap_or(u32::MAX));
            let mut places: Vec<_> = core.places(queue).take(QueueView::MOST).collect();
            places.sort_unstable();
            for (at, place) in places.into_iter().enumerate() {
                if view.waiting.len() >= QueueView::MOST {
                    break;
                }
                // Whose place is kept may not have hung up yet.
                let kept = self.place_view(place.call());
                let call = kept.or_else(|| self.calls.get(&place.call()).map(|call| call.view(core)));
                let Some(call) = call else { continue };
                view.waiting.push(WaitingView {
                    call,
                    position: u32::try_from(at + 1).unwrap_or(u32::MAX),
                    estimate: core.wait_at(queue, at + 1),
                });
            }
        }
        view
    }

    fn calls_view(&self) -> Vec<CallView> {
        let calls = self.calls.values().map(|call| call.view(&self.core));
        calls.chain(self.dialled.values().map(Dialled::view)).take(QueueView::MOST).collect()
    }
}
