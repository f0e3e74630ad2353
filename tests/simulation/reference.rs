//! A simple model of the queue, written from the rules and not from the engine: who is next, who is free, and what
//! really stands on the lines.

use std::collections::{BTreeMap, BTreeSet};

use perezvon::engine::ids::{AgentId, CallId, ChannelId, Own, QueueId};
use perezvon::engine::settings::{AgentProfile, QueueSettings, Strategy};
use perezvon::engine::time::Wall;
use perezvon::engine::view::{AgentState, CallStage, Status};

use crate::invariants::Odd;
use crate::plan::{MS, SECOND};
use crate::sim_asterisk::{Asterisk, Party, State};
use crate::world::World;

/// A caller in a queue.
#[derive(Clone, Copy, Debug)]
pub struct Queued {
    pub queue: QueueId,
    /// Moment of entry made earlier by the priority, in milliseconds: the place.
    pub place: i64,
    /// May be kept for one agent until then.
    pub reserved_until: i64,
}

impl World {
    fn settings_of(&self, queue: QueueId) -> &QueueSettings {
        &self.plan.settings.queues[usize::from(queue.0)]
    }

    fn profile(&self, agent: AgentId) -> &AgentProfile {
        &self.plan.profiles[agent.0 as usize - 1]
    }

    pub fn strategy_of(&self, call: CallId) -> Option<Strategy> {
        let queued = self.checks.queued.get(&call)?;
        Some(self.settings_of(queued.queue).strategy)
    }

    pub fn free_agents(&self) -> BTreeSet<AgentId> {
        let free = self.checks.agents.values().filter(|view| {
            view.state == AgentState::Idle && view.status == Status::Ready && view.reachable != Some(false)
        });
        free.map(|view| view.agent).collect()
    }

    /// The agent works for the queue, on the Asterisk of the call.
    fn fits(&self, agent: AgentId, call: CallId, queue: QueueId) -> bool {
        let (profile, settings) = (self.profile(agent), self.settings_of(queue));
        let level = |skill: &str| profile.skills.get(skill).copied().unwrap_or(0);
        let here = self.checks.calls.get(&call).is_some_and(|view| view.node == profile.node);
        here && (profile.queues.is_empty() || profile.queues.contains(&settings.name))
            && settings.skill.as_ref().is_none_or(|(skill, least)| level(skill) >= *least)
    }

    /// A call enters a queue.
    pub fn queued(&mut self, call: CallId, queue: QueueId, priority: i16, at: Wall) {
        let settings = self.settings_of(queue).clone();
        let step = self.plan.settings.priority_step.as_millis() as i64;
        let to_agent = self.checks.to_agent.remove(&call);
        let kept = if to_agent { settings.ring_time.as_micros() as i64 + 2 * SECOND } else { 0 };
        let sticky = if settings.sticky { settings.sticky_wait.as_micros() as i64 } else { 0 };
        let reserved_until = self.now + kept.max(sticky) + self.plan.wake_lag;
        let place = at.0 - i64::from(priority) * step;
        // Over transfers and restarts: nobody stands later than at the first entry.
        let first = *self.checks.entered.entry(call).or_insert(at);
        let faults = &self.plan.faults;
        if at.0 > first.0 + 5 && !self.checks.clock_stepped && faults.refusal + faults.time_out == 0 {
            self.violate(format!("{call} entered a queue {} ms before it counts now", at.0 - first.0));
        }
        self.checks.queued.insert(call, Queued { queue, place, reserved_until });
    }

    /// Waits, and anybody may be offered this call.
    fn waits_openly(&self, call: CallId) -> Option<Queued> {
        let view = self.checks.calls.get(&call)?;
        let queued = self.checks.queued.get(&call)?;
        (view.stage == CallStage::Waiting && queued.reserved_until < self.now).then_some(*queued)
    }

