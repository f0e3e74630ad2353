//! A call as shown to people.

use crate::engine::call::{Call, LegStage, Phase, Purpose};
use crate::engine::shared::Shared;
use crate::engine::view::{CallStage, CallView};

impl Call {
    pub(super) fn stage(&self) -> CallStage {
        match self.phase {
            Phase::Loading => CallStage::Arriving,
            Phase::Greeting => CallStage::Greeting,
            Phase::Menu if self.kept_place => CallStage::Kept,
            Phase::Menu => CallStage::Menu,
            Phase::Waiting if self.is_keeping_place() => CallStage::Kept,
            Phase::Waiting if self.legs.iter().any(|leg| leg.stage != LegStage::Releasing) => CallStage::Offered,
            Phase::Waiting => CallStage::Waiting,
            // Not yet together: what can be done in a talk cannot be done now.
            Phase::Joining(_) if self.first_talk.is_none() => CallStage::Offered,
            Phase::Joining(_) => CallStage::Held,
            Phase::Talking(_) => CallStage::Talking,
            Phase::Held(_) => CallStage::Held,
            Phase::Consulting(..) => CallStage::Consulting,
            Phase::Dialling(_) => CallStage::Transferring,
            Phase::Ending => CallStage::Ending,
        }
    }

    /// The call at this moment.
    pub(in crate::engine) fn view(&self, core: &Shared) -> CallView {
        let name = self.card.name.clone().or_else(|| (!self.name.is_empty()).then(|| self.name.clone()));
        CallView {
            call: self.id,
            node: self.node,
            number: self.number.clone(),
            name,
            note: self.card.note.clone(),
            client: self.card.client,
            blocked: self.card.blocked,
            conflict: self.card.conflict,
            orders: self.card.orders.clone(),
            choices: self.choices.clone(),
            dialled: self.dialled.clone(),
            stage: self.stage(),
            queue: self.queue,
            arrived: self.arrived.wall,
            queued: self.queued.map(|at| core.now.wall_of(at)),
            bridged: self.talk_since.map(|at| core.now.wall_of(at)),
            unkept_until: self.unkept_until.map(|at| core.now.wall_of(at)),
            agents: self
                .legs
                .iter()
                .filter(|leg| leg.stage != LegStage::Releasing && leg.purpose != Purpose::Monitor)
                .filter_map(|leg| leg.agent)
                .collect(),
            monitors: self.monitors_view(),
        }
    }
}
