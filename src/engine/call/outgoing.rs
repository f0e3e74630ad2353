//! A client whom the office calls, from the answer of a person on: told what there is to tell, led to an agent by a key.

use std::time::Duration;

use crate::engine::call::{Call, Ivr, Leg, LegStage, Phase, Purpose};
use crate::engine::callback::Errand;
use crate::engine::callback::request::{About, KeptPlace};
use crate::engine::command::AriRequest;
use crate::engine::event::{Actor, Arrival, CallerCard};
use crate::engine::ids::{AgentId, CallId, ChannelId, NodeId};
use crate::engine::ivr::Choice;
use crate::engine::ivr::announcement::{Announcement, Subject};
use crate::engine::shared::{Shared, Tiding};
use crate::engine::time::Now;
use crate::engine::view::OfferOutcome;
use crate::speech::{Language, Phrase};

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

    /// A client whom an agent called and who has answered.
    pub(in crate::engine) fn dialled(core: &Shared, id: CallId, node: NodeId, arrival: &Arrival, begun: Now) -> Call {
        Call { answered: true, arrived: begun, ..Call::arriving(core, id, node, arrival) }
    }

    /// The agent who called is on the line: joins the two.
    pub(in crate::engine) fn joins_agent(
        &mut self,
        core: &mut Shared,
        leg: ChannelId,
        agent: AgentId,
        card: CallerCard,
    ) {
        self.group_priority = card.priority;
        self.card = card;
        self.next_leg = 1;
        self.ari(core, AriRequest::RingbackOff(leg.clone()));
        self.legs.push(Leg {
            no: 1,
            channel: leg,
            agent: Some(agent),
            purpose: Purpose::Offer,
            stage: LegStage::Up,
            lease: None,
            extra_leases: 0,
            ring_time: Duration::ZERO,
            in_talk: false,
            outcome: Some(OfferOutcome::Answered),
            hang_ups: 0,
        });
        self.set_memo(core);
        self.join(core, 1);
        self.publish(core);
    }

    /// Tells what there is to tell.
    pub(in crate::engine) fn announce_to(&mut self, core: &mut Shared, errand: Errand) {
        self.journal_arrival(core);
        self.note(core, "called_back", detail(&errand.about), Actor::Engine);
        // An agent to whom the client is led sees why the office called.
        self.choices.push(Choice::CalledBack(errand.about.word()));
        let (subject, order) = match errand.about {
            About::Order { occasion, order } => (Subject::Order { order: order.order, occasion }, Some(order)),
            About::Lost => (Subject::Lost, None),
            About::Words(words) => (Subject::Words(words), None),
            About::Place(place) => return self.put_through(core, &place, errand.card, errand.language),
        };
        self.language = errand.language.unwrap_or(self.language);
        self.card = errand.card.unwrap_or_default();
        self.group_priority = self.card.priority;
        // The card is newer, where it came in time; what a car that waits costs stands in the wish alone.
        if let Some(order) = order {
            let mut orders = self.card.orders.to_vec();
            match orders.iter_mut().find(|known| known.order == order.order) {
                Some(known) => known.free_minutes = order.free_minutes,
                None => orders.push(*order),
            }
            self.card.orders = orders.into_iter().collect();
        }
        self.prioritize(core);
        let (told, step) = Announcement::begin(subject, self.orders(core));
        self.menu = Some(Ivr::Told(told));
        self.phase = Phase::Menu;
        self.follow(core, None, step);
        self.publish(core);
    }

    /// A client whose place in a queue was kept: stands there again, for the agent who is reserved.
    fn put_through(
        &mut self,
        core: &mut Shared,
        place: &KeptPlace,
        card: Option<CallerCard>,
        language: Option<Language>,
    ) {
        self.language = language.unwrap_or(self.language);
        self.card = card.unwrap_or_else(|| CallerCard { priority: place.priority, ..CallerCard::default() });
        self.group_priority = self.card.priority;
        self.card.priority = core.settings.precedence.of(&self.card);
        self.queue = core.queue_named(&place.queue);
        self.queued = Some(core.now.instant_of(place.entered));
        self.enter_queue(core, self.queue, None);
    }

    /// Said while the agent's phone rings, and after everything that would wait for its end.
    pub(in crate::engine) fn says_put_through(&mut self, core: &mut Shared) {
        if self.phase == Phase::Waiting {
            self.play(core, vec![Phrase::Hello, Phrase::PutThrough], false);
        }
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
        About::Lost | About::Words(_) | About::Place(_) => about.word().to_owned(),
    }
}
