//! What an administrator decides, as the core needs it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::speech::Language;

use super::ids::{AgentId, NodeId, QueueId};
use super::time::Wall;
use super::view::Status;

/// All settings of the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The queues; [`QueueId`] is the place in this list. Never empty.
    pub queues: Vec<QueueSettings>,
    /// Which queue a dialled number leads to; others lead to the first.
    pub routes: BTreeMap<String, QueueId>,
    /// Language of the prompts.
    pub language: Language,
    /// A greeting is played after the answer.
    pub greeting: bool,
    /// The greeting tells that talks are recorded.
    pub recording_notice: bool,
    /// One level of priority is worth this much waiting.
    pub priority_step: Duration,
    /// Beginnings of outside numbers (canonical, digits with `+`) to which a call may be transferred.
    pub allowed_numbers: BTreeSet<String>,
    /// PJSIP endpoint through which outside numbers are dialled, if any.
    pub trunk: Option<String>,
    /// Calls at once; further ones go to the fallback dialplan.
    pub max_calls: usize,
}

/// One queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSettings {
    /// Short name, as in the API.
    pub name: String,
    /// Who is offered the next call.
    pub strategy: Strategy,
    /// Base priority; higher is sooner.
    pub priority: i16,
    /// Skill that an agent must have, with the least level.
    pub skill: Option<(String, u8)>,
    /// How long a phone may ring.
    pub ring_time: Duration,
    /// After-call work.
    pub wrap_up: Duration,
    /// The client's last agent is preferred.
    pub sticky: bool,
    /// How long a caller waits for the last agent alone when that agent is busy.
    pub sticky_wait: Duration,
    /// First announcement of position and wait after entering; zero for none.
    pub announce_first: Duration,
    /// Further announcements; zero for none.
    pub announce_every: Duration,
}

impl Default for QueueSettings {
    fn default() -> Self {
        QueueSettings {
            name: "main".to_owned(),
            strategy: Strategy::LongestIdle,
            priority: 0,
            skill: None,
            ring_time: Duration::from_secs(15),
            wrap_up: Duration::from_secs(5),
            sticky: true,
            sticky_wait: Duration::ZERO,
            announce_first: Duration::from_secs(15),
            announce_every: Duration::from_secs(45),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            queues: vec![QueueSettings::default()],
            routes: BTreeMap::new(),
            language: Language::Ru,
            greeting: true,
            recording_notice: true,
            priority_step: Duration::from_secs(60),
            allowed_numbers: BTreeSet::new(),
            trunk: None,
            max_calls: 10_000,
        }
    }
}

/// Who is offered the next call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strategy {
    /// Who has been free longest.
    #[default]
    LongestIdle,
    /// All free agents ring; the first to answer has the caller.
    RingAll,
    /// In turns, by who was offered a call the longest ago.
    RoundRobin,
    /// Who took the fewest calls.
    FewestCalls,
    /// Who has the highest level of the queue's skill; among equals, who has been free longest.
    HighestLevel,
}

impl Strategy {
    /// All of them, with the names of the configuration.
    pub const ALL: [(Strategy, &'static str); 5] = [
        (Strategy::LongestIdle, "longest_idle"),
        (Strategy::RingAll, "ring_all"),
        (Strategy::RoundRobin, "round_robin"),
        (Strategy::FewestCalls, "fewest_calls"),
        (Strategy::HighestLevel, "highest_level"),
    ];
}

/// An agent as the office describes one, with what must survive a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentProfile {
    /// Which agent.
    pub agent: AgentId,
    /// Name to show.
    pub name: String,
    /// PJSIP endpoint of the phone, such as `agent-101`.
    pub endpoint: String,
    /// On which Asterisk the phone registers.
    pub node: NodeId,
    /// Queues served, by name; empty for all.
    pub queues: BTreeSet<String>,
    /// Skills with their levels, 1 to 10.
    pub skills: BTreeMap<String, u8>,
    /// Last declared status. Used only when the core does not know the agent yet.
    pub status: Status,
    /// Since when idle, as last stored. Used only when the core does not know the agent yet.
    pub idle_since: Wall,
    /// Calls taken since the last log-in. Used only when the core does not know the agent yet.
    pub calls_taken: u32,
}
