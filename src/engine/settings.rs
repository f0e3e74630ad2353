//! What an administrator decides, as the core needs it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::order::State;
use crate::domain::phone::Phone;
use crate::speech::Language;

use super::event::{CallerCard, CallerOrder};
use super::hours::Hours;
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
    /// Said in place of the greeting; empty for the shipped one.
    pub greeting_text: String,
    /// When the office is open.
    pub hours: Hours,
    /// Said to who calls when the office is closed; then the call ends. Empty: callers come to the queue all the same.
    pub after_hours: String,
    /// Menus of the office's own.
    pub menus: Menus,
    /// Callers with an order are told how it stands before they come to the queue.
    pub order_status: bool,
    /// The office's clock, minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// The greeting tells that talks are recorded.
    pub recording_notice: bool,
    /// One level of priority is worth this much waiting.
    pub priority_step: Duration,
    /// What a caller's own business adds to the queue's priority.
    pub precedence: Precedence,
    /// Beginnings of outside numbers (canonical, digits with `+`) to which a call may be transferred.
    pub allowed_numbers: BTreeSet<String>,
    /// PJSIP endpoint through which outside numbers are dialled, if any.
    pub trunk: Option<String>,
    /// Calls at once; further ones go to the fallback dialplan.
    pub max_calls: usize,
    /// How clients are called back.
    pub callback: CallbackSettings,
    /// A recording that is paused goes on after this time at the latest.
    pub recording_pause: Duration,
}

impl Settings {
    /// What to dial for an outside number; none where it is not among the allowed destinations or there is no trunk.
    #[must_use]
    pub fn outside(&self, text: &str) -> Option<String> {
        let phone = Phone::parse(text);
        let number = phone.as_str();
        let allowed = self.allowed_numbers.iter().any(|start| number.starts_with(start.as_str()));
        let trunk = self.trunk.as_ref().filter(|_| allowed && !number.is_empty())?;
        Some(format!("PJSIP/{number}@{trunk}"))
    }
}

/// How clients are called back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackSettings {
    /// Clients are called at all; without it what is to be told waits.
    pub enabled: bool,
    /// Attempts that count, until a callback is exhausted.
    pub attempts: u8,
    /// From the end of one attempt to the next.
    pub interval: Duration,
    /// Outgoing calls at once.
    pub lines: usize,
    /// How long a client's phone may ring.
    pub ring_time: Duration,
    /// The number that clients see; empty for the trunk's own.
    pub show_number: String,
    /// When clients may be called about what is not an order of this moment.
    pub hours: Hours,
}

impl CallbackSettings {
    /// When nobody is asleep.
    pub const HOURS: &str = "daily 09:00-21:00";
}

impl Default for CallbackSettings {
    fn default() -> Self {
        let mut hours = Hours::default();
        // It is written above in the right form.
        let _ = hours.add(CallbackSettings::HOURS);
        CallbackSettings {
            enabled: true,
            attempts: 3,
            interval: Duration::from_secs(60),
            lines: 10,
            ring_time: Duration::from_secs(35),
            show_number: String::new(),
            hours,
        }
    }
}

/// Voice menus, as described in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Menus {
    /// The menu that callers hear after the greeting; none: they come to the queue.
    pub start: Option<usize>,
    /// All menus; others refer to one by its place.
    pub list: Vec<Menu>,
}

/// One voice menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    /// What is said.
    pub say: String,
    /// Language of this menu and of all prompts after it; none: as before.
    pub language: Option<Language>,
    /// How long a key is waited for after the last word.
    pub wait: Duration,
    /// How often it is said before `otherwise`; 1 or more.
    pub times: u8,
    /// What each key does: `0` to `9`, `*`, `#`.
    pub keys: BTreeMap<char, Act>,
    /// For who presses nothing, or wrong keys only.
    pub otherwise: Act,
}

/// What a key of a menu does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// To a queue.
    Queue(QueueId),
    /// To another menu, by its place in the list.
    Menu(usize),
    /// Says something; then the menu waits for a key again.
    Say(String),
    /// Says the menu once more.
    Repeat,
    /// Ends the call.
    HangUp,
}

/// Levels of priority that a caller has by an order or as a company's. They do not add up, neither among themselves nor
/// with that of the client's group: the highest counts, so that a group's level never turns their order round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Precedence {
    /// The ordered car waits outside.
    pub car_waiting: i16,
    /// A car is on its way.
    pub car_assigned: i16,
    /// The client is a company.
    pub corporate: i16,
}

impl Default for Precedence {
    fn default() -> Self {
        Precedence { car_waiting: 30, car_assigned: 20, corporate: 10 }
    }
}

impl Precedence {
    /// What this caller's card adds to the queue's priority.
    #[must_use]
    pub fn of(&self, card: &CallerCard) -> i16 {
        let by_order = |order: &CallerOrder| match order.state {
            State::Arrived => Some(self.car_waiting),
            State::Assigned => Some(self.car_assigned),
            State::Searching | State::InTrip | State::Completed | State::NotFound | State::Cancelled | State::False => {
                None
            }
        };
        let corporate = card.corporate.then_some(self.corporate);
        card.orders.iter().filter_map(by_order).chain(corporate).fold(card.priority, i16::max)
    }
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
    /// With each announcement a caller may choose to be called back instead of waiting.
    pub callback_offer: bool,
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
            callback_offer: true,
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
            greeting_text: String::new(),
            hours: Hours::default(),
            after_hours: String::new(),
            menus: Menus::default(),
            order_status: true,
            utc_offset_minutes: 180,
            recording_notice: true,
            priority_step: Duration::from_secs(60),
            precedence: Precedence::default(),
            allowed_numbers: BTreeSet::new(),
            trunk: None,
            max_calls: 10_000,
            callback: CallbackSettings::default(),
            recording_pause: Duration::from_secs(120),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::OrderId;

    fn caller(priority: i16, corporate: bool, states: &[State]) -> i16 {
        let order = |state: &State| CallerOrder::new(OrderId(1), *state, Wall(0));
        let orders = states.iter().map(order).collect();
        Precedence::default().of(&CallerCard { priority, corporate, orders, ..CallerCard::default() })
    }

    #[test]
    fn a_waiting_car_goes_before_an_assigned_one_and_that_before_companies_and_groups_and_those_before_others() {
        let waiting = caller(0, false, &[State::Completed, State::Arrived]);
        let assigned = caller(15, true, &[State::Searching, State::Assigned]);
        let company = caller(0, true, &[State::InTrip]);
        let other = caller(0, false, &[State::Searching, State::NotFound, State::Cancelled, State::False]);
        assert!(waiting > assigned && assigned > company && company > other);
        assert_eq!(other, 0);
    }

    #[test]
    fn a_group_counts_where_nothing_higher_does() {
        assert_eq!(
            (caller(15, true, &[]), caller(100, false, &[State::Arrived]), caller(-5, false, &[])),
            (15, 100, -5)
        );
    }
}