    /// An offer was made: was it this caller's turn, and this agent's?
    pub fn judge_offer(&mut self, call: CallId, agent: AgentId) {
        let turn = self.checks.turn_before;
        if !self.quiet() || self.checks.clock_stepped || self.checks.changed_at.is_some() {
            return;
        }
        let Some(queued) = self.checks.queued.get(&call).copied() else { return };
        if !self.fits(agent, call, queued.queue) && queued.reserved_until < self.now {
            self.violate(format!("agent {} is offered {call} of a queue that the agent does not serve", agent.0));
        }
        let overtaken = self.checks.calls.keys().copied().find(|other| {
            let waiting = self.waits_openly(*other).filter(|waiting| self.fits(agent, *other, waiting.queue));
            *other != call && waiting.is_some_and(|waiting| waiting.place + 3 < queued.place)
        });
        if let Some(other) = overtaken {
            self.violate(format!("{call} overtakes {other} at agent {}", agent.0));
        }
        self.judge_agent(call, agent, queued, turn);
    }

    /// Whoever was free before must not be better than the one who was picked.
    fn judge_agent(&mut self, call: CallId, agent: AgentId, queued: Queued, turn: Option<u64>) {
        let settings = self.settings_of(queued.queue).clone();
        let sticky = settings.sticky && self.checks.calls.contains_key(&call);
        let reserved = queued.reserved_until >= self.now;
        // A preferred agent goes before the rule: judged only where there is none.
        if settings.strategy == Strategy::RingAll || sticky || reserved || self.checks.node_came_up {
            return;
        }
        let key = |id: AgentId, turn: Option<u64>| {
            let view = self.checks.agents.get(&id)?;
            let rule = match settings.strategy {
                Strategy::LongestIdle | Strategy::RingAll => 0,
                Strategy::RoundRobin => turn.unwrap_or(0),
                Strategy::FewestCalls => u64::from(view.calls_taken),
                Strategy::HighestLevel => {
                    let skill = settings.skill.as_ref();
                    let level = skill.map_or(0, |(name, _)| self.profile(id).skills.get(name).copied().unwrap_or(0));
                    u64::from(100 - level)
                }
            };
            Some((rule, view.idle_since.0))
        };
        let Some(picked) = key(agent, turn) else { return };
        let better = self.checks.free_before.iter().copied().find(|id| {
            let still = !self.checks.ring_failed.contains(id)
                && self.free_agents().contains(id)
                && *id != agent
                && self.fits(*id, call, queued.queue);
            still && key(*id, self.checks.last_offered.get(id).copied()).is_some_and(|key| (key.0, key.1 + 2) < picked)
        });
        if let Some(better) = better {
            let text =
                format!("{call} went to agent {}; by {:?} it was agent {}'s", agent.0, settings.strategy, better.0);
            self.violate(text);
        }
    }

    /// No agent is free while a fitting caller waits.
    pub fn check_idle_agents(&mut self) {
        let free = self.free_agents();
        let waiting: Vec<(CallId, QueueId)> =
            self.checks.calls.keys().filter_map(|call| Some((*call, self.waits_openly(*call)?.queue))).collect();
        let mut pairs = BTreeSet::new();
        for (call, queue) in waiting {
            for agent in &free {
                if self.fits(*agent, call, queue) {
                    pairs.insert(Odd::Idle(*agent, call));
                }
            }
        }
        self.checks.odd.retain(|odd, _| !matches!(odd, Odd::Idle(..)) || pairs.contains(odd));
        for pair in pairs {
            self.odd(pair, true, 50 * MS);
        }
    }

    /// Who counts as busy has something on the phone.
    pub fn check_ghosts(&mut self) {
        let views: Vec<(AgentId, AgentState)> =
            self.checks.agents.values().map(|view| (view.agent, view.state.clone())).collect();
        let mut ghosts = BTreeMap::new();
        for (agent, state) in views {
            let phone = &self.phones[agent.0 as usize - 1];
            let busy = !phone.legs.is_empty() || phone.dialling.is_some();
            let span = match state {
                AgentState::Idle | AgentState::Reserved(_) => continue,
                AgentState::Offered(_) | AgentState::Talking(_) | AgentState::Releasing(_) | AgentState::Dialling => {
                    2 * SECOND
                }
                AgentState::WrapUp { .. } => 4500 * MS,
            };
            if !busy {
                ghosts.insert(Odd::Ghost(agent, state.as_str()), span);
            }
        }
        self.checks.odd.retain(|odd, _| !matches!(odd, Odd::Ghost(..)) || ghosts.contains_key(odd));
        for (ghost, span) in ghosts {
            self.odd(ghost, true, span);
        }
    }

