//! Who is offered the next call.

use crate::engine::ids::AgentId;
use crate::engine::settings::{QueueSettings, Strategy};

use super::agent::Agent;

/// Picks among free agents who serve the queue: one, or for ring-all every one. Ties go to who has been free longest,
/// then to the lower id, so that the choice never depends on chance.
#[must_use]
pub fn pick<'a>(
    queue: &QueueSettings,
    preferred: Option<AgentId>,
    free: impl Iterator<Item = &'a Agent>,
) -> Vec<AgentId> {
    if queue.strategy == Strategy::RingAll {
        return free.map(|agent| agent.profile.agent).collect();
    }
    let best = free.min_by_key(|agent| {
        let id = agent.profile.agent;
        let by_strategy = match queue.strategy {
            Strategy::LongestIdle | Strategy::RingAll => 0,
            Strategy::RoundRobin => agent.last_offered,
            Strategy::FewestCalls => u64::from(agent.calls_taken),
            Strategy::HighestLevel => {
                let level = queue.skill.as_ref().map_or(0, |(skill, _)| agent.level(skill));
                u64::from(u8::MAX - level)
            }
        };
        (agent.ring_failed, preferred != Some(id), by_strategy, agent.idle_since, id)
    });
    best.map(|agent| agent.profile.agent).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::engine::acd::agent::Agents;
    use crate::engine::ids::{CallId, NodeId};
    use crate::engine::settings::AgentProfile;
    use crate::engine::time::{Instant, Now, Wall};
    use crate::engine::view::Status;

    fn agents(list: &[(u32, i64, u32, u8)]) -> Agents {
        let now = Now { mono: Instant(0), wall: Wall(1_000_000) };
        let mut agents = Agents::default();
        for &(id, idle_since, calls_taken, level) in list {
            agents.describe(
                AgentProfile {
                    agent: AgentId(id),
                    name: format!("A{id}"),
                    endpoint: format!("agent-{id}"),
                    node: NodeId(0),
                    queues: BTreeSet::new(),
                    skills: BTreeMap::from([("vip".to_owned(), level)]),
                    status: Status::Ready,
                    idle_since: Wall(idle_since),
                    calls_taken,
                },
                now,
            );
        }
        agents
    }

    fn picked(agents: &Agents, strategy: Strategy, preferred: Option<u32>) -> Vec<u32> {
        let queue = QueueSettings { strategy, skill: Some(("vip".to_owned(), 1)), ..QueueSettings::default() };
        pick(&queue, preferred.map(AgentId), agents.free_for(&queue, NodeId(0))).iter().map(|id| id.0).collect()
    }

    #[test]
    fn each_strategy_picks_by_its_own_rule() {
        let agents = agents(&[(1, 500, 9, 1), (2, 100, 7, 5), (3, 300, 2, 9)]);
        assert_eq!(picked(&agents, Strategy::LongestIdle, None), [2]);
        assert_eq!(picked(&agents, Strategy::FewestCalls, None), [3]);
        assert_eq!(picked(&agents, Strategy::HighestLevel, None), [3]);
        assert_eq!(picked(&agents, Strategy::RingAll, None), [1, 2, 3]);
    }

    #[test]
    fn round_robin_takes_who_was_offered_a_call_the_longest_ago() {
        let mut agents = agents(&[(1, 100, 0, 1), (2, 200, 0, 1), (3, 300, 0, 1)]);
        let mut order = Vec::new();
        for call in 1..=6 {
            let id = picked(&agents, Strategy::RoundRobin, None)[0];
            order.push(id);
            assert!(agents.offer(AgentId(id), CallId(call), 1));
            agents.puts_down(AgentId(id), CallId(call));
        }
        assert_eq!(order, [1, 2, 3, 1, 2, 3]);
    }

    #[test]
    fn the_preferred_agent_goes_before_the_rule_when_free() {
        let mut agents = agents(&[(1, 500, 9, 1), (2, 100, 7, 5)]);
        assert_eq!(picked(&agents, Strategy::LongestIdle, Some(1)), [1]);
        agents.offer(AgentId(1), CallId(1), 1);
        assert_eq!(picked(&agents, Strategy::LongestIdle, Some(1)), [2]);
    }

    #[test]
    fn whose_phone_could_not_be_rung_comes_after_the_others() {
        let mut agents = agents(&[(1, 500, 9, 1), (2, 100, 7, 5)]);
        agents.rung(AgentId(2), true);
        assert_eq!(picked(&agents, Strategy::LongestIdle, Some(2)), [1]);
        agents.rung(AgentId(2), false);
        assert_eq!(picked(&agents, Strategy::LongestIdle, None), [2]);
    }

    #[test]
    fn nobody_without_the_skill_is_picked() {
        let agents = agents(&[(1, 500, 0, 0)]);
        assert_eq!(picked(&agents, Strategy::LongestIdle, None), Vec::<u32>::new());
    }
}
