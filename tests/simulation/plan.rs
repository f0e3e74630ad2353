//! What a seed draws before the run begins: the office, the habits of its people, and which faults there will be.
//! Each run has only some of all features (a swarm): what is rare when everything is on is common where little is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use perezvon::engine::hours::Hours;
use perezvon::engine::ids::{AgentId, NodeId, QueueId};
use perezvon::engine::settings::{Act, AgentProfile, Menu, Menus, QueueSettings, Settings, Strategy};
use perezvon::engine::time::Wall;
use perezvon::engine::view::{PauseReason, Status};
use perezvon::speech::Language;

use crate::rng::Rng;

pub const MS: i64 = 1_000;
pub const SECOND: i64 = 1_000_000;
/// Wall clock at the beginning of every run.
pub const BEGINNING: i64 = 1_795_293_198_000;

/// How often what happens, in thousandths of the occasions.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// A request gets a refusal of Asterisk instead of being done (409, 422, 500).
    pub refusal: u32,
    /// A request is not answered in time; it may have been done.
    pub time_out: u32,
    /// An event is delivered a second time, perhaps later.
    pub duplicate: u32,
    /// An event of an id that nobody knows.
    pub foreign: u32,
    /// A playback whose end is never told.
    pub lost_playback: u32,
    /// Spans between faults of the whole system; `None` for none.
    pub every: Option<i64>,
    pub cut: bool,
    pub freeze: bool,
    pub kill_asterisk: bool,
    pub kill_engine: bool,
    pub clock_step: bool,
    /// The journal loses what was written in the last moment before the engine was killed.
    pub lose_facts: bool,
    /// Phones lose their registration and get it back.
    pub unregister: bool,
}

/// What people do, in thousandths of the occasions.
#[derive(Clone, Debug, Default)]
pub struct Habits {
    /// The caller hangs up at one of the delicate moments.
    pub hasty: u32,
    pub hidden: u32,
    pub blocked: u32,
    pub has_last_agent: u32,
    pub important: u32,
    pub late_card: u32,
    pub no_card: u32,
    pub has_order: u32,
    /// The caller plays with the keys.
    pub keys: u32,
    pub orders_change: bool,
    /// Of an agent's phone that is rung.
    pub rejects: u32,
    pub ignores: u32,
    pub dead: u32,
    pub drops: u32,
    /// The agent hangs up first.
    pub agent_ends: u32,
    /// Spans between wishes of people; `None` for none.
    pub wish_every: Option<i64>,
    pub transfers: bool,
    /// Supervisors hear talks.
    pub monitors: bool,
    pub statuses: bool,
    pub feature_codes: bool,
    pub hang_ups: bool,
    /// Settings and agents are changed while calls are in progress.
    pub changes: bool,
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub settings: Settings,
    pub profiles: Vec<AgentProfile>,
    pub nodes: usize,
    pub callers: usize,
    /// Callers come within this span; then faults stop and all must converge.
    pub active: i64,
    pub longest_talk: i64,
    pub longest_patience: i64,
    pub slow_rest: bool,
    /// Wake-ups come late by up to this.
    pub wake_lag: i64,
    pub faults: Faults,
    pub habits: Habits,
}

impl Plan {
    pub fn draw(rng: &mut Rng) -> Plan {
        let nodes = if rng.per_mille(200) { 2 } else { 1 };
        let settings = settings(rng);
        let agents = rng.between(1, 7) as u32;
        let profiles = (1..=agents).map(|id| profile(rng, id, nodes, &settings)).collect();
        let faults = if rng.per_mille(400) { Faults::default() } else { faults(rng) };
        Plan {
            settings,
            profiles,
            nodes,
            callers: rng.between(3, 22) as usize,
            active: rng.between(20, 120) * SECOND,
            longest_talk: *rng.pick(&[2, 20, 60]) * SECOND,
            longest_patience: *rng.pick(&[5, 40, 200]) * SECOND,
            slow_rest: rng.per_mille(200),
            wake_lag: *rng.pick(&[0, 0, MS, 5 * MS]),
            faults,
            habits: habits(rng),
        }
    }
}

fn settings(rng: &mut Rng) -> Settings {
    let count = rng.between(1, 3) as usize;
    let mut hours = Hours::default();
    if rng.coin() {
        // The runs begin at 23:33 of the office's clock.
        hours.add(rng.pick::<&str>(&["daily 08:00-20:00", "daily 23:34-23:35", "daily 06:00-23:34"])).expect("hours");
    }
    let queues: Vec<QueueSettings> = (0..count).map(|at| queue(rng, at)).collect();
    let routes = (0..queues.len()).map(|at| (format!("10{at}"), QueueId(at as u16))).collect();
    Settings {
        routes,
        queues,
        greeting: rng.per_mille(700),
        order_status: rng.per_mille(800),
        menus: menus(rng, count),
        hours,
        after_hours: if rng.per_mille(150) { "closed".to_owned() } else { String::new() },
        recording_notice: rng.coin(),
        priority_step: Duration::from_secs(*rng.pick(&[10, 60])),
        allowed_numbers: BTreeSet::from(["+79".to_owned()]),
        trunk: rng.per_mille(800).then(|| "trunk".to_owned()),
        max_calls: if rng.per_mille(150) { rng.between(1, 6) as usize } else { 10_000 },
        ..Settings::default()
    }
}