    /// Who has answered is heard, and no phone rings for a call that is served.
    pub fn check_apart(&mut self) {
        let mut found = BTreeSet::new();
        for (node, id, channel) in
            self.nodes.iter().flat_map(|node| node.channels.iter().map(move |(id, c)| (node, id, c)))
        {
            let Some((call, Own::Leg(_))) = Own::parse(id.as_str()) else { continue };
            let Some(stage) = self.checks.calls.get(&call).map(|view| view.stage) else { continue };
            let company = channel.bridge.as_ref().and_then(|bridge| node.bridges.get(bridge));
            let alone = company.is_none_or(|members| members.len() < 2);
            let up = channel.state == State::Up;
            match stage {
                CallStage::Arriving
                | CallStage::Greeting
                | CallStage::Menu
                | CallStage::Waiting
                | CallStage::Offered
                | CallStage::Kept
                | CallStage::Calling
                | CallStage::Transferring
                | CallStage::Talking
                    if up && alone =>
                {
                    found.insert(Odd::Apart(id.clone()));
                }
                CallStage::Consulting if up && alone && self.other_leg_is_up(node, call, id) => {
                    found.insert(Odd::Apart(id.clone()));
                }
                CallStage::Talking | CallStage::Held if !up => {
                    found.insert(Odd::RingsForNothing(id.clone()));
                }
                CallStage::Arriving
                | CallStage::Greeting
                | CallStage::Menu
                | CallStage::Waiting
                | CallStage::Offered
                | CallStage::Kept
                | CallStage::Calling
                | CallStage::Transferring
                | CallStage::Talking
                | CallStage::Held
                | CallStage::Consulting
                | CallStage::Ending => {}
            }
        }
        self.checks.odd.retain(|odd, _| match odd {
            Odd::Apart(_) | Odd::RingsForNothing(_) => found.contains(odd),
            Odd::Idle(..) | Odd::Ghost(..) | Odd::Stray(_) => true,
        });
        for odd in found {
            self.odd(odd, true, 1500 * MS);
        }
    }

    fn other_leg_is_up(&self, node: &Asterisk, call: CallId, leg: &ChannelId) -> bool {
        node.channels.iter().any(|(id, channel)| {
            let own = Own::parse(id.as_str()).filter(|(of, _)| *of == call).map(|(_, own)| own);
            let bridge = channel.bridge.as_ref().and_then(|bridge| Own::parse(bridge.as_str()));
            let same = match own {
                // Who took the talk over; not who hears it.
                Some(Own::Monitor(_)) => bridge.is_some_and(|(_, own)| !matches!(own, Own::MonitorBridge(_))),
                own => matches!(own, Some(Own::Leg(_))),
            };
            same && id != leg && channel.state == State::Up
        })
    }

    /// Every channel in the application belongs to a call that lives.
    pub fn check_strays(&mut self) {
        let mut found: Vec<(ChannelId, bool)> = Vec::new();
        for channels in self.nodes.iter().map(|node| &node.channels) {
            for (id, channel) in channels {
                let belongs = match channel.party {
                    Party::Caller(_) => !channel.in_app || self.checks.is_of_a_call(id),
                    Party::Phone(_) | Party::Outside => {
                        Own::parse(id.as_str()).is_some_and(|(call, _)| self.checks.calls.contains_key(&call))
                    }
                    Party::Dialler(_) => true,
                };
                found.push((id.clone(), !belongs));
            }
        }
        let standing: BTreeSet<ChannelId> = found.iter().map(|(id, _)| id.clone()).collect();
        self.checks.odd.retain(|odd, _| !matches!(odd, Odd::Stray(id) if !standing.contains(id)));
        for (id, stray) in found {
            self.odd(Odd::Stray(id), stray, 2 * SECOND);
        }
    }
}
