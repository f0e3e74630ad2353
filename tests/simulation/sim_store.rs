//! The store: the journal as the engine writes it, and what an engine that starts anew reads from it.

use std::collections::BTreeMap;

use perezvon::domain::ids::ClientId;
use perezvon::engine::callback::request::{About, CallbackRequest, KeptPlace};
use perezvon::engine::command::Fact;
use perezvon::engine::ids::{AgentId, CallId, CallbackId};
use perezvon::engine::settings::AgentProfile;
use perezvon::engine::time::Wall;

use crate::plan::MS;

#[derive(Clone, Debug)]
pub struct Store {
    /// With the moment of writing.
    facts: Vec<(i64, Fact)>,
    profiles: BTreeMap<AgentId, AgentProfile>,
    /// Of clients who are to be called back.
    places: Vec<CallbackRequest>,
}

impl Store {
    pub fn new(profiles: &[AgentProfile]) -> Store {
        let profiles = profiles.iter().map(|profile| (profile.agent, profile.clone())).collect();
        Store { facts: Vec::new(), profiles, places: Vec::new() }
    }

    pub fn write(&mut self, at: i64, fact: Fact) {
        self.facts.push((at, fact));
    }

    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter().map(|(_, fact)| fact)
    }

    /// What was written in the last moment was not on the disk yet.
    pub fn lose_the_last(&mut self, now: i64) {
        self.facts.retain(|(at, _)| *at < now - 50 * MS);
    }

    pub fn last_call(&self) -> CallId {
        let arrived = self.facts().filter_map(|fact| match fact {
            Fact::CallArrived { call, .. } => Some(*call),
            Fact::AttemptStarted { .. }
            | Fact::AttemptEnded { .. }
            | Fact::CallbackEnded { .. }
            | Fact::CallQueued { .. }
            | Fact::LegStarted { .. }
            | Fact::LegAnswered { .. }
            | Fact::LegEnded { .. }
            | Fact::OfferMade { .. }
            | Fact::OfferRinging { .. }
            | Fact::OfferEnded { .. }
            | Fact::CallBridged { .. }
            | Fact::CallNoted { .. }
            | Fact::MonitorBegan { .. }
            | Fact::MonitorEnded { .. }
            | Fact::CallEnded { .. }
            | Fact::CallsAlive { .. }
            | Fact::AgentStatus { .. }
            | Fact::WrapUp { .. }
            | Fact::WaitTold { .. }
            | Fact::AgentIdle { .. } => None,
        });
        arrived.max().unwrap_or(CallId(0))
    }

    /// The agents as last written.
    pub fn profiles(&self) -> Vec<AgentProfile> {
        let mut profiles = self.profiles.clone();
        for fact in self.facts() {
            if let Fact::AgentStatus { agent, status, .. } = fact
                && let Some(profile) = profiles.get_mut(agent)
            {
                profile.status = status.clone();
            }
            if let Fact::AgentIdle { agent, calls_taken, at } = fact
                && let Some(profile) = profiles.get_mut(agent)
            {
                (profile.idle_since, profile.calls_taken) = (*at, *calls_taken);
            }
        }
        profiles.into_values().collect()
    }

    /// Keeps a place, once for a number.
    pub fn keep(
        &mut self,
        number: String,
        client: Option<ClientId>,
        place: KeptPlace,
        created: Wall,
    ) -> CallbackRequest {
        if let Some(known) = self.pending().into_iter().find(|known| known.number == number) {
            return known;
        }
        let id = CallbackId(self.places.len() as i64 + 1);
        let about = About::Place(place);
        let new = CallbackRequest {
            id,
            number,
            client,
            language: None,
            about,
            attempts: 0,
            created,
            due: created,
            not_before: None,
        };
        self.places.push(new.clone());
        new
    }

    /// Places whose clients are still to be called, with the attempts that were made.
    pub fn pending(&self) -> Vec<CallbackRequest> {
        let mut pending: BTreeMap<CallbackId, CallbackRequest> =
            self.places.iter().map(|place| (place.id, place.clone())).collect();
        for fact in self.facts() {
            if let Fact::CallbackEnded { callback, .. } = fact {
                pending.remove(callback);
            }
            if let Fact::AttemptEnded { callback, attempts, due, .. } = fact
                && let Some(place) = pending.get_mut(callback)
            {
                (place.attempts, place.due) = (*attempts, *due);
            }
        }
        pending.into_values().collect()
    }

    pub fn change(&mut self, profile: AgentProfile) {
        self.profiles.insert(profile.agent, profile);
    }
}