fn menus(rng: &mut Rng, queues: usize) -> Menus {
    if !rng.per_mille(250) {
        return Menus::default();
    }
    let act = |rng: &mut Rng| match rng.below(6) {
        0 => Act::Say("words".to_owned()),
        1 => Act::Repeat,
        2 => Act::HangUp,
        3 => Act::Menu(rng.below(3)),
        _ => Act::Queue(QueueId(rng.below(queues) as u16)),
    };
    let list = (0..2)
        .map(|_| Menu {
            say: "menu".to_owned(),
            language: rng.coin().then_some(Language::En),
            wait: Duration::from_secs(rng.between(1, 5) as u64),
            times: rng.between(1, 3) as u8,
            keys: [('0', act(rng)), ('1', act(rng)), ('*', act(rng))].into(),
            otherwise: act(rng),
        })
        .collect();
    Menus { start: Some(0), list }
}

fn queue(rng: &mut Rng, at: usize) -> QueueSettings {
    let (strategy, _) = *rng.pick(&Strategy::ALL);
    QueueSettings {
        name: format!("q{at}"),
        strategy,
        priority: *rng.pick(&[0, 0, 1, -1]),
        skill: rng.per_mille(250).then(|| ("lang".to_owned(), rng.between(1, 3) as u8)),
        ring_time: Duration::from_secs(rng.between(3, 12) as u64),
        wrap_up: Duration::from_millis(*rng.pick(&[0, 300, 4000])),
        sticky: rng.coin(),
        sticky_wait: Duration::from_secs(*rng.pick(&[0, 0, 5])),
        announce_first: Duration::from_secs(*rng.pick(&[0, 2, 8])),
        announce_every: Duration::from_secs(*rng.pick(&[0, 7, 20])),
        callback_offer: rng.coin(),
    }
}

fn profile(rng: &mut Rng, id: u32, nodes: usize, settings: &Settings) -> AgentProfile {
    let mut queues = BTreeSet::new();
    if rng.per_mille(350) {
        queues.insert(rng.pick(&settings.queues).name.clone());
    }
    let mut skills = BTreeMap::new();
    if rng.per_mille(700) {
        skills.insert("lang".to_owned(), rng.between(1, 5) as u8);
    }
    let status = match rng.below(8) {
        0 => Status::Offline,
        1 => Status::Pause(PauseReason::Declared("lunch".to_owned())),
        _ => Status::Ready,
    };
    AgentProfile {
        agent: AgentId(id),
        name: format!("Agent {id}"),
        endpoint: format!("agent-{id}"),
        node: NodeId(rng.below(nodes) as u16),
        queues,
        skills,
        status,
        idle_since: Wall(BEGINNING - rng.between(0, 100) * 1000),
        calls_taken: rng.below(5) as u32,
    }
}

fn faults(rng: &mut Rng) -> Faults {
    let mut some = |n| if rng.per_mille(350) { n } else { 0 };
    let (refusal, time_out) = (some(30), some(15));
    let (duplicate, foreign, lost_playback) = (some(60), some(60), some(50));
    Faults {
        refusal,
        time_out,
        duplicate,
        foreign,
        lost_playback,
        every: rng.per_mille(700).then(|| rng.between(3, 40) * SECOND),
        cut: rng.coin(),
        freeze: rng.coin(),
        kill_asterisk: rng.per_mille(300),
        kill_engine: rng.coin(),
        clock_step: rng.per_mille(300),
        lose_facts: rng.coin(),
        unregister: rng.coin(),
    }
}

fn habits(rng: &mut Rng) -> Habits {
    let mut some = |n| if rng.per_mille(500) { n } else { 0 };
    Habits {
        hasty: some(400),
        hidden: some(150),
        blocked: some(150),
        has_last_agent: some(600),
        important: some(300),
        late_card: some(300),
        no_card: some(200),
        has_order: some(500),
        keys: some(500),
        rejects: some(150),
        ignores: some(200),
        dead: some(100),
        drops: some(150),
        agent_ends: some(500),
        orders_change: rng.coin(),
        wish_every: rng.per_mille(700).then(|| rng.between(200, 4000) * MS),
        transfers: rng.per_mille(700),
        monitors: rng.per_mille(500),
        statuses: rng.coin(),
        feature_codes: rng.coin(),
        hang_ups: rng.per_mille(300),
        changes: rng.per_mille(250),
    }
}
