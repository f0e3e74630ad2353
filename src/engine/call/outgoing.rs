//! A client whom the office calls, from the answer of a person on: told what there is to tell, led to an agent by a key.

use crate::engine::call::{Call, Ivr, Phase};
use crate::engine::callback::Errand;
use crate::engine::callback::request::About;
use crate::engine::event::{Actor, Arrival};
use crate::engine::ids::{CallId, NodeId};
use crate::engine::ivr::Choice;
use crate::engine::ivr::announcement::{Announcement, Subject};
use crate::engine::shared::{Shared, Tiding};

/// Levels of priority of a client who was called and wants an agent: before all who wait.
const FRONT: i16 = 1_000;

impl Call {
    /// A client who has answered; nothing is said yet.
    pub(in crate::engine) fn answered(
        core: &Shared,
        id: CallId,
        node: NodeId,
        arrival: &Arrival,
        errand: &Errand,
        adopted: bool,
    ) -> Call {
        // Prompts of a former engine may still be playing under low numbers.
        let next_playback = if adopted { 1_000 } else { 0 };
        let arrival = Arrival { number: errand.number.clone(), dialled: String::new(), ..arrival.clone() };
        Call { answered: true, next_playback, ..Call::arriving(core, id, node, &arrival) }
    }

    /// Tells what there is to tell.
    pub(in crate::engine) fn announce_to(&mut self, core: &mut Shared, errand: Errand) {
        self.journal_arrival(core);
        self.note(core, "called_back", detail(&errand.about), Actor::Engine);
        let (subject, order) = match errand.about {
            About::Order { occasion, order } => (Subject::Order { order: order.order, occasion }, Some(order)),
            About::Lost => (Subject::Lost, None),
            About::Words(words) => (Subject::Words(words), None),
        };
        self.language = errand.language.unwrap_or(self.language);
        self.card = errand.card.unwrap_or_default();
        self.group_priority = self.card.priority;
        // The card is newer, where it came in time.
        if let Some(order) = order
            && self.card.orders.iter().all(|known| known.order != order.order)
        {
            self.card.orders = self.card.orders.iter().cloned().chain([*order]).collect();
        }
        self.prioritize(core);
        let (told, step) = Announcement::begin(subject, self.orders(core));
        self.menu = Some(Ivr::Told(told));
        self.phase = Phase::Menu;
        self.follow(core, None, step);
        self.publish(core);
    }

    /// A key of who is called shows that a person has heard.
    pub(super) fn key_delivers(&self, core: &mut Shared) {
        if self.outgoing && self.phase == Phase::Menu {
            core.tidings.push_back(Tiding::Delivered(self.id));
        }
    }

    /// Who was called and wants an agent does not stand in line once more.
    pub(super) fn goes_first(&mut self, core: &mut Shared) {
        if self.outgoing {
            self.group_priority = self.group_priority.max(FRONT);
            self.prioritize(core);
        }
    }

    /// What was heard need not be told by a call any more.
    pub(super) fn tell_callbacks(&self, core: &mut Shared, choice: Choice) {
        if choice != Choice::HeardStatus {
            return;
        }
        if self.outgoing {
            core.tidings.push_back(Tiding::Delivered(self.id));
        }
        let heard = match &self.menu {
            Some(Ivr::Orders(_)) => self.orders(core).told().iter().map(|order| order.order).collect(),
            Some(Ivr::Told(told)) => told.order().into_iter().collect(),
            Some(Ivr::Walk(_)) | None => Vec::new(),
        };
        let heard = heard.into_iter().filter(|order| !self.outdated.contains(order));
        core.tidings.extend(heard.map(Tiding::Heard));
    }

    /// Nobody knows how it ended.
    pub(in crate::engine) fn was_lost(&self) -> bool {
        self.disposition == Some(crate::engine::view::Disposition::Lost)
    }
}

/// For the journal, and for the agent who takes the call: what the client was called for.
fn detail(about: &About) -> String {
    match about {
        About::Order { order, .. } => format!("{} {}", about.word(), order.order.0),
        About::Lost | About::Words(_) => about.word().to_owned(),
    }
}
